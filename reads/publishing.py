"""Which buckets of statistics may be told, and how (access/small_counts.py)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from access.scope import ScopedArchive
from access.small_counts import Cell, Hidden, Policies, Policy, Published, publish
from db.statistics.facets import OF_ARCHIVES, Facet
from db.statistics.stats import Bucket


@dataclass(frozen=True, slots=True)
class ToldBucket:
    """One bucket as it may be told."""

    values: tuple[Any, ...]
    count: Published


@dataclass(frozen=True, slots=True)
class Publisher:
    """Tells counts by the strictest policy of the archives that are only counted. secret: may be empty without any."""

    counted: tuple[ScopedArchive, ...]
    policies: Policies
    secret: bytes

    def told(self, cell: Cell) -> Published:
        return publish(cell, self.policy(), self.secret)

    def policy(self, erns: Iterable[str] | None = None) -> Policy:
        return self.policies.strictest(erns if erns is not None else (each.ern for each in self.counted))

    def in_order(
        self, buckets: Iterable[Bucket], wanted: Iterable[Any], *, none: bool
    ) -> list[tuple[Any, Published]]:
        """(value, count) by value; those that are wanted also where they are empty, or few of what stays hidden:
        the two look the same. none: that of no value comes last."""
        found = {bucket.values[0]: bucket for bucket in buckets}
        nothing = Cell(0, Hidden() if self.counted else None)
        kept = {*wanted, *([None] if none else [])}
        for value in kept - found.keys():
            found[value] = Bucket((value,), nothing)
        if not none:
            found.pop(None, None)
        return [
            (value, count)
            for value in sorted(found, key=lambda each: (each is None, each))
            for _, count in self._published(found[value], (), keep=value in kept)
        ]

    def largest(self, buckets: Iterable[Bucket], facets: Sequence[Facet], first: int) -> list[ToldBucket]:
        told = [
            (rank, ToldBucket(bucket.values, count))
            for bucket in buckets
            for rank, count in self._published(bucket, facets)
        ]
        told.sort(key=lambda each: (-each[0], [(value is None, value or "") for value in each[1].values]))
        return [each for _, each in told[:first]]

    def _published(
        self, bucket: Bucket, facets: Sequence[Facet], *, keep: bool = False
    ) -> Iterable[tuple[int, Published]]:
        """The bucket's rank and count; nothing for a value that only hidden records have, and few of them, unless it
        is to be kept because it is known without them."""
        cell, policy = bucket.cell, self.policy()
        named = [value for value, each in zip(bucket.values, facets, strict=False) if each in OF_ARCHIVES]
        if named:
            owners = [each for each in self.counted if each.code in named or each.ern in named]
            policy = self.policy(each.ern for each in owners)
            cell = cell if owners else Cell(cell.visible)
        count = publish(cell, policy, self.secret)
        if count.suppressed and not cell.visible and not keep and not (len(facets) == 1 and named):
            return
        yield (cell.visible if count.value is None else count.value), count

    def with_hidden_archives(self, buckets: list[Bucket], facet: Facet) -> list[Bucket]:
        """With a bucket for each counted archive or ERN: that it is asked is known, what it holds is not."""
        names = {each.code if facet is Facet.ARCHIVE else each.ern: each for each in self.counted}
        found = {bucket.values[0] for bucket in buckets}
        return [*buckets, *(Bucket((name,), Cell(0, Hidden())) for name in names if name not in found)]
