"""How many nodes lists have behind pseudonyms: what a viewer may list exactly, statistics may count exactly."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from access.scope import Scope, ScopedArchive
from db.lists import nodes
from db.lists.listing import Listing
from db.pool import Reader
from db.statistics.facets import Facet
from model.attributes import Level
from model.filters import Condition
from reads.counts import Counts, counted
from refresh.single_flight import SingleFlight


@dataclass(slots=True)
class PseudonymCounts:
    """Counts of a list with this scope and condition, by the statement that counts lists; each is asked once."""

    database: Reader
    scope: Scope
    level: Level
    condition: Condition
    _counts: SingleFlight[tuple[ScopedArchive, ...], Counts] = field(
        default_factory=lambda: SingleFlight(remembers=True)
    )

    async def counts(self) -> Counts:
        """In all, and by archive_id."""
        return await self._of(self.scope.asked)

    async def by_value(self, facet: Facet) -> dict[str, int]:
        """By archive or by ERN: a node counts in each whose archives hold it."""
        groups: dict[str, list[ScopedArchive]] = {}
        for each in self.scope.asked:
            groups.setdefault(value_of(each, facet), []).append(each)
        matched = (await self.counts()).matched
        return {
            value: (matched.get(archives[0].archive_id) or 0)
            if len(archives) == 1
            else (await self._of(archives)).total
            for value, archives in groups.items()
        }

    async def _of(self, archives: Sequence[ScopedArchive]) -> Counts:
        key = tuple(archives)

        async def read() -> Counts:
            listing = Listing((replace(self.scope, asked=key),), self.level, self.condition)
            return counted(await nodes.counts(self.database, listing))

        return await self._counts.shared(key, read)


def value_of(archive: ScopedArchive, facet: Facet) -> str:
    """The value of an archive in the facet ARCHIVE, or ERN."""
    return archive.code if facet is Facet.ARCHIVE else archive.ern
