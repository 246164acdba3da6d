"""The application: which path is answered by what. Who asks and what they see is the context's matter."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Route
from strawberry import Schema

from api.admission.admission import Admission, ContextFactory, Limiter
from api.admission.gate import Gate
from api.admission.trail import Trail
from api.admission.turns import Turns
from api.dicomweb.routes import dicomweb_routes
from api.document.introspection import OFF, Introspection, may_introspect, words
from api.document.rules import Rules
from api.export.endpoint import export_routes
from api.graphql.endpoint import GraphQLEndpoint
from api.graphql.guard import guarded
from api.graphql.sdl import sdl
from api.graphql.websocket import Sockets
from api.health import Readiness, live, ready
from api.identity.auth import Identity
from api.logging import log_exception
from api.metrics import CONTENT_TYPE, Metrics
from api.middleware import EveryRequest
from api.problems import HttpProblem, code_of, problem
from api.proxies import Forwarded
from api.routes import AskingRoute, OpenRoute, ScrapedRoute
from api.viewer.routes import viewer_routes
from archives.client import ArchiveClient
from config.surroundings import Network
from db.audit.log import AuditLog
from db.indexing.jobs import JobState

Jobs = Callable[[], Awaitable[Mapping[str, JobState]]]
Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]

_STATIC = Path(__file__).parent / "static"
_ASSETS = {
    "/static/index.js": ("index.js", "text/javascript"),
    "/static/index.css": ("index.css", "text/css"),
    "/static/icon.svg": ("icon.svg", "image/svg+xml"),
    "/static/examples.graphql": ("examples.graphql", "text/plain; charset=utf-8"),
}
_WORDS = {404: "There is nothing at this path.", 405: "This path does not take that method."}


def create_app(
    schema: Schema,
    context_factory: ContextFactory,
    *,
    identity: Identity | None = None,
    readiness: Readiness,
    lifespan: Lifespan | None = None,
    request_timeout: float = 60.0,
    hosts: frozenset[str] | None = None,
    operations_per_socket: int = 20,
    operations_at_once: int = 0,
    send_patience: float = 60.0,
    audit: AuditLog | None = None,
    limiter: Limiter | None = None,
    rules: Rules | None = None,
    archives: Iterable[ArchiveClient] = (),
    jobs: Jobs | None = None,
    file_is_good: Callable[[], bool] = lambda: True,
    routes: tuple[BaseRoute, ...] = (),
    proxies: Sequence[Network] = (),
    scraper: str | None = None,
    viewer: Path | None = None,
) -> Starlette:
    """The ASGI application; `routes` are further ones of the caller, closed unless they say otherwise (api/routes.py).

    identity: says who is asking, and lets nobody else in (api/admission/gate.py); None asks nobody.
    context_factory: makes the context of one request; may raise model.errors.InputError (400, 403).
    request_timeout: seconds until an answer must have begun.
    hosts: names in the Host header that are answered (421 to others); None for every name.
    operations_at_once: how many queries and mutations of one person run at once, the others wait; 0: any number.
    operations_per_socket: how many may be open on one WebSocket. Who asks there is said by connection_init, and
        each operation has a context of its own (api/graphql/websocket.py).
    send_patience: seconds after which a stream whose client takes nothing is cut off.
    audit: where every operation leaves its line before it is answered; None only where no patient is.
    limiter: how long a person must wait for their next request (429).
    rules: what requests may ask for; None for the defaults.
    archives: those that /metrics tells of. jobs: how the index keeps up with each, by code.
        file_is_good: whether the file of archives can be used.
    proxies: addresses whose X-Forwarded-… headers are believed. scraper: a token that opens /metrics and nothing else.
    viewer: folder of the built viewer.
    The application's `state.scraped` is another one, that answers /metrics to everybody.
    """
    rules = rules or Rules()
    metrics, trail = Metrics(archives, file_is_good), Trail(audit, known=rules.persisted.names)
    served = guarded(schema, metrics, trail, rules)
    admission = Admission(
        context_factory,
        identity,
        trail,
        limiter,
        rules,
        Turns(operations_at_once),
        scraper=scraper,
        patience=send_patience,
    )
    table: list[BaseRoute] = [
        Route("/graphql", GraphQLEndpoint(served, admission)),
        AskingRoute("/graphql", sockets := Sockets(served, admission, operations_per_socket)),
        OpenRoute("/livez", live),
        OpenRoute("/readyz", ready(readiness)),
        told := ScrapedRoute("/metrics", _metrics(metrics, jobs)),
        Route("/schema.graphql", _schema_text(partial(sdl, schema), rules.introspection)),
        *export_routes(served, admission),
        *dicomweb_routes(served, admission),
        OpenRoute("/", _page(can_sign_in=identity is not None and identity.can_sign_in)),
        *(_asset(path, *asset) for path, asset in _ASSETS.items()),
        *viewer_routes(viewer, identity),
        *routes,
    ]
    app = Starlette(
        routes=table,
        lifespan=lifespan,
        middleware=[
            *([Middleware(Forwarded, trusted=proxies)] if proxies else []),
            Middleware(EveryRequest, metrics=metrics, hosts=hosts),
            Middleware(Gate, admission=admission, routes=table, timeout=request_timeout),
        ],
        exception_handlers={HTTPException: _http_exception},
    )
    app.state.going_away = sockets.going_away
    app.state.scraped = Starlette(routes=[told])
    app.router.redirect_slashes = False  # /graphql/ is a 404, not a 307
    return app


def _metrics(metrics: Metrics, jobs: Jobs | None) -> Callable[[Request], Awaitable[Response]]:
    async def serve(_request: Request) -> Response:
        try:
            metrics.jobs = await jobs() if jobs is not None else {}
        except Exception as error:  # the database: what is not known is not told, the rest is
            log_exception("metrics.no_jobs", error)
            metrics.jobs = {}
        return Response(metrics.render(), media_type=CONTENT_TYPE)

    return serve


def _schema_text(text: Callable[[], str], rule: Introspection) -> Callable[[Request], Awaitable[Response]]:
    """Says what introspection says, to the same people."""

    async def serve(request: Request) -> Response:
        if not may_introspect(rule, request):
            raise HttpProblem(403, words(rule), code=OFF)
        return Response(text(), media_type="text/plain")

    return serve


def _page(*, can_sign_in: bool) -> Callable[[Request], Awaitable[Response]]:
    """The page at "/", which shows the way to sign in where there is one."""
    text = (_STATIC / "index.html").read_text(encoding="utf-8")
    if can_sign_in:
        text = text.replace("<body>", "<body data-sign-in>", 1)

    async def serve(_request: Request) -> Response:
        return HTMLResponse(text, headers={"Cache-Control": "no-cache"})

    return serve


def _asset(path: str, name: str, media_type: str) -> OpenRoute:
    async def serve(_request: Request) -> Response:
        return FileResponse(_STATIC / name, media_type=media_type, headers={"Cache-Control": "no-cache"})

    return OpenRoute(path, serve, name=name)


async def _http_exception(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    words = _WORDS.get(status, "This request is refused.")
    return problem(status, code_of(status), words, headers=headers)
