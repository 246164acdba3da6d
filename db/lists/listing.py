"""What a list asks, and which page of it: immutable and free of SQL. Statements of it: pages.py and counts.py."""

from dataclasses import dataclass

from access.scope import Scope
from db.lists.orders import Order, Sort, order_of
from model.attributes import Level
from model.broad import hints
from model.cursors import Position
from model.filters import Condition


@dataclass(frozen=True, slots=True)
class Window:
    """Which rows of an order: `limit` of them beyond `position`, towards the end or the beginning."""

    limit: int
    position: Position | None = None
    backward: bool = False
    inclusive: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """Nodes at a level that match, in an order, within the scopes of a viewer: one a projection."""

    scopes: tuple[Scope, ...]
    level: Level
    condition: Condition
    sorts: tuple[Sort, ...] = ()

    @property
    def order(self) -> Order:
        """The order of the pages; its signature is what cursors are bound to. Raises BadInput."""
        return order_of(self.level, self.sorts, self.condition)

    @property
    def hints(self) -> list[str]:
        """What to do about a filter that may read a large index from end to end; [] where it cannot."""
        return hints(self.condition)
