"""Where a page stands in its list, whatever it is of."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Ends(Generic[T]):
    """A page and its ends. more: something follows in the direction that it was read in. other_way: whether something
    is on the other side. cursor: of an item."""

    items: Sequence[T]
    more: bool
    backward: bool
    other_way: Callable[[], Awaitable[bool]]
    cursor: Callable[[T], str]

    async def has_next(self) -> bool:
        return await self.other_way() if self.backward else self.more

    async def has_previous(self) -> bool:
        return self.more if self.backward else await self.other_way()

    def start(self) -> str | None:
        return self.cursor(self.items[0]) if self.items else None

    def end(self) -> str | None:
        return self.cursor(self.items[-1]) if self.items else None
