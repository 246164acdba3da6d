"""`/export/studies.csv` and its like: a whole list as a file, page by page, in constant memory.

Each page is an operation of the served schema, so an export shows what a query would, is limited as one, and
leaves an audit line for each page before that page leaves: by them `setConsent` lists earlier exports.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from strawberry import Schema

from access.audit import EXPORT_PATH
from access.scope import AccessLevel, Viewer
from api.admission.admission import Admission
from api.admission.leaving import ClosedStream
from api.document.rules import Permit, permit
from api.export.rows import MEDIA_TYPES, file_of
from api.export.table import COLUMNS
from api.export.wanted import WantedExport, of_body, of_query, wanted_of
from api.graphql.answers import refusal
from api.graphql.media_types import require_json
from api.graphql.request_data import body_of
from api.identity.auth import seconds_left, shows_token
from api.identity.cross_site import refuse_elsewhere
from model.errors import Forbidden
from resolvers.context import Context

VERB: Final = "export"
EXPORTS: Final = {(of, form): f"{EXPORT_PATH}{of}.{form}" for of in COLUMNS for form in MEDIA_TYPES}
"""What is exported in which format → the path."""
_WHOLE: Final = frozenset({"CACHED", "LIVE"})
_PIECE: Final = 64 * 1024
"""Bytes that are handed to a connection at a time: who takes none of them for long reads nothing."""


class ExportCutShort(Exception):
    """A page failed when others were on their way: the connection is closed, so that nobody takes a part for all."""


def export_routes(schema: Schema, admission: Admission) -> list[Route]:
    """One for each table and format. schema: the served one."""

    def route(of: str, form: str, path: str) -> Route:
        async def serve(request: Request) -> Response:
            return await _export(schema, admission, request, of, form)

        found = Route(path, serve, methods=["GET", "POST"])
        found.methods = {"GET", "POST"}  # a HEAD would be a whole export that nobody is sent
        return found

    return [route(of, form, path) for (of, form), path in EXPORTS.items()]


async def _export(schema: Schema, admission: Admission, request: Request, of: str, form: str) -> Response:
    context: Context = await admission.enter(request)
    viewer = exporting(context.viewer)
    wanted = wanted_of(await _members(request, admission.rules.max_body), of, form)
    permit.set(Permit(any_document=True))  # the document is ours, whatever clients may send
    pages = _Pages(schema, context, viewer, wanted)
    first = await pages.read(None)
    if first.data is None or first.errors:
        raise refusal(first)
    parts = pages.parts(first, lambda: seconds_left(request) != 0.0 and context.still_holds())
    named = {
        "Content-Disposition": f'attachment; filename="{of}.{form}"',
        "Content-Type": MEDIA_TYPES[form],
    }
    return ClosedStream(_pieces(parts), headers=_headers(first.data) | named)


async def _members(request: Request, most_bytes: int) -> Any:
    """What a request asks for, not yet looked at. Raises HttpProblem."""
    if request.method == "GET":
        if not shows_token(request):
            refuse_elsewhere(request)
        return of_query(request.query_params, len(request.scope["query_string"]))
    require_json(request.headers.get("content-type"))
    return of_body(await body_of(request, most_bytes))


async def _pieces(parts: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    """The same bytes, not too many at a time."""
    async with aclosing(parts):
        async for part in parts:
            for at in range(0, len(part), _PIECE):
                yield part[at : at + _PIECE]


@dataclass(frozen=True, slots=True)
class _Pages:
    """The pages of one export."""

    schema: Schema
    context: Context
    viewer: Viewer
    wanted: WantedExport

    async def read(self, after: str | None) -> Any:
        """The page after a cursor, as the result of an operation."""
        return await self.schema.execute(
            self.wanted.table.document(),
            variable_values=self.wanted.variables | {"after": after, "opening": after is None},
            # Another context for each page, so that no loader remembers the whole list.
            context_value=Context.for_request(self.context.services, self.viewer),
            operation_name="Export",
        )

    async def parts(self, first: Any, may_go_on: Callable[[], bool]) -> AsyncGenerator[bytes, None]:
        """The file in pieces. Raises ExportCutShort."""
        table, result = self.wanted.table, first
        file = file_of(self.wanted.columns, self.wanted.form)
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


def _headers(answer: Any) -> dict[str, str]:
    """What the list is worth, since a file of rows cannot say what it lacks: also in the columns that are attributes.

    An archive that a list leaves out because of what it asks for is not left out of columns.
    """
    page, held = answer["page"], answer.get("held") or {"sources": ()}
    states = {source["archive"]["code"]: source["state"] for source in page["sources"]}
    lacking = {s["archive"]["code"] for s in held["sources"] if s["state"] == "PARTIAL"}
    states |= {code: "PARTIAL" for code in lacking if states.get(code) in _WHOLE}
    return {
        "X-Ernfed-Total-Count": str(page["totalCount"]),
        "X-Ernfed-Complete": "true" if page["complete"] and not lacking else "false",
        "X-Ernfed-Sources": ", ".join(f"{code}={state}" for code, state in states.items()),
    }
