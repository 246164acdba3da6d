"""Which archives statistics ask: those that are counted exactly, and those of which small numbers are hidden."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from access.identifying import identifying_tests
from access.scope import AccessScope, ScopedArchive
from model.filters import Condition
from reads.list_query import named_archives


@dataclass(frozen=True, slots=True)
class StatsScope:
    """The archives that a query asks: `open` are counted exactly, of `counted` small numbers are hidden. `listed`:
    those of `counted` whose records the viewer may list behind pseudonyms."""

    open: tuple[ScopedArchive, ...]
    counted: tuple[ScopedArchive, ...] = ()
    listed: tuple[ScopedArchive, ...] = ()
    # in which a cohort of the filter cannot be read
    outside: tuple[ScopedArchive, ...] = ()

    @property
    def asked(self) -> tuple[ScopedArchive, ...]:
        return (*self.open, *self.counted, *self.outside)

    def without(self, outside: frozenset[int]) -> "StatsScope":
        """The same but for open archives that are not asked after all."""
        left = tuple(each for each in self.open if each.archive_id not in outside)
        left_out = tuple(each for each in self.open if each.archive_id in outside)
        return replace(self, open=left, outside=left_out)

    def skipped_for(self, condition: Condition) -> tuple[ScopedArchive, ...]:
        """Archives that this condition must not be evaluated over: it looks at what identifies."""
        return self.counted if self.counted and identifying_tests(condition) else ()


def stats_scope(access_scope: AccessScope, codes: Sequence[str] | None) -> StatsScope:
    """The two groups of what a viewer may ask. Raises NotFound for an archive that they cannot name.

    Pseudonymised archives are only counted: exact counts of real values would undo the pseudonyms. But how many
    nodes a list of them has, lists tell exactly, and so do statistics (Statistics.own).
    """
    named = named_archives(access_scope, codes)

    def asked(archives: Sequence[ScopedArchive]) -> tuple[ScopedArchive, ...]:
        return tuple(archive for archive in archives if named is None or archive.code in named)

    listed = asked(access_scope.pseudonyms.visible)
    return StatsScope(asked(access_scope.records.visible), (*listed, *asked(access_scope.counted)), listed)
