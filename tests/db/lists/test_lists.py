"""Every list against the brute-force oracle: filters, orders, directions, counts, children, archives."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access.scope import AccessScope, Projection, Scope, ScopedArchive
from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.lists import by_value as values
from db.lists import nodes, pages
from db.lists.listing import Listing, Window
from db.lists.orders import Sort
from db.pool import Database
from db.scoped import ScopedDatabase, ScopedReader
from model.attributes import Key, Level
from model.filters import EVERYTHING, Condition, ranked_by
from reads.counts import counted
from tests.conditions import by_value, conditions, sorts
from tests.federation import Federation, generate, load
from tests.oracle import Oracle, fold, ordered

EXAMPLES = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
NOBODYS = Scope((), (), Projection.PSEUDONYMISED)
LEVELS = st.sampled_from([Level.STUDY, Level.SERIES, Level.INSTANCE])


@dataclass
class Loaded:
    """A loaded index, the copies in it, and a loop to ask it from synchronous properties."""

    scoped: ScopedDatabase
    made: Federation
    archives: tuple[ScopedArchive, ...]
    runner: asyncio.Runner

    def scope(self, hidden: int | None, asked: int | None) -> Scope:
        visible = tuple(a for n, a in enumerate(self.archives) if n != hidden)
        return Scope(visible, visible if asked is None else visible[asked % len(visible) :][:1])

    def reader(self, scope: Scope) -> ScopedReader:
        """The session scope lets through what is visible, not what is asked: the statements narrow it."""
        return self.scoped.within(AccessScope(Scope(scope.visible, scope.visible), NOBODYS))

    def oracle(self, scope: Scope) -> Oracle:
        return Oracle(self.made.copies, scope.visible_ids, scope.asked_ids)


@pytest.fixture(scope="module")
def loaded(new_database_url: Callable[[], str]) -> Iterator[Loaded]:
    with asyncio.Runner() as runner:
        yield runner.run(_loaded(new_database_url(), runner))


async def _loaded(url: str, runner: asyncio.Runner) -> Loaded:
    database = await Database.open(url)
    configs = [
        ArchiveConfig(code=f"a{n}", ern=ern, title=ern, kind="folder")
        for n, ern in enumerate(("ERN-EYE", "ERN-RND", "VASCERN"))
    ]
    ids = await sync_archives(database, configs)
    made = generate(7, list(ids.values()), studies=80, disputed_dates=True, twins=True)
    await load(database, made)
    archives = tuple(ScopedArchive(ids[each.code], each.code, each.ern) for each in configs)
    await database.close()
    return Loaded(await ScopedDatabase.open(url, size=2), made, archives, runner)


def _sort_values(oracle: Oracle, level: Level, keys: tuple[Sort, ...]) -> Callable[[Key], list[Any]]:
    visible = Oracle(oracle.copies, oracle.visible)

    def values(key: Key) -> list[Any]:
        best = oracle.node(level, key)[0].values
        found: list[Any] = []
        for sort in keys:
            match sort.field:
                case "NUMBER_OF_SERIES":
                    found.append(visible.union_count("NumberOfStudyRelatedSeries", key))
                case "MODALITY" if level is Level.STUDY:
                    found.append(min(visible.union_modalities(key), default=None))
                case "NUMBER_OF_INSTANCES" if level is Level.STUDY:
                    found.append(visible.union_count("NumberOfStudyRelatedInstances", key))
                case "NUMBER_OF_INSTANCES":
                    found.append(visible.union_count("NumberOfSeriesRelatedInstances", key))
                case "SYNCED_AT":
                    found.append(0)
                case "SOP_INSTANCE_UID":
                    found.append(key[-1])
                case "PATIENT_NAME" | "STUDY_DESCRIPTION" | "SERIES_DESCRIPTION":
                    text = best[sort.field.lower()]
                    found.append(fold(text) if text is not None else None)
                case field:
                    found.append(best[field.lower()])
        return found

    return values


_DEFAULT = {
    Level.STUDY: (Sort("STUDY_DATE", descending=True),),
    Level.SERIES: (Sort("SERIES_NUMBER"),),
    Level.INSTANCE: (Sort("INSTANCE_NUMBER"),),
}


def _expected(oracle: Oracle, level: Level, condition: Condition, keys: tuple[Sort, ...]) -> list[Key]:
    keys = keys or _DEFAULT[level]
    return ordered(
        oracle.matching(level, condition),
        _sort_values(oracle, level, keys),
        [key.descending for key in keys],
    )


async def _walk(
    loaded: Loaded,
    scope: Scope,
    level: Level,
    condition: Condition,
    keys: tuple[Sort, ...],
    size: int,
    back: bool,
) -> list[Key]:
    """All pages of a list, one after another, by the position of each page's last row."""
    seen: list[Key] = []
    position = None
    for _ in range(2000):
        listing = Listing((scope,), level, condition, keys)
        order = listing.order
        rows = await nodes.page(loaded.reader(scope), listing, Window(size, position, back))
        seen += [nodes.key_of(row, level) for row in rows]
        if len(rows) < size:
            return seen
        position = order.position(rows[-1])
    raise AssertionError("pages without end")


