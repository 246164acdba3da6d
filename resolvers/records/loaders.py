"""Dataloaders: built for each request and projection, one attribute each, named key and value.

A batch function returns a dict; `_in_order` puts it into the order of the keys, None (or the default) where
a key has no value.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from strawberry.dataloader import DataLoader

from access.audit import Touched
from access.scope import Scope
from archives.errors import ArchiveError
from db.lists import gaps, nodes
from db.lists.listing import Listing, Page
from db.lists.nodes import Row
from db.lists.orders import Sort
from db.lists.searched import Elements, in_series, in_studies
from db.pool import Reader
from db.writing import consent
from model.attributes import Key, Level
from model.cursors import Cursors
from model.dicom_json import DataSet
from model.filters import EACH_VERSION, CohortTest, Condition
from model.paths import parse_path
from refresh.live import Fresh
from refresh.on_demand import Failures, Missing, OnDemand
from resolvers.filters.arguments import PageArguments
from resolvers.records.searched import OfSeries, OfStudy, by_series, by_study
from resolvers.records.values import Attribute

Scopes = tuple[Scope, ...]
_IN_EACH = CohortTest("", EACH_VERSION)

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Counts:
    """Nodes of a list: in all, and in each archive (archive_id → nodes; None: may not be told)."""

    total: int
    matched: Mapping[int, int | None]


@dataclass(frozen=True, slots=True)
class Children:
    """Which children of a parent: what a nested connection's arguments say. Hashable: it keys a loader."""

    level: Level
    parent: Level
    condition: Condition
    sorts: tuple[Sort, ...]
    window: Page

    @classmethod
    def of(
        cls,
        scope: Scope,
        cursors: Cursors,
        level: Level,
        parent: Level,
        condition: Condition,
        sorts: tuple[Sort, ...],
        page: PageArguments,
    ) -> "Children":
        """The children that a field's arguments ask for. Raises BadCursor and BadInput."""
        order = Listing((scope,), level, condition, sorts).order
        return cls(level, parent, condition, sorts, page.window(order, cursors))

    def listing(self, scope: Scope) -> Listing:
        return Listing((scope,), self.level, self.condition, self.sorts)


