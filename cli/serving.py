"""The API on a socket, for `ernfed serve` and the demo: everything opened, wired to each other, closed again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from socket import socket
from typing import Any

import structlog

from api.admission.connections import Limits
from api.app import create_app
from api.document.rules import Rules, rules_of
from api.identity.auth import Connection, Identity, viewer_of_request
from api.identity.opening import Routes, open_identity
from api.identity.sealing import Sealer
from api.server import LOOPBACK_NAMES, listen, run_server
from cli.demo.issuer import DemoIssuer
from cli.runner import beside
from cli.runtime import Runtime, opened_audit, opened_database, opened_runtime
from config.identity import provider_of
from config.settings import Settings
from config.surroundings import metrics_address, metrics_token, public_host, trusted_proxies
from config.viewer import ViewerLinks, viewer_folder, viewer_links
from db.indexing.jobs import JobState, job_states
from db.pool import Database
from db.rate_limit import RateLimit
from db.ready import problems
from db.secrets import shared_secret
from indexer.worker import Worker
from reads.services import Services
from resolvers.context import Context
from resolvers.schema import schema

_log = structlog.get_logger(__name__)


async def serve_on(
    sock: socket,
    settings: Settings,
    started: Callable[[str], None],
    issuer: DemoIssuer | None = None,
    *,
    worker: bool = False,
) -> None:
    """Opens everything, serves on the socket until cancelled, closes everything. `started` gets the URL.

    issuer: the demo's, whose people are known; who shows no token is everyone_here all the same.
    worker: also does the jobs of the indexer.
    """
    rules, links = rules_of(settings, schema), viewer_links(settings)
    app_of = _app_of(settings, rules, is_private=issuer is not None or settings.auth_issuer is None)
    async with (
        opened_runtime(settings, settings.statement_timeout) as runtime,
        opened_audit(settings, runtime.database.url) as audit,
        _opened_limit(settings, runtime.database) as limit,
        runtime.keeping_up(),
        working(runtime, wanted=worker),
        _opened_services(runtime, links) as services,
    ):
        identity, routes = await _identity_of(runtime, services, issuer)
        app = app_of(
            _contexts(services),
            identity=identity,
            routes=routes,
            readiness=partial(problems, runtime.database),
            audit=audit,
            limiter=limit.take if limit else None,
            archives=runtime.archives,
            jobs=partial(_jobs, runtime),
            file_is_good=lambda: runtime.live.problem is None,
        )
        services.subscribers.listener.start()

        async def stopping() -> None:
            services.subscribers.stop()
            await app.state.going_away()

        limits = Limits(settings.receive_timeout, settings.connections_per_address)
        async with scraped(app.state.scraped, metrics_address(settings)):
            await run_server(
                app, sock, started=started, max_message=rules.max_body, limits=limits, stopping=stopping
            )


def _app_of(settings: Settings, rules: Rules, *, is_private: bool) -> Callable[..., Any]:
    """create_app, with all that the settings say: read before anything is opened. Raises SettingsError."""
    return partial(
        create_app,
        schema,
        rules=rules,
        # A page of another name that leads here could ask as whoever is at this machine.
        hosts=LOOPBACK_NAMES | {settings.host} | public_host(settings) if is_private else None,
        request_timeout=settings.request_timeout,
        operations_per_socket=settings.operations_per_socket,
        operations_at_once=settings.operations_at_once,
        send_patience=2 * settings.slow_reader_seconds,
        proxies=trusted_proxies(settings),
        scraper=metrics_token(settings),
        viewer=viewer_folder(settings),
    )


@asynccontextmanager
async def _opened_services(runtime: Runtime, links: ViewerLinks | None) -> AsyncIterator[Services]:
    """What all requests share; it hears of changes of the archives and their rules."""
    live = runtime.live
    services = await Services.open(runtime.database, runtime.archives, runtime.settings, live.rules, links)
    try:
        live.ruled.append(services.follow)
        live.told.append(services.directory.refresh)
        services.directory.follow = live.look
        yield services
    finally:
        await services.close()


def _contexts(services: Services) -> Callable[[Connection], Awaitable[Context]]:
    async def context(request: Connection) -> Context:
        viewer_now = partial(viewer_of_request, request)
        return Context.for_request(services, viewer_now(), viewer_now)

    return context


async def _identity_of(
    runtime: Runtime, services: Services, issuer: DemoIssuer | None
) -> tuple[Identity, Routes]:
    """Who is asking, and the routes for signing in. With the demo's `issuer` nobody needs to. Raises SettingsError."""
    provider = issuer.provider() if issuer else provider_of(runtime.settings)
    identity, routes = open_identity(
        lambda: (row.ern for row in services.directory),
        provider,
        lambda: runtime.live.rules,
        await shared_secret(runtime.database, "sessions", Sealer.new_key),
        open_here=issuer is not None,
    )
    # Not asked of the demo's own, which answers with this server. Another may come later: the start goes on.
    if provider is not None and issuer is None and (problem := await identity.problem()) is not None:
        _log.error(
            "auth.issuer_not_ready",
            issuer=provider.issuer,
            problem=problem,
            hint="nobody is let in until it answers: check ERNFED_AUTH_ISSUER, and that this machine reaches it",
        )
    return identity, (*routes, *(issuer.routes() if issuer else ()))


@asynccontextmanager
async def _opened_limit(settings: Settings, database: Database) -> AsyncIterator[RateLimit | None]:
    """The rate limit, if there is one: a server without an issuer has one person, who sets it or does not."""
    wanted = settings.auth_issuer is not None or "rate_limit" in settings.model_fields_set
    if not settings.rate_limit or not wanted:
        yield None
        return
    limit = RateLimit(database, settings.rate_limit)
    limit.start()
    try:
        yield limit
    finally:
        await limit.close()


async def _jobs(runtime: Runtime) -> dict[str, JobState]:
    states = await job_states(runtime.database)
    return {code: states[each] for code, each in runtime.archive_ids.items() if each in states}


@asynccontextmanager
async def scraped(
    app: Callable[..., Awaitable[None]], address: tuple[str, int] | None
) -> AsyncIterator[None]:
    """The metrics on an address of their own, where there is one, while the block runs. Raises CannotListen."""
    if address is None:
        yield
        return
    with listen(*address) as sock:
        async with beside("metrics", run_server(app, sock, started=lambda _url: None)):
            yield


@asynccontextmanager
async def working(runtime: Runtime, *, wanted: bool) -> AsyncIterator[None]:
    """A worker beside the server while the block runs, on connections whose statements may take their time."""
    if not wanted:
        yield
        return
    async with opened_database(runtime.database.url, runtime.settings.write_pool_size) as database:
        database.after_write = runtime.database.after_write
        stop = asyncio.Event()
        task = asyncio.create_task(Worker(database, runtime.archives.get).keep_running(stop))
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(task, return_exceptions=True)
