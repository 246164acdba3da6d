"""What opens a record in a viewer of images, or why nothing does."""

from enum import Enum
from typing import Any

import strawberry

from access.scope import Projection
from config.viewer import ViewerLinks
from db.pool import Row
from model.attributes import Level
from resolvers.context import Info
from resolvers.records.level_node import LevelNode


@strawberry.enum(description="Why a record cannot be opened in a viewer of images.")
class ViewerUnavailable(Enum):
    NOT_INSTALLED = strawberry.enum_value("NOT_INSTALLED", description="This server has no viewer.")
    NO_PIXELS = strawberry.enum_value(
        "NO_PIXELS",
        description="You see the record pseudonymised: its pixels, in which names may stand, are not shown.",
    )


def _links(info: Info, row: Row) -> ViewerLinks | ViewerUnavailable:
    if Projection(row["projection"]) is not Projection.IDENTIFIED:
        return ViewerUnavailable.NO_PIXELS
    return info.context.services.viewer_links or ViewerUnavailable.NOT_INSTALLED


def viewer_url(level: Level) -> Any:
    """The field of a study or series."""

    def resolve(root: LevelNode, info: Info) -> str | None:
        links = _links(info, root.row)
        return None if isinstance(links, ViewerUnavailable) else links.to(*root.key)

    return strawberry.field(
        resolve,
        description=f"Opens this {level.value} in a viewer of images: a path of this server, or an address of the "
        "viewer that it is set up with. Null where `viewerUnavailable` says why.",
    )


def viewer_unavailable() -> Any:
    def resolve(root: LevelNode, info: Info) -> ViewerUnavailable | None:
        links = _links(info, root.row)
        return links if isinstance(links, ViewerUnavailable) else None

    return strawberry.field(resolve, description="Why `viewerUrl` is null; null where it is not.")
