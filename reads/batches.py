"""What belongs to many nodes, read for all of them at a time: one statement, or request of an archive, a batch.

A batch is a dict by the keys that were asked for; a key that is missing has no value.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from access.audit import Touched
from access.scope import Scope
from archives.errors import ArchiveError
from db.lists import gaps, nodes
from db.lists.listing import Listing, Page
from db.lists.nodes import Row
from db.lists.searched import Elements, in_series, in_studies
from db.pool import Reader
from db.writing import consent
from model.attributes import Key, Level
from model.dicom_json import DataSet
from model.filters import EACH_VERSION, CohortTest, Condition
from model.paths import parse_path
from reads.children import Children
from reads.counts import Counts, counted
from reads.named_elements import NamedElement
from reads.searched import OfSeries, OfStudy, by_series, by_study
from refresh.live import Fresh
from refresh.on_demand import Failures, Missing, OnDemand

Scopes = tuple[Scope, ...]
_IN_EACH = CohortTest("", EACH_VERSION)


@dataclass(frozen=True, slots=True)
class Batches:
    """Of one projection's nodes. touched: notes those that are shown."""

    database: Reader
    scope: Scope
    on_demand: OnDemand
    touched: Touched

    async def nodes(self, level: Level, keys: list[Key]) -> dict[Key, Row | None]:
        rows = await nodes.by_key(self.database, self.scope, level, keys)
        self.touched.add(rows)
        return {nodes.key_of(row, level): row for row in rows}

    async def copies(self, level: Level, keys: list[Key]) -> dict[Key, list[Row]]:
        return grouped(await nodes.copies(self.database, self.scope, level, keys), level)

    async def data_sets(self, level: Level, keys: list[Key]) -> dict[Key, list[Row]]:
        return grouped(await nodes.data_sets(self.database, self.scope, level, keys), level)

    async def representatives(self, keys: list[Key]) -> dict[Key, list[Row]]:
        return grouped(await nodes.representatives(self.database, self.scope, keys), Level.SERIES)

    async def children(self, wanted: Children, parents: list[Key]) -> dict[Key, list[Row]]:
        """By parent, rows of its children, in order."""
        listing = wanted.listing(self.scope)
        rows = await nodes.page_by_parent(self.database, listing, parents, wanted.parent, wanted.window)
        return grouped(rows, wanted.parent)

    async def child_counts(
        self, level: Level, parent: Level, condition: Condition, parents: list[Key]
    ) -> dict[Key, Counts]:
        """By parent, how many of its children match."""
        listing = Listing((self.scope,), level, condition)
        rows = await nodes.counts_by_parent(self.database, listing, parents, parent)
        return {key: counted(group) for key, group in grouped(rows, parent).items()}

    async def missing(self, parent: Level, fresh: Fresh | None, keys: list[Key]) -> Failures:
        """Makes sure that the children of these are indexed: by parent, what could not be fetched, by archive. fresh:
        children that are there are asked for again in the archives that it asked."""
        rows: list[Row] = []
        if fresh is not None:
            rows = await gaps.parents_now(self.database, self.scope, parent, keys, fresh.reachable)
        lacking = await gaps.childless(self.database, self.scope, parent, keys)
        rows += [row for row in lacking if fresh is None or row["archive_id"] not in fresh.outcomes]
        fetch = self.on_demand.series if parent is Level.STUDY else self.on_demand.instances
        return await fetch([Missing.of(row, parent) for row in rows], fresh.within if fresh else None)

    async def gaps(self, levels: list[Level]) -> dict[Level, set[int]]:
        """Archives that hold copies at a level whose children are not indexed."""
        return {level: await gaps.archives_with_gaps(self.database, self.scope, level) for level in levels}

    async def whole_data_sets(self, keys: list[Key]) -> dict[Key, tuple[DataSet, ArchiveError | None]]:
        """Of instances, fetched from the archive where the index has only what a search said."""
        found = await gaps.series_of_instances(self.database, self.scope, keys)
        series_of = {nodes.key_of(row, Level.INSTANCE): Missing.of(row, Level.SERIES) for row in found}
        missing = {
            series_of[nodes.key_of(row, Level.INSTANCE)] for row in found if row["metadata_synced_at"] is None
        }
        failures = await self.on_demand.data_sets(sorted(missing, key=lambda copy: copy.source_pk))
        rows = await nodes.data_sets(self.database, self.scope, Level.INSTANCE, keys)
        return {
            key: (
                nodes.data_set(copies[0]),
                failures.get(series_of[key].key, {}).get(copies[0]["archive_id"]),
            )
            for key, copies in grouped(rows, Level.INSTANCE).items()
            if key in series_of
        }

    async def searched_in_series(self, keys: list[OfSeries]) -> dict[OfSeries, list[NamedElement]]:
        """One statement for all names and rows."""
        elements = Elements.of([parse_path(name) for name in dict.fromkeys(key[2] for key in keys)])
        series = list(dict.fromkeys((study, own) for study, own, _ in keys))
        return by_series(await in_series(self.database, self.scope, series, elements), keys)

    async def searched_in_studies(self, keys: list[OfStudy]) -> dict[OfStudy, list[NamedElement]]:
        elements = Elements.of([parse_path(name) for name in dict.fromkeys(key[1] for key in keys)])
        studies = list(dict.fromkeys(study for study, _ in keys))
        return by_study(await in_studies(self.database, self.scope, studies, elements), keys)

    async def consents(self, study_uids: list[str]) -> dict[str, Row | None]:
        rows = await consent.consents(self.database, self.scope, study_uids)
        return {row["uid"]: row for row in rows}


@dataclass(frozen=True, slots=True)
class VersionBatches:
    """Of the lists that versions of cohorts are."""

    database: Reader

    async def page(self, scopes: Scopes, window: Page, versions: list[str]) -> dict[str, list[Row]]:
        """By version, rows of its studies, in order."""
        listing = Listing(scopes, Level.STUDY, _IN_EACH)
        return _by_version(await nodes.page_by_version(self.database, listing, versions, window))

    async def counts(self, scopes: Scopes, versions: list[str]) -> dict[str, Counts]:
        """By version, how many studies it has."""
        listing = Listing(scopes, Level.STUDY, _IN_EACH)
        rows = await nodes.counts_by_version(self.database, listing, versions)
        return {version: counted(group) for version, group in _by_version(rows).items()}


def _by_version(rows: Sequence[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["parent"]].append(row)
    return groups


def grouped(rows: Sequence[Row], level: Level) -> dict[Key, list[Row]]:
    """Rows by the node at `level` that they are of or within."""
    groups: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        groups[nodes.key_of(row, level)].append(row)
    return groups
