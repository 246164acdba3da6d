"""The `info` argument of resolvers, typed with ernfed's context."""

from typing import TYPE_CHECKING

import strawberry

if TYPE_CHECKING:
    from resolvers.context import Context

    Info = strawberry.Info[Context, None]
else:
    Info = strawberry.Info