class Loaders:
    """Every loader of one request over one projection's scope."""

    def __init__(self, database: Reader, scope: Scope, on_demand: OnDemand, touched: Touched) -> None:
        self._database = database
        self.scope = scope
        self._on_demand = on_demand
        self.touched = touched
        self.nodes = {level: self._nodes(level) for level in Level}
        self.copies = {level: self._copies(level) for level in Level}
        self.data_sets = {level: self._data_sets(level) for level in Level}
        self.representatives_by_series = _loader(self._representatives, list)
        self.searched_by_series = _loader(self._searched_in_series, list)
        self.searched_by_study = _loader(self._searched_in_studies, list)
        self.consent_by_study = _loader(self._consents, lambda: None)
        self.missing_by_study = _loader(self._fetch_series, dict)
        self.missing_by_series = _loader(self._fetch_instances, dict)
        self.whole_data_set_by_instance = _loader(self._whole_data_sets, lambda: ({}, None))
        self.gaps_by_level = _loader(self._gaps, set)
        self._pages: dict[Children, DataLoader[Key, list[Row]]] = {}
        self._counts: dict[tuple[Level, Level, Condition], DataLoader[Key, Counts]] = {}
        self._now: dict[tuple[Fresh, Level], DataLoader[Key, dict[int, ArchiveError]]] = {}

    def children(self, wanted: Children) -> DataLoader[Key, list[Row]]:
        """Parent → rows of its children, in order. One statement for all parents with these arguments."""
        if wanted not in self._pages:

            async def load(parents: list[Key]) -> dict[Key, list[Row]]:
                listing = wanted.listing(self.scope)
                rows = await nodes.page_by_parent(
                    self._database, listing, parents, wanted.parent, wanted.window
                )
                return _grouped(rows, wanted.parent)

            self._pages[wanted] = _loader(load, list)
        return self._pages[wanted]

    def child_counts(self, level: Level, parent: Level, condition: Condition) -> DataLoader[Key, Counts]:
        """Parent → how many of its children match."""
        key = (level, parent, condition)
        if key not in self._counts:

            async def load(parents: list[Key]) -> dict[Key, Counts]:
                listing = Listing((self.scope,), level, condition)
                rows = await nodes.counts_by_parent(self._database, listing, parents, parent)
                return {key: counted(group) for key, group in _grouped(rows, parent).items()}

            self._counts[key] = _loader(load, lambda: Counts(0, {}))
        return self._counts[key]

    def missing(self, parent: Level, fresh: Fresh | None) -> DataLoader[Key, dict[int, ArchiveError]]:
        """Parent → what of its children could not be fetched, by archive. fresh: children that are there
        are asked for again in the archives that it asked."""
        if fresh is None:
            return self.missing_by_study if parent is Level.STUDY else self.missing_by_series
        if (fresh, parent) not in self._now:

            async def load(keys: list[Key]) -> Failures:
                rows = await gaps.parents_now(self._database, self.scope, parent, keys, fresh.reachable)
                rows += [
                    row
                    for row in await gaps.childless(self._database, self.scope, parent, keys)
                    if row["archive_id"] not in fresh.outcomes
                ]
                fetch = self._on_demand.series if parent is Level.STUDY else self._on_demand.instances
                return await fetch([Missing.of(row, parent) for row in rows], fresh.within)

            self._now[fresh, parent] = _loader(load, dict)
        return self._now[fresh, parent]

    async def archives_holding(self, level: Level, key: Key) -> set[int]:
        """The visible archives that hold a copy of a study or series."""
        return {row["archive_id"] for row in await self.copies[level].load(key)}

    def _nodes(self, level: Level) -> DataLoader[Key, Row | None]:
        async def load(keys: list[Key]) -> dict[Key, Row | None]:
            rows = await nodes.by_key(self._database, self.scope, level, keys)
            self.touched.add(rows)
            return {nodes.key_of(row, level): row for row in rows}

        return _loader(load, lambda: None)

    def _copies(self, level: Level) -> DataLoader[Key, list[Row]]:
        async def load(keys: list[Key]) -> dict[Key, list[Row]]:
            return _grouped(await nodes.copies(self._database, self.scope, level, keys), level)

        return _loader(load, list)

    def _data_sets(self, level: Level) -> DataLoader[Key, list[Row]]:
        async def load(keys: list[Key]) -> dict[Key, list[Row]]:
            return _grouped(await nodes.data_sets(self._database, self.scope, level, keys), level)

        return _loader(load, list)

    async def _representatives(self, keys: list[Key]) -> dict[Key, list[Row]]:
        return _grouped(await nodes.representatives(self._database, self.scope, keys), Level.SERIES)

    async def _searched_in_series(self, keys: list[OfSeries]) -> dict[OfSeries, list[Attribute]]:
        """One statement for all names and rows."""
        elements = Elements.of([parse_path(name) for name in dict.fromkeys(key[2] for key in keys)])
        series = list(dict.fromkeys((study, own) for study, own, _ in keys))
        return by_series(await in_series(self._database, self.scope, series, elements), keys)

    async def _searched_in_studies(self, keys: list[OfStudy]) -> dict[OfStudy, list[Attribute]]:
        elements = Elements.of([parse_path(name) for name in dict.fromkeys(key[1] for key in keys)])
        studies = list(dict.fromkeys(study for study, _ in keys))
        return by_study(await in_studies(self._database, self.scope, studies, elements), keys)

    async def _consents(self, study_uids: list[str]) -> dict[str, Row | None]:
        rows = await consent.consents(self._database, self.scope, study_uids)
        return {row["uid"]: row for row in rows}

    async def _whole_data_sets(self, keys: list[Key]) -> dict[Key, tuple[DataSet, ArchiveError | None]]:
        """Whole data sets, fetched from the archive where the index has only what a search said."""
        found = await gaps.series_of_instances(self._database, self.scope, keys)
        series_of = {nodes.key_of(row, Level.INSTANCE): Missing.of(row, Level.SERIES) for row in found}
        missing = {
            series_of[nodes.key_of(row, Level.INSTANCE)] for row in found if row["metadata_synced_at"] is None
        }
        failures = await self._on_demand.data_sets(sorted(missing, key=lambda copy: copy.source_pk))
        rows = await nodes.data_sets(self._database, self.scope, Level.INSTANCE, keys)
        return {
            key: (
                nodes.data_set(copies[0]),
                failures.get(series_of[key].key, {}).get(copies[0]["archive_id"]),
            )
            for key, copies in _grouped(rows, Level.INSTANCE).items()
            if key in series_of
        }

    async def _gaps(self, levels: list[Level]) -> dict[Level, set[int]]:
        """Archives that hold copies at a level whose children are not indexed."""
        return {level: await gaps.archives_with_gaps(self._database, self.scope, level) for level in levels}

    async def _fetch_series(self, studies: list[Key]) -> Failures:
        """Makes sure that the series of these studies are indexed; what could not be fetched, by archive."""
        rows = await gaps.childless(self._database, self.scope, Level.STUDY, studies)
        return await self._on_demand.series([Missing.of(row, Level.STUDY) for row in rows])

    async def _fetch_instances(self, series: list[Key]) -> Failures:
        rows = await gaps.childless(self._database, self.scope, Level.SERIES, series)
        return await self._on_demand.instances([Missing.of(row, Level.SERIES) for row in rows])


