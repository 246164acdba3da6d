"""`POST /export/studies.csv` and its like: a whole list as a file, page by page, in constant memory.

Each page is an operation of the served schema, so an export shows what a query would, is limited as one, and
leaves an audit line for each page before that page leaves: by them `setConsent` lists earlier exports.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from strawberry import Schema

from access.scope import AccessLevel, Viewer
from api.audit import EXPORTS, asking, asking_of
from api.auth import seconds_left
from api.export_rows import COLUMNS, MEDIA_TYPES, Table, file_of
from api.graphql import GraphQLEndpoint
from api.media_types import require_json
from api.problems import HttpProblem, problem
from api.request_data import RequestToGraphQL
from api.rules import Permit, permit
from model.errors import Forbidden, InputError
from resolvers.context import Context

VERB: Final = "export"
MAX_ATTRIBUTES: Final = 30
_MEMBERS: Final = frozenset({"filter", "archives", "attributes"})
_STATUS: Final = {
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "AUDIT_UNAVAILABLE": 503,
    "TIMEOUT": 503,
    "INTERNAL": 500,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The body of a request, held against its form only: what it means the schema says."""

    table: Table
    form: str
    variables: dict[str, Any]


class ExportCutShort(Exception):
    """A page failed when others were on their way: the connection is closed, so that nobody takes a part for all."""


def export_routes(schema: Schema, endpoint: GraphQLEndpoint, most_bytes: int) -> list[Route]:
    """One for each table and format. schema: the served one, of which `endpoint` is the way in."""

    def route(of: str, form: str, path: str) -> Route:
        async def serve(request: Request) -> Response:
            asking.set(asking_of(request))
            try:
                return await _export(schema, endpoint, request, of, form, most_bytes)
            except InputError as refused:
                endpoint.trail.refused(refused.code)
                return problem(_STATUS.get(refused.code, 400), refused.code, refused.message)
            except HttpProblem as refused:
                if refused.status != 429:
                    endpoint.trail.refused(refused.code)
                return refused.response()

        return Route(path, serve, methods=["POST"])

    return [route(of, form, path) for (of, form), path in EXPORTS.items()]


async def _export(
    schema: Schema, endpoint: GraphQLEndpoint, request: Request, of: str, form: str, most_bytes: int
) -> Response:
    context: Context = await endpoint.get_context(request, Response())  # who asks, why, and how often
    viewer = exporting(context.viewer)
    require_json(request.headers.get("content-type"))
    wanted = wanted_of(await RequestToGraphQL(request).body_of(most_bytes), of, form)
    permit.set(Permit(any_document=True))  # the document is ours, whatever clients may send
    pages = _Pages(schema, context, viewer, wanted)
    first = await pages.read(None)
    if first.data is None or first.errors:
        return _refusal(first)
    return StreamingResponse(
        pages.parts(first, lambda: seconds_left(request) != 0.0 and context.still_holds()),
        headers=_headers(first.data["page"])
        | {
            "Content-Disposition": f'attachment; filename="{of}.{form}"',
            "Content-Type": MEDIA_TYPES[form],
        },
    )


@dataclass(frozen=True, slots=True)
class _Pages:
    """The pages of one export."""

    schema: Schema
    context: Context
    viewer: Viewer
    wanted: Wanted

    async def read(self, after: str | None) -> Any:
        """The page after a cursor, as the result of an operation."""
        return await self.schema.execute(
            self.wanted.table.document(),
            variable_values=self.wanted.variables | {"after": after, "opening": after is None},
            # Another context for each page, so that no loader remembers the whole list.
            context_value=Context.for_request(self.context.services, self.viewer),
            operation_name="Export",
        )

    async def parts(self, first: Any, may_go_on: Callable[[], bool]) -> AsyncIterator[bytes]:
        """The file in pieces. Raises ExportCutShort."""
        table, result = self.wanted.table, first
        file = file_of(table, self.wanted.form)
        yield file.head()
        while True:
            if result.data is None or result.errors or not may_go_on():
                raise ExportCutShort
            page = result.data["page"]
            # In a thread: to compress a row group would hold up everybody else.
            yield await asyncio.to_thread(file.rows, table.rows(page["nodes"]))
            if not page["pageInfo"]["hasNextPage"]:
                yield await asyncio.to_thread(file.tail)
                return
            result = await self.read(page["pageInfo"]["endCursor"])


def _refusal(result: Any) -> Response:
    """The first error of a page that nothing was sent of yet."""
    error = result.errors[0]
    code = str((error.extensions or {}).get("code", "INTERNAL"))
    return problem(_STATUS.get(code, 400), code, error.message)


def exporting(viewer: Viewer) -> Viewer:
    """The same person with those grants only that let them export. Raises Forbidden where none does."""
    grants = tuple(
        grant
        for grant in viewer.grants
        if VERB in grant.verbs and grant.access in (AccessLevel.PSEUDONYMISED, AccessLevel.FULL)
    )
    if not grants:
        raise Forbidden(
            "Exports need the verb export, and pseudonymised or full access, for at least one ERN: "
            "`viewer { grants { ern access verbs } }` tells yours."
        )
    return replace(viewer, grants=grants)


def wanted_of(body: bytes, of: str, form: str) -> Wanted:
    """Raises HttpProblem 400 for a body of another form."""
    try:
        given = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError:
        raise HttpProblem(400, "The request is not valid JSON.") from None
    if not isinstance(given, dict) or not given.keys() <= _MEMBERS:
        raise HttpProblem(
            400, f"The request is a JSON object with the members {', '.join(sorted(_MEMBERS))}."
        )
    names = given.get("attributes") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise HttpProblem(400, "attributes: a list of keywords, tags (GGGGEEEE) or paths.")
    if len(names) > MAX_ATTRIBUTES:
        raise HttpProblem(400, f"attributes: at most {MAX_ATTRIBUTES}, got {len(names)}.")
    table = Table(of, tuple(dict.fromkeys(name for name in names if name not in COLUMNS[of])))
    told = {name: given.get(name) for name in ("filter", "archives")}
    return Wanted(table, form, told | table.variables())


def _headers(page: Any) -> dict[str, str]:
    """What the list is worth, since a file of rows cannot say what it lacks."""
    sources = ", ".join(f"{source['archive']['code']}={source['state']}" for source in page["sources"])
    return {
        "X-Ernfed-Total-Count": str(page["totalCount"]),
        "X-Ernfed-Complete": "true" if page["complete"] else "false",
        "X-Ernfed-Sources": sources,
    }
