"""A page as it is asked for: so many rows after or before a cursor."""

from dataclasses import dataclass

from db.lists.listing import Window
from db.lists.orders import Order
from model.cursors import Cursors


@dataclass(frozen=True, slots=True)
class PageArguments:
    """A page as asked: `size` rows after (or before) a cursor."""

    size: int
    cursor: str | None = None
    backward: bool = False

    def window(self, order: Order, cursors: Cursors) -> Window:
        """The page to read: one row more than asked, to know whether there is a next one."""
        position = cursors.open(order.signature, self.cursor) if self.cursor is not None else None
        return Window(self.size + 1, position, self.backward)