def _by_version(rows: Sequence[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["parent"]].append(row)
    return groups


class VersionLists:
    """The studies of versions of cohorts, of one request: one statement for all versions that ask the same."""

    def __init__(self, database: Reader) -> None:
        self._database = database
        self._pages: dict[tuple[Scopes, Page], DataLoader[str, list[Row]]] = {}
        self._counts: dict[Scopes, DataLoader[str, Counts]] = {}

    def page(self, scopes: Scopes, window: Page) -> DataLoader[str, list[Row]]:
        """Version id → rows, in order."""
        if (scopes, window) not in self._pages:

            async def load(versions: list[str]) -> dict[str, list[Row]]:
                listing = Listing(scopes, Level.STUDY, _IN_EACH)
                rows = await nodes.page_by_version(self._database, listing, versions, window)
                return _by_version(rows)

            self._pages[scopes, window] = _loader(load, list)
        return self._pages[scopes, window]

    def counts(self, scopes: Scopes) -> DataLoader[str, Counts]:
        """Version id → how many studies it has."""
        if scopes not in self._counts:

            async def load(versions: list[str]) -> dict[str, Counts]:
                listing = Listing(scopes, Level.STUDY, _IN_EACH)
                rows = await nodes.counts_by_version(self._database, listing, versions)
                return {version: counted(group) for version, group in _by_version(rows).items()}

            self._counts[scopes] = _loader(load, lambda: Counts(0, {}))
        return self._counts[scopes]


def counted(rows: Sequence[Row]) -> Counts:
    """Counts from rows (archive_id, matched, nodes)."""
    matched: dict[int, int] = defaultdict(int)
    for row in rows:
        if row["archive_id"] is not None:
            matched[row["archive_id"]] += row["matched"]
    return Counts(sum(row["nodes"] for row in rows), dict(matched))


def _grouped(rows: Sequence[Row], level: Level) -> dict[Key, list[Row]]:
    """Rows by the node at `level` that they are of or within."""
    groups: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        groups[nodes.key_of(row, level)].append(row)
    return groups


class _InOrder(Generic[K, V]):
    """A batch function's dict → the list that DataLoader wants."""

    def __init__(self, load: Callable[[list[K]], Awaitable[dict[K, V]]], default: Callable[[], V]) -> None:
        self._load = load
        self._default = default

    async def __call__(self, keys: list[K]) -> list[V | BaseException]:
        found = await self._load(keys)
        return [found[key] if key in found else self._default() for key in keys]


class _Shared(DataLoader[K, V]):
    """Fields that wait for one key do not cancel each other: a failing field cancels those beside it, and a
    cancelled key would end the whole request without an answer."""

    def load(self, key: K) -> Awaitable[V]:
        return asyncio.shield(super().load(key))


def _loader(load: Callable[[list[K]], Awaitable[dict[K, V]]], default: Callable[[], V]) -> DataLoader[K, V]:
    return _Shared(load_fn=_InOrder(load, default))
