"""What a client notices when a server stops doing what it did: what it learned is learned anew."""

from dataclasses import replace
from datetime import date

import pytest

from archives.abilities import Abilities
from archives.client import Selection
from archives.dicomweb import DicomWebArchive
from archives.drift import RELEARN_AFTER, contradiction
from archives.pager import PageMemory
from archives.rows import STUDY_INSTANCE_UID, text
from config.archives_file import ArchiveConfig
from tests.archives.faulty import Exchange, faulty, holds, ignores_offset, studies

CONFIG = ArchiveConfig("x", "ERN-EYE", "X", "dicomweb", timeout=5.0, page_size=10, breaker_failures=100)
ALL_WELL = {
    "server": "it says: nginx/1",
    "offset": "yes",
    "cap": "none up to 201 rows",
    "uid_list": "yes, with commas",
    "query_decoding": "yes",
    "includefield": "yes",
    "top_level_series": "yes",
    "keys": "yes",
}
LEARNED = Abilities(True, True, True, True, PageMemory(moves_on=True))


@pytest.mark.parametrize(
    ("seen", "server", "why"),
    [
        (Abilities(), None, None),
        (LEARNED, "it says: nginx/1", None),
        (LEARNED, "it says: nginx/2", "its server was another one"),
        (Abilities(pages=PageMemory(moves_on=False)), None, "it no longer honours offset"),
        (Abilities(pages=PageMemory(cap=25)), None, "it caps its answers now"),
        (Abilities(uid_list=False), None, "it no longer does uid_list"),
        (Abilities(query_decoding=False), None, "it no longer does query_decoding"),
        (Abilities(includefield=False), None, "it no longer does includefield"),
        (Abilities(top_level=False), None, "it no longer does top_level_series"),
        (Abilities(answers_others=True), None, "it answers others than those that it is asked for"),
    ],
)
def test_contradictions(seen: Abilities, server: str | None, why: str | None) -> None:
    found = contradiction(ALL_WELL, seen, server)
    assert found is None if why is None else (found or "").startswith(why)
    assert contradiction({}, seen, server) is None  # nothing known, nothing contradicted


async def test_a_server_that_is_replaced_is_learned_anew() -> None:
    """It had top-level routes and includefield; after an update it has neither."""
    updated = False

    def behave(exchange: Exchange) -> None:
        if updated and exchange.path.endswith("dicom-web/series"):
            exchange.reply(404)
        elif updated and "includefield" in exchange.query:
            exchange.reply(400)
        elif exchange.path.endswith("/series"):
            uids = {"0020000E": "1.2.3.1.7", "0020000D": "1.2.3.1"}
            exchange.rows([{tag: {"vr": "UI", "Value": [uid]} for tag, uid in uids.items()}])
        else:
            exchange.rows(studies(2))

    selection = Selection(study_uids=["1.2.3.1"])
    with faulty(behave) as server:
        client = DicomWebArchive(replace(CONFIG, url=server.url))
        assert len((await client.search_series(selection)).rows) == 1
        assert client.needs_probe(ALL_WELL) is None
        updated = True
        assert len((await client.search_series(selection)).rows) == 1  # by the other routes
        assert "which it did not before" in (client.needs_probe(ALL_WELL) or "")
        assert (client.abilities.top_level, client.abilities.includefield) == (False, False)
        await client.close()


async def test_offset_and_warnings_are_noticed() -> None:
    warning = {"Warning": '299 archive "There are more results"'}
    for behaviour, why in (
        (ignores_offset(studies(50), cap=10), "it no longer honours offset"),
        (holds(studies(25), cap=4, **warning), "it caps its answers now"),
    ):
        with faulty(behaviour) as server:
            client = DicomWebArchive(replace(CONFIG, url=server.url))
            await client.search_studies(Selection())
            assert client.needs_probe(ALL_WELL) == why
            answers = await client.probe()
            assert client.needs_probe(answers) is None
            await client.close()


async def test_the_server_header_is_probed_and_compared() -> None:
    name = "Small PACS/1"
    with faulty(lambda exchange: exchange.rows(studies(3), Server=name)) as server:
        client = DicomWebArchive(replace(CONFIG, url=server.url))
        answers = await client.probe()
        assert answers["server"] == "it says: Small PACS/1"
        name = "Small PACS/2"
        await client.health()
        assert "Small PACS/2" in (client.needs_probe(answers) or "")
        await client.close()


async def test_what_was_learned_is_forgotten_after_a_day() -> None:
    with faulty(holds(studies(3))) as server:
        client = DicomWebArchive(replace(CONFIG, url=server.url))
        await client.search_studies(Selection())
        learned = client.abilities
        learned.since -= RELEARN_AFTER + 1
        await client.search_studies(Selection())
        assert client.abilities is not learned
        await client.close()


BESIDE = Selection(study_uids=["1.2.3.1"])


@pytest.mark.parametrize(
    ("selection", "told"),
    [
        (BESIDE, True),
        (Selection(patient_id="P1"), True),
        (Selection(study_date=(date(2020, 1, 1), date(2020, 1, 2))), True),
        (Selection(), False),
        (Selection(patient_id="P*"), False),  # a pattern, to the archive
        (Selection(study_date=(None, date(2020, 1, 1))), False),  # servers differ about undated studies
        (Selection(undated=True), False),
    ],
)
async def test_rows_that_nobody_asked_for_are_told_of(selection: Selection, told: bool) -> None:
    """An archive that does not look at its keys; its answers are right nevertheless."""
    with faulty(holds(studies(5))) as server:
        client = DicomWebArchive(replace(CONFIG, url=server.url))
        client.abilities.query_decoding = True
        answer = await client.search_studies(selection)
        assert answer.complete or selection.study_date
        assert (client.needs_probe(ALL_WELL) or "").startswith("it answers others") is told
        assert (await client.probe())["keys"].startswith("no: ")
        await client.close()


async def test_an_archive_that_answers_others_now_and_then_is_told_of_too() -> None:
    """And is not doubted again as soon as it was probed."""
    others = False

    def behave(exchange: Exchange) -> None:
        wanted = exchange.query.get("StudyInstanceUID", "").split(",")
        rows = [
            row for row in studies(5) if others or wanted == [""] or text(row, STUDY_INSTANCE_UID) in wanted
        ]
        exchange.rows(rows[exchange.offset :][: exchange.limit])

    with faulty(behave) as server:
        client = DicomWebArchive(replace(CONFIG, url=server.url))
        assert (await client.probe())["keys"] == "yes"
        await client.search_studies(BESIDE)
        assert client.needs_probe(ALL_WELL) is None
        others = True
        assert len((await client.search_studies(BESIDE)).rows) == 1
        assert client.needs_probe(ALL_WELL) is not None
        others = False
        known = await client.probe()
        assert known["keys"].startswith("mostly: ")
        assert client.needs_probe(known) is None
        await client.close()
