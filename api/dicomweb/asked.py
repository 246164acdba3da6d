"""One request: who asks, of which archives, and the operations of the schema that answer it.

What may be seen, what it costs, and its line in the audit trail are those of a query (api/graphql).
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.requests import Request
from strawberry import Schema

from api.admission.admission import Admission
from api.admission.leaving import unless_gone
from api.document.rules import Permit, permit
from api.graphql.answers import refusal
from api.identity.auth import shows_token
from api.identity.cross_site import refuse_elsewhere
from resolvers.context import Context

BELOW_ARCHIVE: Final = "/archives/{code}/dicom-web"
ROOT: Final = "/dicom-web"
WHOLE: Final = frozenset({"CACHED", "LIVE"})
"""States of an archive of which nothing is missing."""
NOT_COMPLETE: Final = "Not complete: {}. `sources` of the same list at /graphql says why."

_UNASKED: Final = frozenset({"FORBIDDEN", "IDENTIFYING_FILTER", "NOT_IN_COHORT"})
"""Warnings of archives that are not asked, whoever can be."""


@dataclass(frozen=True, slots=True)
class WebRequest:
    """archive: the code of the only one that is asked, as the path names it. root: the URL that the path begins
    with."""

    schema: Schema
    admission: Admission
    request: Request
    context: Context
    archive: str | None
    root: str
    lacking: set[str] = field(default_factory=set)
    """Archives that may hold more than is known of."""
    failed: set[str] = field(default_factory=set)
    """Codes of what kept an operation from telling all: an archive that could not be asked."""

    @classmethod
    async def of(cls, schema: Schema, admission: Admission, request: Request, weight: float) -> "WebRequest":
        """weight: as how many requests it counts. Raises HttpProblem, InputError."""
        if not shows_token(request):
            refuse_elsewhere(request)  # else a page there learns from what loads and what fails what is here
        context: Context = await admission.enter(request, weight)
        archive = request.path_params.get("code")
        path = ROOT if archive is None else BELOW_ARCHIVE.format(code=archive)
        return cls(schema, admission, request, context, archive, f"{str(request.base_url).rstrip('/')}{path}")

    async def run(self, document: str, variables: Mapping[str, Any]) -> Any:
        """The data of an operation, for a client that is there. Raises HttpProblem for its first error."""
        permit.set(Permit(any_document=True))  # the document is ours, whatever clients may send
        # Another context for each operation, so that no loader remembers the whole answer.
        context = Context.for_request(self.context.services, self.context.viewer)
        async with AsyncExitStack() as until_answered:
            self.admission.takes_turns(self.request, self.context, until_answered)
            work = self.schema.execute(document, variable_values=dict(variables), context_value=context)
            result: Any = await unless_gone(self.request.receive, work)
        if result.errors:
            raise refusal(result)
        self.failed.update(context.warnings.keys() - _UNASKED)
        return result.data

    def turn_to_stream(self) -> AbstractAsyncContextManager[None]:
        """While an answer is on its way."""
        return self.admission.turn_to_stream(self.request, self.context)

    def note(self, sources: Iterable[Mapping[str, Any]], codes: Sequence[str]) -> None:
        """Remembers those of some archives of which something may be missing."""
        states = {source["archive"]["code"]: source["state"] for source in sources}
        self.lacking.update(code for code in codes if states.get(code) not in WHOLE)

    def warning(self) -> dict[str, str]:
        """The header that says what may be missing."""
        return warned([NOT_COMPLETE.format(", ".join(sorted(self.lacking)))] if self.lacking else [])

    @property
    def archives(self) -> list[str] | None:
        return None if self.archive is None else [self.archive]


def warned(words: Sequence[str]) -> dict[str, str]:
    """Warnings 299 (PS3.18 8.3.4.4, RFC 7234 5.5): what a body has no place for."""
    return {"Warning": ", ".join(f'299 ernfed "{each}"' for each in words)} if words else {}
