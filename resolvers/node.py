"""The Node interface (Relay object identification)."""

import strawberry


@strawberry.interface(description="An object that `node` can find again by its id.")
class Node:
    @strawberry.field(description="Global id.")
    def id(self) -> strawberry.ID:
        raise TypeError("every node type has its own id")
