"""What belongs to many nodes, read for all of them at a time: one statement, or request of an archive, a batch.

A batch is a dict by the keys that were asked for; a key that is missing has no value.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from access.audit import Touched
from access.scope import Scope
from archives.errors import ArchiveError
from db.lists import gaps, nodes
from db.lists.listing import Listing, Window
from db.lists.nodes import Below
from db.lists.searched import Elements, in_series, in_studies
from db.pool import Reader, Row
from db.writing import consent
from model.attributes import Key, Level
from model.dicom_json import DataSet
from model.filters import EACH_VERSION, CohortTest, Condition
from model.paths import parse_path
from reads.children import ChildPage, Children
from reads.counts import Counts, counted
from reads.named_elements import NamedElement
from reads.searched import OfSeries, OfStudy, by_series, by_study
from refresh.live import Fresh
from refresh.on_demand import Failures, Missing, OnDemand
from refresh.single_flight import SingleFlight

Scopes = tuple[Scope, ...]
_IN_EACH = CohortTest("", EACH_VERSION)


@dataclass(frozen=True, slots=True)
class Batches:
    """Of one projection's nodes. touched: notes those that are shown."""

    database: Reader
    scope: Scope
    on_demand: OnDemand
    touched: Touched
    _fetched: SingleFlight[Missing, Failures] = field(default_factory=lambda: SingleFlight(remembers=True))

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

    async def children(self, wanted: Children, parents: list[Key]) -> dict[Key, ChildPage]:
        """By parent, rows of its children, in order, as they are indexed."""
        found = await self._below(wanted, parents)
        return {key: ChildPage(below.rows, below.holders) for key, below in found.items()}

    async def backfilled_children(self, wanted: Children, parents: list[Key]) -> dict[Key, ChildPage]:
        """The same, when what the index lacked of them was fetched: one statement where it lacked nothing."""
        found = await self._below(wanted, parents)
        missing = [
            Missing(archive_id, source_pk, key)
            for key, below in found.items()
            for archive_id, source_pk in below.lacking
        ]
        failures: Failures = {}
        if missing:
            failures = await self._fetch(wanted.parent, missing)
            found |= await self._below(wanted, [key for key in parents if found[key].lacking])
        return {
            key: ChildPage(below.rows, below.holders, failures.get(key, {})) for key, below in found.items()
        }

    async def _below(self, wanted: Children, parents: list[Key]) -> dict[Key, Below]:
        listing = wanted.listing(self.scope)
        return await nodes.page_by_parent(self.database, listing, parents, wanted.parent, wanted.window)

    async def _fetch(self, parent: Level, missing: Sequence[Missing]) -> Failures:
        """Each copy once a request, however many fields are about its children."""
        fetch = self.on_demand.series if parent is Level.STUDY else self.on_demand.instances
        if others := [copy for copy in missing if copy not in self._fetched]:
            self._fetched.start(others, fetch(others))
        failures: Failures = {}
        for found in (await self._fetched.results(missing)).values():
            failures |= found
        return failures

    async def child_counts(
        self, level: Level, parent: Level, condition: Condition, parents: list[Key]
    ) -> dict[Key, Counts]:
        """By parent, how many of its children match."""
        listing = Listing((self.scope,), level, condition)
        rows = await nodes.counts_by_parent(self.database, listing, parents, parent)
        return {key: counted(group) for key, group in grouped(rows, parent).items()}

    async def missing(self, parent: Level, fresh: Fresh, keys: list[Key]) -> Failures:
        """Asks for the children of these again in the archives that were asked just now, and for those that are not
        indexed: by parent, what could not be fetched, by archive."""
        reachable = set(fresh.reachable)
        rows = await gaps.parents_now(self.database, self.scope, parent, keys, list(reachable))
        wanted = [
            Missing.of(row, parent)
            for row in rows
            if row["archive_id"] in reachable or row["archive_id"] not in fresh.outcomes
        ]
        fetch = self.on_demand.series if parent is Level.STUDY else self.on_demand.instances
        return await fetch(wanted, fresh.within)

    async def gaps(self, levels: list[Level]) -> dict[Level, set[int]]:
        """Archives that hold copies at a level whose children are not indexed."""
        return {level: await gaps.archives_with_gaps(self.database, self.scope, level) for level in levels}

    async def unsearched(self, levels: list[Level]) -> dict[Level, set[int]]:
        """Archives where the index lacks some of what searches do not bring."""
        return {level: await gaps.archives_unsearched(self.database, self.scope, level) for level in levels}

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

    async def page(self, scopes: Scopes, window: Window, versions: list[str]) -> dict[str, list[Row]]:
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
