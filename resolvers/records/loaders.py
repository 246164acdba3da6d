"""Dataloaders: built for each request and projection, one attribute each, named key and value.

What they read is reads/batches.py; a key that a batch leaves out has the default.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import Any, Generic, TypeVar

from strawberry.dataloader import DataLoader

from archives.errors import ArchiveError
from db.lists.listing import Window
from db.pool import Row
from model.attributes import Key, Level
from model.filters import Condition
from reads.batches import Batches, Scopes, VersionBatches
from reads.children import ChildPage, Children
from reads.counts import Counts
from refresh.live import Fresh

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _ByArguments:
    """Loaders that are made when they are first asked for, one for each batch and its arguments."""

    def __init__(self) -> None:
        self._made: dict[tuple[Hashable, ...], DataLoader[Any, Any]] = {}

    def _of(
        self, batch: Callable[..., Awaitable[dict[K, V]]], default: Callable[[], V], *arguments: Hashable
    ) -> DataLoader[K, V]:
        key = (batch.__name__, *arguments)
        if key not in self._made:
            self._made[key] = _loader(partial(batch, *arguments), default)
        return self._made[key]


class Loaders(_ByArguments):
    """Every loader of one request over one projection's scope."""

    def __init__(self, read: Batches) -> None:
        super().__init__()
        self._read = read
        self.scope = read.scope
        self.representatives_by_series = _loader(read.representatives, list)
        self.searched_by_series = _loader(read.searched_in_series, list)
        self.searched_by_study = _loader(read.searched_in_studies, list)
        self.consent_by_study = _loader(read.consents, _none)
        self.whole_data_set_by_instance = _loader(read.whole_data_sets, lambda: ({}, None))
        self.gaps_by_level = _loader(read.gaps, set)
        self.unsearched_by_level = _loader(read.unsearched, set)

    def nodes(self, level: Level) -> DataLoader[Key, Row | None]:
        return self._of(self._read.nodes, _none, level)

    def copies(self, level: Level) -> DataLoader[Key, list[Row]]:
        return self._of(self._read.copies, list, level)

    def data_sets(self, level: Level) -> DataLoader[Key, list[Row]]:
        return self._of(self._read.data_sets, list, level)

    def children(self, wanted: Children) -> DataLoader[Key, ChildPage]:
        """Parent → its children as they are indexed. One statement for all parents with these arguments."""
        return self._of(self._read.children, ChildPage, wanted)

    def backfilled_children(self, wanted: Children) -> DataLoader[Key, ChildPage]:
        """The same, when what the index lacked of them was fetched."""
        return self._of(self._read.backfilled_children, ChildPage, wanted)

    def child_counts(self, level: Level, parent: Level, condition: Condition) -> DataLoader[Key, Counts]:
        """Parent → how many of its children match."""
        return self._of(self._read.child_counts, _no_counts, level, parent, condition)

    def missing(self, parent: Level, fresh: Fresh) -> DataLoader[Key, dict[int, ArchiveError]]:
        """Parent → what of its children could not be fetched, by archive: they are asked for again in the archives that
        were asked just now."""
        return self._of(self._read.missing, dict, parent, fresh)

    async def archives_holding(self, level: Level, key: Key) -> set[int]:
        """The visible archives that hold a copy of a study or series."""
        return {row["archive_id"] for row in await self.copies(level).load(key)}


class VersionLists(_ByArguments):
    """The studies of versions of cohorts, of one request: one statement for all versions that ask the same."""

    def __init__(self, read: VersionBatches) -> None:
        super().__init__()
        self._read = read

    def page(self, scopes: Scopes, window: Window) -> DataLoader[str, list[Row]]:
        """Version id → rows, in order."""
        return self._of(self._read.page, list, scopes, window)

    def counts(self, scopes: Scopes) -> DataLoader[str, Counts]:
        """Version id → how many studies it has."""
        return self._of(self._read.counts, _no_counts, scopes)


def _none() -> None:
    return None


def _no_counts() -> Counts:
    return Counts(0, {})


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
