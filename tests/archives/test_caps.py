"""Caps that say nothing, in searches by UID: a UID that was asked for and answered may have more rows."""

from dataclasses import replace

import pytest

from archives.client import Answer, Selection
from archives.dicomweb import DicomWebArchive
from archives.lengths import one_piece_of_work
from archives.meter import metered
from archives.pager import OVERLAPPED
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


# ---- caps that begin late -------------------------------------------------------------------------------------

STUDIES, CHUNK = 24, 6


def below(study: int) -> list[str]:
    """The series of a study: of few more than of the next."""
    return [f"1.2.3.{study}.{number}" for number in range(9 - study % 5)]


def many(cap: int, since: int, beyond: str, counted: bool) -> Behaviour:
    """Series by lists of studies; from a request on no more rows than the cap. What lies beyond is given for an offset
    ("moves on"), is never given ("nothing"), or is the first again ("again")."""
    asked = 0

    def behave(exchange: Exchange) -> None:
        nonlocal asked
        wanted = exchange.query.get("StudyInstanceUID", "").split(",")
        numbers = [
            number for number in range(1, STUDIES + 1) if f"1.2.3.{number}" in wanted or wanted == [""]
        ]
        if exchange.path.endswith("/studies"):
            counts = {n: {"vr": "IS", "Value": [len(below(n))]} for n in numbers} if counted else {}
            rows = [study(n, **({"t00201206": counts[n]} if counted else {})) for n in numbers]
            exchange.rows(rows[exchange.offset :][: exchange.limit])
            return
        asked += 1
        rows = [_series(n, uid) for n in numbers for uid in below(n)]
        if asked < since:
            exchange.rows(rows[exchange.offset :][: exchange.limit])
        elif beyond == "nothing":
            exchange.rows(rows[:cap][exchange.offset :][: exchange.limit])
        else:
            exchange.rows(rows[exchange.offset if beyond == "moves on" else 0 :][: min(cap, exchange.limit)])

    return behave


def _series(number: int, uid: str) -> Json:
    return {
        "0020000D": {"vr": "UI", "Value": [f"1.2.3.{number}"]},
        "0020000E": {"vr": "UI", "Value": [uid]},
    }


async def series_of_all(behaviour: Behaviour, counted: bool) -> list[Answer]:
    """The answers of a run, chunk by chunk; one that is not whole is asked again one by one."""
    with faulty(behaviour) as server, one_piece_of_work():
        client = by_name(DicomWebArchive(replace(CONFIG, url=server.url)))
        client.abilities.uid_list = True
        answers: list[Answer] = []
        for start in range(1, STUDIES + 1, CHUNK):
            chunk = range(start, start + CHUNK)
            expected = {f"1.2.3.{n}": len(below(n)) for n in chunk} if counted else {}
            asked = Selection(study_uids=[f"1.2.3.{n}" for n in chunk], expected=expected)
            answer = await client.search_series(asked)
            if answer.complete:
                answers.append(answer)
                continue
            for uid in asked.study_uids:
                answers.append(await client.search_series(replace(asked, study_uids=[uid])))
        await client.close()
    return answers


WHOLE = {f"{uid}" for n in range(1, STUDIES + 1) for uid in below(n)}


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("beyond", ["moves on", "again", "nothing"])
@pytest.mark.parametrize("cap", [9, 41])
@pytest.mark.parametrize("since", [1, 2, 3, 5])
async def test_a_cap_that_begins_late_cuts_nothing(since: int, cap: int, beyond: str, counted: bool) -> None:
    """Whichever page it begins at, and however long those before it were: by what an archive says that it has, each
    study has all its series. Where it does not say so and gives nothing beyond its cap, nobody can know."""
    answers = await series_of_all(many(cap, since, beyond, counted), counted)
    found = {uid for answer in answers for row in answer.rows if (uid := key("series", row)[0])}  # type: ignore[index]
    if counted or beyond == "moves on":
        assert found == WHOLE
        assert all(answer.complete for answer in answers)
    elif beyond == "again":
        assert found == WHOLE or not all(answer.complete for answer in answers)


async def test_counts_that_are_too_high_are_not_asked_after_for_ever() -> None:
    """Of 24 studies that have a series less than the archive says, three are asked alone."""
    with faulty(many(1000, 1, "moves on", counted=True)) as server, one_piece_of_work():
        client = by_name(DicomWebArchive(replace(CONFIG, url=server.url)))
        client.abilities.uid_list = True
        uids = [f"1.2.3.{n}" for n in range(1, STUDIES + 1)]
        expected = {uid: len(below(n)) + 1 for n, uid in enumerate(uids, 1)}
        with metered() as meter:
            answer = await client.search_series(Selection(study_uids=uids, expected=expected))
        await client.close()
    assert answer.complete
    assert len(answer.rows) == len(WHOLE)
    assert meter.total == 2 + 3 * 2


# ---- rows that an archive adds --------------------------------------------------------------------------------


def adds(rows: list[Json], added: list[Json], *, counts: bool) -> Behaviour:
    """Some rows to each page, beyond the limit. counts: its offset counts them, too."""

    def behave(exchange: Exchange) -> None:
        page = [*added, *rows] if counts else rows
        page = page[exchange.offset :][: exchange.limit]
        exchange.rows(page if counts or not page else [*page, *added])

    return behave


NAMELESS: Json = {"00081030": {"vr": "LO", "Value": ["nameless"]}}


@pytest.mark.parametrize("counts", [False, True])
@pytest.mark.parametrize(
    "added", [[NAMELESS] * 5, studies(4, start=900), [*studies(60, start=900), NAMELESS]]
)
async def test_what_an_archive_adds_to_its_pages_hides_nothing(added: list[Json], counts: bool) -> None:
    """Its offset may not count them: where they were noticed first it is looked again."""
    with faulty(adds(studies(47), added, counts=counts)) as server, one_piece_of_work():
        client = by_name(DicomWebArchive(replace(CONFIG, url=server.url, page_size=10)))
        client.abilities.uid_list = True
        asked = Selection(study_uids=[f"1.2.3.{number}" for number in range(1, 48)])
        answer = await client.search_studies(asked)
        await client.close()
    found = {row["0020000D"]["Value"][0] for row in answer.rows}
    assert found == set(asked.study_uids)
    assert answer.complete or (added != [NAMELESS] * 5 and answer.incomplete_because == OVERLAPPED)
