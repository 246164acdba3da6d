"""Caps that say nothing, in searches by UID: a UID that was asked for and answered may have more rows."""

from dataclasses import replace

import pytest

from archives.client import Answer, Selection
from archives.dicomweb import DicomWebArchive
from archives.lengths import one_piece_of_work
from archives.meter import metered
from archives.rows import key
from config.archives_file import ArchiveConfig
from tests.archives.by_name import by_name
from tests.archives.faulty import Behaviour, Exchange, Json, faulty, studies, study

CONFIG = ArchiveConfig("x", "ERN-EYE", "X", "dicomweb", timeout=5.0, page_size=1000, max_connections=2)
ASKED = [f"1.2.3.{number}" for number in range(1, 6)]


def of_another(number: int) -> Json:
    """A row of the same StudyInstanceUID, of another patient."""
    return study(number, t00100020={"vr": "LO", "Value": [f"Q{number}"]})


# The second rows of 2 and 4 are cut off where the cap is the number of UIDs; five more stand behind them.
TWICE = [*studies(5), of_another(2), of_another(4), *studies(5, start=6)]


def by_uid(rows: list[Json], cap: int, *, moves_on: bool = True) -> Behaviour:
    def behave(exchange: Exchange) -> None:
        wanted = exchange.query.get("StudyInstanceUID", "")
        uids = wanted.split(",") if wanted else None
        found = [row for row in rows if uids is None or row["0020000D"]["Value"][0] in uids]  # type: ignore[index]
        start = exchange.offset if moves_on else 0
        exchange.rows(found[start : start + min(exchange.limit, cap)])

    return behave


async def ask(behaviour: Behaviour, uids: list[str], times: int = 1) -> tuple[Answer, int]:
    """The answer, and how many requests the last of `times` took, what was learned of UID lists not counted."""
    with faulty(behaviour) as server:
        client = by_name(DicomWebArchive(replace(CONFIG, url=server.url)))
        client.abilities.uid_list = True
        client.abilities.pages.studies.honoured = 0
        for _ in range(times):
            with metered() as meter:
                answer = await client.search_studies(Selection(study_uids=uids))
        await client.close()
    return answer, meter.total


@pytest.mark.parametrize("cap", [1, 2, 4, 5, 6, 7, 100])
@pytest.mark.parametrize("in_a_run", [False, True])
async def test_a_cap_of_as_many_rows_as_uids_does_not_pass_as_whole(cap: int, in_a_run: bool) -> None:
    if in_a_run:
        with one_piece_of_work():
            answer, _ = await ask(by_uid(TWICE, cap), ASKED)
    else:
        answer, _ = await ask(by_uid(TWICE, cap), ASKED)
    assert {key("studies", row) for row in answer.rows} == {key("studies", row) for row in TWICE[:7]}
    assert answer.complete


async def test_where_no_more_than_the_cap_can_be_had_it_is_said() -> None:
    answer, _ = await ask(by_uid(TWICE, 5, moves_on=False), ASKED)
    assert (len(answer.rows), answer.complete) == (5, False)


async def test_that_longer_pages_come_is_found_out_once() -> None:
    """One request more, and none for the searches after it."""
    assert (await ask(by_uid(studies(12), 100), ASKED))[1] == 2
    assert (await ask(by_uid(studies(12), 100), ASKED, times=3))[1] == 1
    with one_piece_of_work():
        assert (await ask(by_uid(studies(12), 100), ASKED, times=3))[1] == 1
