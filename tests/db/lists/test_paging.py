"""Pages of a list that is large, has ties and nulls, and changes while it is read."""

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.pool import Connection, Database
from db.writing import ingest
from model.attributes import Level
from reads.services import Services
from tests.resolvers.runtime import Runtime, open_services
from tests.rows import records, study

PAGE = """query ($first: Int, $after: String, $last: Int, $before: String, $order: [StudyOrder!]) {
  studies(first: $first, after: $after, last: $last, before: $before, orderBy: $order) {
    nodes { studyInstanceUid } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
Order = list[dict[str, str]]
DATE: Order = [{"field": "STUDY_DATE", "direction": "DESC"}]
NAME: Order = [{"field": "PATIENT_NAME"}]
MAX_PAGES = 200


class Index:
    """One archive's studies, written as a run writes them."""

    def __init__(self, database: Database, archive_id: int, services: Services) -> None:
        self.database, self.archive_id = database, archive_id
        self.runtime = Runtime(services)
        self.there: set[str] = set()

    async def put(self, studies: dict[str, dict[str, Any]]) -> None:
        rows = [study(uid, **values) for uid, values in studies.items()]

        async def work(connection: Connection) -> None:
            await ingest.store_studies(connection, self.archive_id, records(Level.STUDY, rows))
            await ingest.derive(connection, list(studies))
            await connection.execute("update archive set last_completed_at = now()")

        await ingest.write(self.database, "put", work)
        self.there |= set(studies)

    async def delete(self, uids: list[str]) -> None:
        async def work(connection: Connection) -> None:
            await ingest.delete_studies(connection, self.archive_id, uids)
            await ingest.derive(connection, uids)

        await ingest.write(self.database, "delete", work)
        self.there -= set(uids)

    async def page(
        self, size: int, cursor: str | None, *, back: bool, order: Order
    ) -> tuple[list[str], dict[str, Any]]:
        """UIDs of a page in list order, and its pageInfo."""
        window = {"last": size, "before": cursor, "first": None} if back else {"first": size, "after": cursor}
        data = await self.runtime.data(PAGE, {**window, "order": order})
        return [node["studyInstanceUid"] for node in data["studies"]["nodes"]], data["studies"]["pageInfo"]


@pytest.fixture
async def index(database: Database) -> Index:
    ids = await sync_archives(database, [ArchiveConfig("a0", "ERN-EYE", "Eye", "folder")])
    return Index(database, ids["a0"], await open_services(database))


async def _all(
    index: Index, size: int, *, back: bool, order: Order, between: Callable[[], Any] | None = None
) -> list[str]:
    """The whole list, in list order, by pages from one end to the other; pageInfo checked on each."""
    found: list[str] = []
    cursor = None
    for number in range(MAX_PAGES):
        uids, info = await index.page(size, cursor, back=back, order=order)
        ahead, behind = ("hasPreviousPage", "hasNextPage") if back else ("hasNextPage", "hasPreviousPage")
        assert info[behind] is (number > 0)
        assert len(uids) == size or not info[ahead]
        found = uids + found if back else found + uids
        if not info[ahead]:
            return found
        cursor = info["startCursor" if back else "endCursor"]
        if between is not None:
            await between()
    raise AssertionError("pages without end")


@pytest.mark.parametrize("back", [False, True])
async def test_5000_studies_of_one_day_come_once_each(index: Index, back: bool) -> None:
    await index.put({f"1.2.{n}": {"StudyDate": "20200101"} for n in range(5000)})
    found = await _all(index, 100, back=back, order=DATE)
    assert found == sorted(f"1.2.{n}" for n in range(5000))


@pytest.mark.parametrize("size", [1, 3, 7, 8])
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("back", [False, True])
async def test_undated_studies_come_last_both_ways(
    index: Index, size: int, direction: str, back: bool
) -> None:
    days = [None, "20200101", None, "20200102", "20200101", None, "20200103", None]
    await index.put({f"1.{n}": {"StudyDate": day} for n, day in enumerate(days)})
    found = await _all(index, size, back=back, order=[{"field": "STUDY_DATE", "direction": direction}])
    dated = ["1.1", "1.4", "1.3", "1.6"] if direction == "ASC" else ["1.6", "1.3", "1.1", "1.4"]
    assert found == [*dated, "1.0", "1.2", "1.5", "1.7"]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("order", [DATE, NAME], ids=["date", "name"])
