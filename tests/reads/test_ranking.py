"""Where too many match to be ranked: the newest first, said so, and no page lacks anything."""

from typing import Any

import pytest

from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.lists import ranking
from db.pool import Connection, Database
from db.writing import ingest
from model.attributes import Level
from tests.resolvers.runtime import Runtime, open_services
from tests.rows import records, study

ASK = """query ($f: StudyFilter, $o: [StudyOrder!], $first: Int, $after: String, $last: Int, $before: String) {
  studies(filter: $f, orderBy: $o, first: $first, after: $after, last: $last, before: $before) {
    totalCount warnings { code message } nodes { studyInstanceUid }
    pageInfo { hasNextPage hasPreviousPage endCursor startCursor } } }"""
MANY = ["Müller^Anna", "Mueller^Bo", "Muller^Carl", "Müller^Dora", "Müller-Lang^Eva", "Müller^Fritz"]
FEW = ["Brandt^Gerda", "Brandt^Hans"]
MOST = 3


@pytest.fixture
async def people(database: Database, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """Six of one name and two of another, in two archives; a list ranks three at most."""
    monkeypatch.setattr(ranking, "MOST_RANKED", MOST)
    configs = [
        ArchiveConfig("a0", "ERN-EYE", "Eye", "folder"),
        ArchiveConfig("a1", "ERN-RND", "Rnd", "folder"),
    ]
    ids = await sync_archives(database, configs)
    rows = [
        study(
            f"1.{n}",
            PatientName=name,
            StudyDate=f"201{n}0101",
            StudyDescription="CT knee" if n % 2 else "CT hip",
        )
        for n, name in enumerate(MANY + FEW)
    ]

    async def work(connection: Connection) -> None:
        await ingest.store_studies(connection, ids["a0"], records(Level.STUDY, rows))
        await ingest.store_studies(connection, ids["a1"], records(Level.STUDY, rows[3:4]))  # shared
        await ingest.derive(connection)
        await connection.execute("update archive set last_completed_at = now()")

    await ingest.write(database, "load", work)
    return Runtime(await open_services(database))


async def _page(runtime: Runtime, **variables: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await runtime.data(ASK, variables))["studies"]
    return found


def _uids(page: dict[str, Any]) -> list[str]:
    return [node["studyInstanceUid"] for node in page["nodes"]]


NEWEST = ["1.5", "1.4", "1.3", "1.2", "1.1", "1.0"]


@pytest.mark.parametrize(
    "given", [{"patientName": {"fuzzy": "mueller"}}, {"text": "ct", "not": {"patientId": {"eq": "x"}}}]
)
async def test_many_are_by_date(people: Runtime, given: dict[str, Any]) -> None:
    page = await _page(people, f=given, first=10)
    expected = NEWEST if "patientName" in given else ["1.7", "1.6", *NEWEST]
    assert _uids(page) == expected
    assert page["totalCount"] == len(expected)
    assert [warning["code"] for warning in page["warnings"]] == ["NOT_RANKED"]
    assert "Add another word" in page["warnings"][0]["message"]


async def test_every_page_of_them_is_of_one_order(people: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    fuzzy = {"patientName": {"fuzzy": "Müller"}}
    page, seen = await _page(people, f=fuzzy, first=2), []
    monkeypatch.setattr(ranking, "MOST_RANKED", 100)  # the first page decided
    while True:
        seen += _uids(page)
        assert [warning["code"] for warning in page["warnings"]] == ["NOT_RANKED"]
        if not page["pageInfo"]["hasNextPage"]:
            break
        page = await _page(people, f=fuzzy, first=2, after=page["pageInfo"]["endCursor"])
        assert page["pageInfo"]["hasPreviousPage"]
    assert seen == NEWEST
    back = await _page(people, f=fuzzy, last=3, before=page["pageInfo"]["startCursor"])
    assert _uids(back) == NEWEST[1:4]


async def test_few_are_ranked_whatever_becomes_many_later(
    people: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking, "MOST_RANKED", 7)  # copies
    fuzzy = {"patientName": {"fuzzy": "Müller Lang"}}
    assert _uids(await _page(people, f=fuzzy, first=10)) == ["1.4"]
    fuzzy = {"patientName": {"fuzzy": "Müller"}}
    page = await _page(people, f=fuzzy, first=2)
    assert page["warnings"] == []
    monkeypatch.setattr(ranking, "MOST_RANKED", 1)
    rest = await _page(people, f=fuzzy, first=10, after=page["pageInfo"]["endCursor"])
    assert rest["warnings"] == []
    assert sorted(_uids(page) + _uids(rest)) == sorted(NEWEST)


async def test_the_direction_and_other_orders_stay(people: Runtime) -> None:
    fuzzy = {"patientName": {"fuzzy": "Müller"}}
    page = await _page(people, f=fuzzy, first=10, o=[{"field": "RELEVANCE", "direction": "ASC"}])
    assert _uids(page) == NEWEST[::-1]
    page = await _page(people, f=fuzzy, first=10, o=[{"field": "PATIENT_NAME"}])
    assert page["warnings"] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ct knee", {"1.1", "1.3", "1.5", "1.7"}),
        ("knee ct", {"1.1", "1.3", "1.5", "1.7"}),
        ('ct "ct hip"', {"1.0", "1.2", "1.4", "1.6"}),
        ("ct -knee", {"1.0", "1.2", "1.4", "1.6"}),
        ("ct hip OR knee", {f"1.{n}" for n in range(8)}),
        ("ct nothing", set()),
    ],
)
@pytest.mark.parametrize("most", [1, MOST, 5, 100])
async def test_words_that_many_have_find_what_an_index_would(
    people: Runtime, monkeypatch: pytest.MonkeyPatch, text: str, found: set[str], most: int
) -> None:
    monkeypatch.setattr(ranking, "MOST_RANKED", most)
    page = await _page(people, f={"text": text}, first=10)
    assert set(_uids(page)) == found
    assert page["totalCount"] == len(found)


@pytest.mark.parametrize("most", [1, 100])
@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Mueller Anna", {"1.0"}),
        ("Brnadt Gerda", {"1.6"}),
        ("Brnadt", {"1.6", "1.7"}),
        ("A. Müller", {"1.0"}),
        ("Müllerlang", {"1.4"}),
        ("Brandt Gerda Maria", {"1.6"}),
        ("Nobody", set()),
    ],
)
async def test_names_are_found_row_by_row_as_by_their_index(
    people: Runtime, monkeypatch: pytest.MonkeyPatch, name: str, found: set[str], most: int
) -> None:
    monkeypatch.setattr(ranking, "MOST_RANKED", most - 1)
    assert set(_uids(await _page(people, f={"patientName": {"fuzzy": name}}, first=10))) == found


async def test_what_one_may_not_see_does_not_decide(people: Runtime) -> None:
    page = await _page(people.without("a0"), f={"patientName": {"fuzzy": "Müller"}}, first=10)
    assert (_uids(page), page["warnings"]) == (["1.3"], [])