@EXAMPLES
@given(
    data=st.data(),
    level=LEVELS,
    hidden=st.sampled_from([None, None, 0, 1]),
    asked=st.sampled_from([None, None, 0, 1]),
)
def test_lists_and_counts_equal_the_oracle(
    loaded: Loaded, data: st.DataObject, level: Level, hidden: int | None, asked: int | None
) -> None:
    condition = data.draw(conditions(level))
    keys = data.draw(sorts(level))
    if ranked_by(condition) is not None:  # no order would mean by relevance, which the oracle has no idea of
        keys = keys or _DEFAULT[level]
    size, back = data.draw(st.sampled_from([1000, 7])), data.draw(st.booleans())
    scope = loaded.scope(hidden, asked)
    oracle = loaded.oracle(scope)
    expected = _expected(oracle, level, condition, keys)
    found = loaded.runner.run(_walk(loaded, scope, level, condition, keys, size, back))
    assert found == (expected[::-1] if back else expected)
    listing = Listing((scope,), level, condition)
    counts = counted(loaded.runner.run(nodes.counts(loaded.reader(scope), listing)))
    total, matched = oracle.counts(level, condition)
    assert counts.total == total
    assert {archive: n for archive, n in counts.matched.items() if n} == matched


@EXAMPLES
@given(data=st.data(), level=LEVELS, hidden=st.sampled_from([None, 0]), asked=st.sampled_from([None, 1]))
def test_gathered_pages_equal_walked_ones(
    loaded: Loaded, data: st.DataObject, level: Level, hidden: int | None, asked: int | None
) -> None:
    condition, keys = data.draw(conditions(level)), data.draw(sorts(level))
    size, back = data.draw(st.sampled_from([1000, 7])), data.draw(st.booleans())
    scope = loaded.scope(hidden, asked)

    def walk() -> list[Key]:
        return loaded.runner.run(_walk(loaded, scope, level, condition, keys, size, back))

    with patch.object(pages, "page", partial(pages.page, sorted_plan=True)):
        sorted_plan = walk()
    assert sorted_plan == walk()


@EXAMPLES
@given(
    data=st.data(),
    hidden=st.sampled_from([None, None, 0, 1]),
    asked=st.sampled_from([None, None, 0, 1]),
    most=st.sampled_from([(64, 2000), (1, 2000), (64, 2)]),
)
def test_pages_that_start_at_a_value_equal_the_oracle(
    loaded: Loaded, data: st.DataObject, hidden: int | None, asked: int | None, most: tuple[int, int]
) -> None:
    condition, keys = data.draw(by_value()), (Sort("STUDY_DATE", descending=True),)
    size, back = data.draw(st.sampled_from([1000, 7, 2])), data.draw(st.booleans())
    scope = loaded.scope(hidden, asked)
    expected = _expected(loaded.oracle(scope), Level.STUDY, condition, keys)
    with patch.multiple(values, MOST=most[0], LOOKED_UP=most[1]):
        found = loaded.runner.run(_walk(loaded, scope, Level.STUDY, condition, keys, size, back))
    assert found == (expected[::-1] if back else expected)


@pytest.mark.parametrize("size", [1, 2, 3, 50])
@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize(
    "keys", [(), (Sort("PATIENT_NAME"),), (Sort("PATIENT_ID", True), Sort("STUDY_DATE"))]
)
def test_every_page_size_walks_the_whole_list_once(
    loaded: Loaded, size: int, back: bool, keys: tuple[Sort, ...]
) -> None:
    scope = loaded.scope(None, None)
    expected = _expected(loaded.oracle(scope), Level.STUDY, EVERYTHING, keys)
    found = loaded.runner.run(_walk(loaded, scope, Level.STUDY, EVERYTHING, keys, size, back))
    assert found == (expected[::-1] if back else expected)


@EXAMPLES
@given(data=st.data(), hidden=st.sampled_from([None, 0]), back=st.booleans(), size=st.integers(1, 4))
def test_children_equal_the_oracle(
    loaded: Loaded, data: st.DataObject, hidden: int | None, back: bool, size: int
) -> None:
    level, parent = data.draw(st.sampled_from([(Level.SERIES, Level.STUDY), (Level.INSTANCE, Level.SERIES)]))
    condition, keys = data.draw(conditions(level, depth=1)), data.draw(sorts(level))
    scope = loaded.scope(hidden, None)
    oracle = loaded.oracle(scope)
    parents = sorted(key for at, key in oracle.by_key if at is parent)
    listing = Listing((scope,), level, condition, keys)
    assert listing.order.keys
    found = loaded.runner.run(
        nodes.page_by_parent(loaded.reader(scope), listing, parents, parent, Window(size, None, back))
    )
    shown = [nodes.key_of(row, level) for below in found.values() for row in below.rows]
    whole = _expected(oracle, level, condition, keys)
    for key in parents:
        children = [each for each in whole if each in oracle.children[parent, level, key]]
        of_parent = [each for each in shown if each[:-1] == key]
        assert of_parent == (children[::-1] if back else children)[:size]
    listing = Listing((scope,), level, condition)
    rows = loaded.runner.run(nodes.counts_by_parent(loaded.reader(scope), listing, parents, parent))
    for key in parents:
        counts = counted([row for row in rows if nodes.key_of(row, parent) == key])
        assert counts.total == sum(each in oracle.children[parent, level, key] for each in whole)
