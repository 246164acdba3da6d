"""`ernfed serve`: the API on a database and archives that are there already."""

import asyncio
import functools
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from api.admission.connections import Limits
from api.app import create_app
from api.identity.auth import Connection, viewer_of_request
from api.logging import configure_logging
from api.server import LOOPBACK_NAMES, CannotListen, is_loopback, listen, run_server
from archives.errors import ArchiveError
from cli.demo.issuer import DemoIssuer
from cli.runner import run_until_stopped, tell_problem
from config.archives_file import ArchivesFileError
from config.identity import provider_of
from config.pseudonym_keys import PseudonymKeysError
from config.settings import Settings, SettingsError, load_settings
from config.surroundings import metrics_address, metrics_token, public_host, trusted_proxies
from db.embedded.postgres import EmbeddedPostgresError
from db.indexing.jobs import JobState, job_states
from db.migrate import MigrationError
from db.pool import Database, DatabaseUnreachable
from db.ready import problems

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from cli.runtime import Opened

app = typer.Typer(subcommand_metavar="")

_PROBLEMS = (
    *(SettingsError, ArchivesFileError, PseudonymKeysError, CannotListen, ArchiveError),
    *(EmbeddedPostgresError, MigrationError, DatabaseUnreachable),
)


@app.callback(invoke_without_command=True)
def serve(
    host: Annotated[
        str | None, typer.Option(help="address to listen on; loopback only (ERNFED_HOST, 127.0.0.1)")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="port to listen on; 0 takes a free one (ERNFED_PORT, 8000)")
    ] = None,
    worker: Annotated[
        bool,
        typer.Option("--worker/--no-worker", help="also work on what is due, as `ernfed index watch` does"),
    ] = False,
) -> None:
    """Serves the API until Ctrl-C or SIGTERM."""
    configure_logging("info")
    try:
        settings = load_settings(host=host, port=port)
        configure_logging(settings.log_level)
        refuse_strangers(settings)
        sock = listen(settings.host, settings.port)
        with sock:
            run_until_stopped(serve_on(sock, settings, _announce, worker=worker))
    except _PROBLEMS as error:
        tell_problem("serve", error, logged=True)
        raise typer.Exit(1) from None


def refuse_strangers(settings: Settings) -> None:
    """Raises SettingsError for an address that others can reach where nobody is asked who they are."""
    if provider_of(settings) is None and not is_loopback(settings.host):
        raise SettingsError(
            f"ERNFED_HOST: {settings.host} can be reached by others, and without ERNFED_AUTH_ISSUER everyone "
            "there would see every patient. Listen on 127.0.0.1."
        )


async def serve_on(
    sock: socket.socket,
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
    from api.document.rules import rules_of
    from cli.identity import identity_of
    from cli.runtime import opened, opened_audit, opened_limit
    from resolvers.context import Context, Services
    from resolvers.schema import schema

    allowed = rules_of(settings, schema)
    proxies, scraper = trusted_proxies(settings), metrics_token(settings)
    async with (
        opened(settings, settings.statement_timeout) as runtime,
        opened_audit(settings, runtime.database_url) as audit,
        opened_limit(settings, runtime.database) as limit,
        runtime.following(),
        runtime.indexing_attributes(),
        working(runtime, wanted=worker),
    ):
        services = await Services.open(
            runtime.database, runtime.archives, runtime.settings, runtime.live.rules
        )
        runtime.live.ruled.append(services.follow)
        runtime.live.told.append(services.directory.refresh)
        services.directory.follow = runtime.live.look

        identity, routes = await identity_of(
            settings, runtime.database, services, lambda: runtime.live.rules, issuer
        )

        async def context(request: Connection) -> Context:
            viewer_now = functools.partial(viewer_of_request, request)
            return Context.for_request(services, viewer_now(), viewer_now)

        try:
            ready = functools.partial(problems, runtime.database)
            is_private = issuer is not None or settings.auth_issuer is None
            hosts = LOOPBACK_NAMES | {settings.host} | public_host(settings) if is_private else None
            limiter = limit.take if limit else None
            app = create_app(
                schema,
                context,
                identity=identity,
                readiness=ready,
                hosts=hosts,
                audit=audit,
                limiter=limiter,
                rules=allowed,
                archives=runtime.archives,
                jobs=functools.partial(_jobs, runtime),
                file_is_good=lambda: runtime.live.problem is None,
                request_timeout=settings.request_timeout,
                routes=routes,
                operations_per_socket=settings.operations_per_socket,
                operations_at_once=settings.operations_at_once,
                send_patience=2 * settings.slow_reader_seconds,
                proxies=proxies,
                scraper=scraper,
            )
            services.subscribers.listener.start()

            limits = Limits(settings.receive_timeout, settings.connections_per_address)

            async def stopping() -> None:
                services.subscribers.stop()
                await app.state.going_away()

            async with scraped(app.state.scraped, metrics_address(settings)):
                await run_server(
                    app, sock, started=started, max_message=allowed.max_body, limits=limits, stopping=stopping
                )
        finally:
            await services.close()


async def _jobs(runtime: "Opened") -> dict[str, JobState]:
    states = await job_states(runtime.database)
    return {code: states[each] for code, each in runtime.archive_ids.items() if each in states}


@asynccontextmanager
async def scraped(app: "ASGIApp", address: tuple[str, int] | None) -> AsyncIterator[None]:
    """The metrics on an address of their own, where there is one, while the block runs. Raises CannotListen."""
    if address is None:
        yield
        return
    with listen(*address) as sock:
        task = asyncio.create_task(run_server(app, sock, started=lambda _url: None))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def working(runtime: "Opened", *, wanted: bool) -> AsyncIterator[None]:
    """A worker beside the server while the block runs, on connections whose statements may take their time."""
    if not wanted:
        yield
        return
    from indexer.worker import Worker

    database = await Database.open(runtime.database_url, max_size=runtime.settings.write_pool_size)
    database.after_write = runtime.database.after_write
    stop = asyncio.Event()
    task = asyncio.create_task(Worker(database, runtime.archives.get).keep_running(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(task, return_exceptions=True)
        await database.close()


def _announce(url: str) -> None:
    typer.echo(f"ernfed serves {url}/ (the API: {url}/graphql). Stop it with Ctrl-C.")
