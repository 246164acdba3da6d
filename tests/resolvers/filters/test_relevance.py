"""Fuzzy names and free text: who is found, best match first, and pages of that order."""

from collections.abc import Callable
from typing import Any

import pytest

from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.pool import Connection, Database
from db.writing import ingest
from model.attributes import Level
from tests.postgres import Databases, Fill, named
from tests.resolvers.runtime import Runtime, open_services
from tests.rows import records, study

NAMES = [
    "Müller^Hans",
    "Mueller^Hans",
    "MULLER^HANS^^Dr.",
    "Hans^Müller",
    "Müller",
    "Möller^Hanna",
    "Schmidt^Peter",
    "Nováková^Eva",
    "Novakova^Eva",
    "Παπαδόπουλος^Ελένη",
    "Достоевский^Фёдор",
    "Достоевская^Анна",
    "O'Brien^Sean",
    "OBrien^Sean",
    "van der Berg^Jan",
    "Yamada^Tarou",
    None,
]
TEXTS = [
    "MR Schädel nativ",
    "MR Schädel mit Kontrast",
    "CT Thorax",
    "CT Thorax Angio Thorax",
    "Röntgen Hand",
    None,
]


async def _fill(database: Database) -> None:
    """One study for each name, each with one of the texts."""
    archive_id = (await sync_archives(database, [ArchiveConfig("a0", "ERN-EYE", "Eye", "folder")]))["a0"]
    rows = [
        study(f"1.{number:02}", PatientName=name, StudyDescription=TEXTS[number % len(TEXTS)],
              ReferringPhysicianName="Müller^Hans")
        for number, name in enumerate(NAMES)
    ]  # fmt: skip

    async def work(connection: Connection) -> None:
        await ingest.store_studies(connection, archive_id, records(Level.STUDY, rows))
        await ingest.derive(connection, [f"1.{number:02}" for number in range(len(NAMES))])
        await connection.execute("update archive set last_completed_at = now()")

    await ingest.write(database, "load", work)


@pytest.fixture(scope="module")
def database_url(databases: Databases, filled_with: Callable[[Fill], str]) -> str:
    return named(databases.url, filled_with(_fill))


@pytest.fixture
async def patients(database: Database) -> Runtime:
    """Its tests only read it."""
    return Runtime(await open_services(database))


ASK = """query ($filter: StudyFilter, $first: Int = 100, $after: String, $order: [StudyOrder!]) {
  studies(filter: $filter, first: $first, after: $after, orderBy: $order) {
    totalCount pageInfo { hasNextPage endCursor } nodes { patientName { text } studyDescription } } }"""


def fuzzy(term: str) -> dict[str, Any]:
    return {"patientName": {"fuzzy": term}}


async def _found(runtime: Runtime, given: dict[str, Any], **more: Any) -> list[str]:
    data = await runtime.data(ASK, {"filter": given, **more})
    return [node["patientName"]["text"] for node in data["studies"]["nodes"]]


@pytest.mark.parametrize(
    ("term", "best", "others", "strangers"),
    [
        (
            "Müller Hans",
            {"Müller^Hans", "Mueller^Hans"},
            {"Hans^Müller", "MULLER^HANS^^Dr."},
            {"Schmidt^Peter"},
        ),
        ("mueller^hans", {"Müller^Hans", "Mueller^Hans"}, {"Hans^Müller"}, {"Schmidt^Peter", "Yamada^Tarou"}),
        (
            "Muller",
            {"Müller"},
            {"Müller^Hans", "Mueller^Hans", "Hans^Müller", "MULLER^HANS^^Dr."},
            {"Nováková^Eva"},
        ),
        (
            "Hans Muller",
            {"Müller^Hans", "Mueller^Hans", "Hans^Müller"},
            {"MULLER^HANS^^Dr."},
            {"Schmidt^Peter"},
        ),
        ("novakova eva", {"Nováková^Eva", "Novakova^Eva"}, set(), {"Müller", "Schmidt^Peter"}),
        ("Eva Novák", {"Nováková^Eva", "Novakova^Eva"}, set(), {"Müller"}),
        ("ΠΑΠΑΔΟΠΟΥΛΟΥ ελενη", {"Παπαδόπουλος^Ελένη"}, set(), {"Достоевский^Фёдор", "Müller"}),
        ("Папандопуло", set(), set(), {"Παπαδόπουλος^Ελένη", "Müller^Hans"}),
        ("достоевский федор", {"Достоевский^Фёдор"}, set(), {"Παπαδόπουλος^Ελένη"}),
        ("Достоевск", {"Достоевский^Фёдор", "Достоевская^Анна"}, set(), {"Schmidt^Peter"}),
        ("OBrien", {"OBrien^Sean"}, {"O'Brien^Sean"}, {"Müller"}),
        ("Berg", {"van der Berg^Jan"}, set(), {"Müller"}),
    ],
)
async def test_names_are_found_best_first(
    patients: Runtime, term: str, best: set[str], others: set[str], strangers: set[str]
) -> None:
    found = await _found(patients, fuzzy(term))
    assert len(found) == len(set(found))
    assert set(found[: len(best)]) == best
    assert others <= set(found)
    assert not strangers & set(found)