@pytest.mark.parametrize("back", [False, True])
async def test_a_list_that_changes_while_it_is_read(
    index: Index, seed: int, order: Order, back: bool
) -> None:
    """Nothing comes twice; what was there from the first page to the last comes, in order."""
    rng = random.Random(seed)
    values: dict[str, dict[str, Any]] = {}

    def made(count: int) -> dict[str, dict[str, Any]]:
        some = {f"1.2.{rng.randrange(10**9)}": _values(rng) for _ in range(count)}
        values.update(some)
        return some

    await index.put(made(120))
    lasting = set(index.there)
    last_page: list[str] = []

    async def change() -> None:
        await index.put(made(rng.randint(0, 4)))
        gone = rng.sample(sorted(index.there), rng.randint(0, 4))
        if rng.random() < 0.5:  # the very row that the cursor stands on
            gone += [uid for uid in last_page if uid in index.there]
        await index.delete(gone)
        lasting.difference_update(gone)

    found: list[str] = []
    cursor = None
    for _ in range(MAX_PAGES):
        uids, info = await index.page(9, cursor, back=back, order=order)
        found = uids + found if back else found + uids
        if not info["hasPreviousPage" if back else "hasNextPage"]:
            break
        cursor = info["startCursor" if back else "endCursor"]
        last_page[:] = [uids[0] if back else uids[-1]]
        await change()
    assert len(found) == len(set(found))
    assert lasting <= set(found)
    assert len(lasting) > 40
    assert found == sorted(found, key=lambda uid: _place(values[uid], uid, order))


def _values(rng: random.Random) -> dict[str, Any]:
    day = date(2020, 1, 1) + timedelta(days=rng.randint(0, 5))
    name = rng.choice(["Adam^A", "Berg^B", "Carl^C", "Dorn^D", None])
    return {"StudyDate": rng.choice([f"{day:%Y%m%d}", None]), "PatientName": name}


def _place(values: dict[str, Any], uid: str, order: Order) -> tuple[bool, Any, str]:
    if order is NAME:
        name = values["PatientName"]
        return name is None, (name or "").lower(), uid
    day = values["StudyDate"]
    return day is None, -int(day or 0), uid


@pytest.mark.parametrize(
    ("window", "uids", "before", "after"),
    [
        ({"first": 2}, ["1.0", "1.1"], False, True),
        ({"first": 5}, ["1.0", "1.1", "1.2", "1.3", "1.4"], False, False),
        ({"first": 9}, ["1.0", "1.1", "1.2", "1.3", "1.4"], False, False),
        ({"first": 2, "after": "1.0"}, ["1.1", "1.2"], True, True),
        ({"first": 2, "after": "1.2"}, ["1.3", "1.4"], True, False),
        ({"first": 2, "after": "1.4"}, [], True, False),
        ({"last": 2}, ["1.3", "1.4"], True, False),
        ({"last": 5}, ["1.0", "1.1", "1.2", "1.3", "1.4"], False, False),
        ({"last": 2, "before": "1.4"}, ["1.2", "1.3"], True, True),
        ({"last": 2, "before": "1.2"}, ["1.0", "1.1"], False, True),
        ({"last": 2, "before": "1.0"}, [], False, True),
    ],
)
async def test_page_info(
    index: Index, window: dict[str, Any], uids: list[str], before: bool, after: bool
) -> None:
    await index.put({f"1.{n}": {} for n in range(5)})
    edges = await index.runtime.data("{ studies { edges { cursor node { studyInstanceUid } } } }")
    cursors = {edge["node"]["studyInstanceUid"]: edge["cursor"] for edge in edges["studies"]["edges"]}
    given = {name: cursors.get(value, value) for name, value in window.items()}
    data = await index.runtime.data(PAGE, {"first": None, **given})
    assert [node["studyInstanceUid"] for node in data["studies"]["nodes"]] == uids
    info = data["studies"]["pageInfo"]
    assert (info["hasPreviousPage"], info["hasNextPage"]) == (before, after)
    ends = (cursors[uids[0]], cursors[uids[-1]]) if uids else (None, None)
    assert (info["startCursor"], info["endCursor"]) == ends


async def test_page_info_when_the_row_of_the_cursor_is_gone(index: Index) -> None:
    await index.put({f"1.{n}": {} for n in range(5)})
    _, info = await index.page(3, None, back=False, order=DATE)
    await index.delete(["1.2", "1.3", "1.4"])
    uids, there = await index.page(3, info["endCursor"], back=False, order=DATE)
    assert (uids, there["hasPreviousPage"], there["hasNextPage"]) == ([], True, False)
    await index.delete(["1.0", "1.1"])
    uids, there = await index.page(3, info["endCursor"], back=False, order=DATE)
    assert (uids, there["hasPreviousPage"], there["hasNextPage"]) == ([], False, False)
    uids, there = await index.page(3, info["startCursor"], back=True, order=DATE)
    assert (uids, there["hasPreviousPage"], there["hasNextPage"]) == ([], False, False)


async def test_page_info_when_only_the_row_of_the_cursor_is_left(index: Index) -> None:
    await index.put({"1.0": {}})
    _, info = await index.page(3, None, back=False, order=DATE)
    uids, there = await index.page(3, info["endCursor"], back=False, order=DATE)
    assert (uids, there["hasPreviousPage"], there["hasNextPage"]) == ([], True, False)
    uids, there = await index.page(3, info["startCursor"], back=True, order=DATE)
    assert (uids, there["hasPreviousPage"], there["hasNextPage"]) == ([], False, True)


async def test_an_empty_list_has_an_empty_page(index: Index) -> None:
    for back in (False, True):
        uids, info = await index.page(3, None, back=back, order=DATE)
        assert uids == []
        assert info == {
            "hasNextPage": False,
            "hasPreviousPage": False,
            "startCursor": None,
            "endCursor": None,
        }
