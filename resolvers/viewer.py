"""Who is asking, and what each ERN lets them see."""

import strawberry

from access import scope
from access.scope import AccessLevel
from resolvers.descriptions import described


@strawberry.type(description="What one ERN lets the viewer see and do.")
class Grant:
    ern: str = described("Code of the European Reference Network.")
    access: AccessLevel = described("What of its records.")
    verbs: list[str] = described("What else: annotate, upload, export, admin.")


@strawberry.type(description="Who is asking.")
class Viewer:
    subject: str = described("Stable identifier of the person; `local` on a server without an issuer.")
    name: str | None = described("Name for people.")
    grants: list[Grant] = described("What each ERN lets them see; an ERN that is not here: NONE.")


def viewer_of(viewer: scope.Viewer) -> Viewer:
    """The GraphQL type of the person who asks."""
    grants = [Grant(ern=g.ern, access=g.access, verbs=list(g.verbs)) for g in viewer.grants]
    return Viewer(subject=viewer.subject, name=viewer.name, grants=grants)