async def test_every_name_finds_itself_first(patients: Runtime) -> None:
    for name in NAMES:
        if name is not None:
            found = await _found(patients, fuzzy(name))
            assert name in found[:3]


async def test_text_finds_words_by_their_beginning_best_first(patients: Runtime) -> None:
    data = await patients.data(ASK, {"filter": {"text": "thor"}})
    texts = [node["studyDescription"] for node in data["studies"]["nodes"]]
    assert texts == ["CT Thorax Angio Thorax"] * 3 + ["CT Thorax"] * 3
    data = await patients.data(ASK, {"filter": {"text": "SCHADEL kontrast"}})
    assert {node["studyDescription"] for node in data["studies"]["nodes"]} == {"MR Schädel mit Kontrast"}


@pytest.mark.parametrize("given", [fuzzy("Hans Muller"), {"text": "mr schadel"}, {"text": "t"}], ids=str)
@pytest.mark.parametrize("direction", [None, "DESC", "ASC"])
async def test_pages_by_relevance_are_the_list(
    patients: Runtime, given: dict[str, Any], direction: str | None
) -> None:
    order = direction and [{"field": "RELEVANCE", "direction": direction}]
    whole = (await patients.data(ASK, {"filter": given, "order": order}))["studies"]
    paged: list[Any] = []
    cursor = None
    while True:
        page = (await patients.data(ASK, {"filter": given, "order": order, "first": 2, "after": cursor}))[
            "studies"
        ]
        paged += page["nodes"]
        cursor = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert paged == whole["nodes"]
    assert len(paged) == whole["totalCount"] >= 4


async def test_ascending_relevance_is_the_worst_first(patients: Runtime) -> None:
    """Ties go by UID both ways, so it is not the list turned round: three names are equally good."""
    best = await _found(patients, fuzzy("Müller Hans"))
    worst = await _found(patients, fuzzy("Müller Hans"), order=[{"field": "RELEVANCE"}])
    assert sorted(best) == sorted(worst)
    assert best[:3] == worst[-3:] == ["Müller^Hans", "Mueller^Hans", "Hans^Müller"]


@pytest.mark.parametrize(
    "other",
    [fuzzy("Anna"), fuzzy("muller"), {"text": "Muller"}, {"referringPhysicianName": {"fuzzy": "Muller"}}],
    ids=str,
)
async def test_a_cursor_of_another_term_is_refused(patients: Runtime, other: dict[str, Any]) -> None:
    page = await patients.data(ASK, {"filter": fuzzy("Muller"), "first": 1})
    cursor = page["studies"]["pageInfo"]["endCursor"]
    assert (await patients.ask(ASK, {"filter": fuzzy("Muller"), "after": cursor})).errors == []
    assert (await patients.ask(ASK, {"filter": other, "after": cursor})).codes == ["BAD_CURSOR"]


async def test_another_order_of_a_ranked_list_is_possible(patients: Runtime) -> None:
    found = await _found(patients, fuzzy("Müller Hans"), order=[{"field": "PATIENT_NAME"}])
    assert found == sorted(found, key=lambda name: name.lower().replace("ü", "u").replace("ö", "o"))
    assert len(found) >= 4
