"""One request: who asks, of which archives, and the operations of the schema that answer it.

What may be seen, what it costs, and its line in the audit trail are those of a query (api/graphql).
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Asked:
    """archive: the code of the only one that is asked, as the path names it. root: the URL that the path begins
    with."""

    schema: Schema
    admission: Admission
    request: Request
    context: Context
    archive: str | None
    root: str

    @classmethod
    async def of(cls, schema: Schema, admission: Admission, request: Request) -> "Asked":
        """Raises HttpProblem, InputError."""
        if not shows_token(request):
            refuse_elsewhere(
                request
            )  # else a page elsewhere learns by what fails to load which study is there
        context: Context = await admission.enter(request)
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
        self.context.warnings.update(context.warnings)
        return result.data

    @property
    def archives(self) -> list[str] | None:
        return None if self.archive is None else [self.archive]
