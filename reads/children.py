"""Lists below a node: the children of a study or series, as a list of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from access.scope import Scope
from archives.errors import ArchiveError
from db.lists.listing import Listing, Window
from db.lists.orders import Sort
from db.pool import Row
from model.attributes import Level
from model.cursors import Cursors
from model.filters import Condition
from reads.page_arguments import PageArguments


@dataclass(frozen=True, slots=True)
class ChildPage:
    """Rows of one parent's children, the archives that hold the parent, and what of its children could not be fetched,
    by archive."""

    rows: Sequence[Row] = ()
    holders: frozenset[int] = frozenset()
    failures: Mapping[int, ArchiveError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Children:
    """Which children of a parent, in which order, which page of them. Hashable: it keys what is read for many."""

    level: Level
    parent: Level
    condition: Condition
    sorts: tuple[Sort, ...]
    window: Window

    @classmethod
    def of(
        cls,
        scope: Scope,
        cursors: Cursors,
        level: Level,
        condition: Condition,
        sorts: tuple[Sort, ...],
        page: PageArguments,
    ) -> "Children":
        """Series of a study, or instances of a series. Raises BadCursor and BadInput."""
        parent = Level.STUDY if level is Level.SERIES else Level.SERIES
        order = Listing((scope,), level, condition, sorts).order
        return cls(level, parent, condition, sorts, page.window(order, cursors))

    def listing(self, scope: Scope) -> Listing:
        return Listing((scope,), self.level, self.condition, self.sorts)
