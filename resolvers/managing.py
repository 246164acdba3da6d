"""What administrators do with archives: asking for a look at one."""

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from access.scope import ScopedArchive
from db.jobs import JobKind, ask_for
from model.errors import Forbidden
from resolvers.archive import Archive, archive_of
from resolvers.question import named_archives

if TYPE_CHECKING:
    from resolvers.context import Context


def _describe(description: str) -> Any:
    return strawberry.field(description=description)


@strawberry.type(description="What became of a request to look at an archive.")
class RefreshRequest:
    accepted: bool = _describe("False when the same request waits, or is being done, already.")
    archive: Annotated["Archive", strawberry.lazy("resolvers.archive")] = _describe(
        "The archive; `index` tells how the run goes."
    )


async def refresh(context: "Context", code: str, *, reconcile: bool) -> RefreshRequest:
    """Raises NotFound for an archive that the viewer cannot see, else Forbidden for one where the viewer does
    not administrate."""
    archive = administrated(context, code)
    kind = JobKind.RECONCILE if reconcile else JobKind.SYNC
    accepted = await ask_for(context.services.owner, code, kind)
    context.touched.asked([archive.archive_id])
    row = (await context.archives())[archive.archive_id]
    return RefreshRequest(accepted=accepted, archive=archive_of(context, row))


def administrated(context: "Context", code: str) -> ScopedArchive:
    """An archive that the viewer sees anything of, and administrates."""
    named_archives(context.reach, [code])
    archive = next(each for each in context.reach.archives if each.code == code)
    require_admin(context, archive.ern)
    return archive


def require_admin(context: "Context", ern: str) -> None:
    """Raises Forbidden where the viewer has no verb admin for this ERN."""
    if not any(grant.ern == ern and "admin" in grant.verbs for grant in context.viewer.grants):
        raise Forbidden("This is for people with the verb admin for the archive's ERN.")
