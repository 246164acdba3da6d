"""Free text over studies and series: what matches, and the study's own description first."""

from collections.abc import Callable
from typing import Any

import pytest

from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.lists import nodes
from db.pool import Connection, Database
from db.writing import ingest
from model.attributes import Level
from tests.postgres import Databases, Fill, named
from tests.resolvers.runtime import Runtime, open_services
from tests.rows import records, series, study

STUDIES = {
    "1.1": "MR Schädel nativ",
    "1.2": "MR LWS",
    "1.3": "Knie links",
    "1.4": "CT Thorax",
    "1.5": None,
}
SERIES = {
    "1.1": ["t1_mprage_sag"],
    "1.2": ["Knie", "Knie links", "knie/links nativ", "Knie Knie Knie"],
    "1.3": ["localizer"],
    "1.4": ["Lunge", "links Knie"],
    "1.5": ["γόνατο δεξιά"],
}
ASK = """query ($f: StudyFilter, $o: [StudyOrder!]) {
  studies(filter: $f, orderBy: $o, first: 50) { totalCount nodes { studyInstanceUid } } }"""
ASK_SERIES = """query ($f: SeriesFilter) {
  series(filter: $f, first: 50) { totalCount nodes { seriesInstanceUid } } }"""


async def _fill(database: Database) -> None:
    """Five studies and their series in one archive."""
    archive_id = (await sync_archives(database, [ArchiveConfig("a0", "ERN-EYE", "Eye", "folder")]))["a0"]

    async def work(connection: Connection) -> None:
        await ingest.store_series(connection, archive_id, records(Level.SERIES, [
            series(uid, f"{uid}.{n}", SeriesDescription=text, SeriesNumber=n, BodyPartExamined="KNEE" if n else None)
            for uid, listed in SERIES.items() for n, text in enumerate(listed)
        ]), list(SERIES))  # fmt: skip
        await ingest.store_studies(connection, archive_id, records(Level.STUDY, [
            study(uid, StudyDescription=text) for uid, text in STUDIES.items()
        ]))  # fmt: skip
        await ingest.derive(connection)
        await connection.execute("update archive set last_completed_at = now()")

    await ingest.write(database, "load", work)


@pytest.fixture(scope="module")
def database_url(databases: Databases, filled_with: Callable[[Fill], str]) -> str:
    return named(databases.url, filled_with(_fill))


@pytest.fixture
async def texts(database: Database) -> Runtime:
    """Its tests only read it."""
    return Runtime(await open_services(database))


async def _found(runtime: Runtime, text: str, **more: Any) -> list[str]:
    data = (await runtime.data(ASK, {"f": {"text": text}, **more}))["studies"]
    assert data["totalCount"] == len(data["nodes"])
    return [node["studyInstanceUid"] for node in data["nodes"]]


async def test_the_studys_own_description_comes_before_any_number_of_its_series(texts: Runtime) -> None:
    assert await _found(texts, "knie") == ["1.3", "1.2", "1.4"]
    assert await _found(texts, "kni*") == ["1.3", "1.2", "1.4"]
    assert (await _found(texts, "knie", o=[{"field": "RELEVANCE"}]))[-1] == "1.3"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("links knie", {"1.2", "1.3", "1.4"}),
        ('"knie links"', {"1.2", "1.3"}),
        ('"links knie"', {"1.4"}),  # of 1.2 it would go from one series into the next
        ('"lws knie"', set()),  # and from the study into its series
        ("knie -thorax", {"1.2", "1.3"}),
        ('knie -"knie links"', {"1.4"}),
        ("schadel OR thorax", {"1.1", "1.4"}),
        ("mr knie OR thorax", {"1.2", "1.4"}),
        ("mprage", {"1.1"}),
        ("ΓΟΝΑΤΟ", {"1.5"}),
        ("γονατ*", {"1.5"}),
        ("-mr", {"1.3", "1.4", "1.5"}),
        ('"knie', {"1.2", "1.3", "1.4"}),
        ("knee", {"1.2", "1.4"}),
    ],
)
async def test_words_phrases_exclusions_and_alternatives(texts: Runtime, text: str, found: set[str]) -> None:
    assert set(await _found(texts, text)) == found


async def test_what_only_excludes_is_ordered_by_date(texts: Runtime) -> None:
    answer = await texts.ask(ASK, {"f": {"text": "-mr"}, "o": [{"field": "RELEVANCE"}]})
    assert answer.codes == ["BAD_INPUT"]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"text": "knie links"}, ["1.2.1", "1.4.1", "1.2.2"]),
        ({"text": '"knie links"'}, ["1.2.1", "1.2.2"]),
        ({"text": "knie -links"}, ["1.2.0", "1.2.3"]),
        ({"text": "knee lung* OR mprage"}, ["1.1.0"]),
        ({"text": "links", "study": {"text": "thorax"}}, ["1.4.1"]),
        ({"not": {"text": "kn*"}}, ["1.1.0", "1.3.0", "1.4.0", "1.5.0"]),
    ],
)
async def test_series_are_searched_by_their_own_texts(
    texts: Runtime, given: dict[str, Any], found: list[str]
) -> None:
    data = (await texts.data(ASK_SERIES, {"f": given}))["series"]
    assert [node["seriesInstanceUid"] for node in data["nodes"]] == found


async def test_a_studys_series_are_searched(texts: Runtime) -> None:
    query = """{ studies(filter: {series: {text: "lunge"}}) { nodes {
        all: series { totalCount } some: series(filter: {text: "knie"}) { nodes { seriesDescription } } } } }"""
    data = await texts.data(query)
    assert data["studies"]["nodes"] == [
        {"all": {"totalCount": 2}, "some": {"nodes": [{"seriesDescription": "links Knie"}]}}
    ]


async def test_a_search_that_takes_too_long_says_what_to_do(
    texts: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes, "BROAD_SECONDS", 1e-9)
    answer = await texts.ask(ASK, {"f": {"studyDescription": {"contains": "t"}}})
    assert set(answer.codes) == {"TOO_BROAD"}
    assert "StudyDescription.contains: give three letters" in answer.errors[0]["message"]
    monkeypatch.undo()
    assert (await texts.ask(ASK, {"f": {"studyDescription": {"contains": "t"}}})).errors == []
