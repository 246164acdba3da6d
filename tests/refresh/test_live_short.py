"""LIVE answers that fall short: too wide to ask for, an archive down or slow; each says so and loses nothing."""

from datetime import datetime

import pytest

from archives.client import Answer, Row, Selection
from archives.errors import TimedOut, Unreachable
from archives.rows import STUDY_INSTANCE_UID as STUDY
from db.pool import StatementTimeout
from db.writing import ingest
from model.attributes import Level
from refresh import reading
from tests.resolvers.live_runtime import (
    INDEXED_AT,
    add,
    asked,
    remove,
    states,
    uids,
)
from tests.resolvers.runtime import Runtime

FOREVER = 3600.0
BY_PATIENT = 'patientId: {eq: "P1"}'


async def test_too_wide_is_partial_and_what_came_is_kept(
    live: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_STUDIES", 3)
    add(live.archives[0], "1.2.9")
    live.archives[0].rows[Level.STUDY].reverse()
    remove(live.archives[0], "1.2.0.1")
    answer = await live.ask(asked())
    assert {source[0::2] for source in states(answer).values()} == {("PARTIAL", "TOO_WIDE")}
    assert answer.data["studies"]["complete"] is False
    message = answer.data["studies"]["sources"][0]["error"]["message"]
    assert "more than 3 rows" in message
    assert "narrow by studyDate, patientId or UID" in message
    assert {"1.2.9", "1.2.0.1"} <= uids(answer)  # it came; and what did not come is not gone
    assert states(await live.ask(asked(given=BY_PATIENT)))["a0"][0] == "LIVE"


async def test_too_many_patients_are_too_wide(live: Runtime) -> None:
    patients = ", ".join(f'"P{n}"' for n in range(11))
    answer = await live.ask(asked(given=f"patientId: {{in: [{patients}]}}"))
    assert {source[0::2] for source in states(answer).values()} == {("PARTIAL", "TOO_WIDE")}
    assert answer.requests == {}


async def test_instances_of_too_many_series(live: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_SERIES", 5)
    answer = await live.ask(asked("instances"))
    assert {source[0::2] for source in states(answer, "instances").values()} == {("PARTIAL", "TOO_WIDE")}
    given = 'series: {study: {studyInstanceUid: {eq: "1.2.1.1"}}}'
    narrow = await live.ask(asked("instances", given))
    assert states(narrow, "instances")["a1"] == ("LIVE", 4, None)
    assert narrow.data["instances"]["complete"] is True


async def test_an_archive_that_is_down_is_stale_and_recovers(live: Runtime) -> None:
    live.archives[1].down = Unreachable("a1: the archive does not answer")
    answer = await live.ask(asked(given=BY_PATIENT))
    assert states(answer) == {
        "a0": ("LIVE", 1, None),
        "a1": ("STALE", 1, "UNREACHABLE"),
        "a2": ("LIVE", 1, None),
    }
    stale = answer.data["studies"]["sources"][1]
    assert stale["error"]["message"] == "a1: the archive does not answer"
    assert datetime.fromisoformat(stale["asOf"]) == datetime.fromisoformat(INDEXED_AT)
    assert answer.data["studies"]["complete"] is False
    nothing = await live.ask(asked(given='patientId: {eq: "nobody"}'))
    assert states(nothing)["a1"] == ("STALE", None, "UNREACHABLE")  # not 0: who knows
    assert states(nothing)["a0"] == ("LIVE", 0, None)
    live.archives[1].down = None
    assert states(await live.ask(asked(given=BY_PATIENT)))["a1"] == ("LIVE", 1, None)


async def test_of_an_archive_without_an_index_nothing_is_known(live: Runtime) -> None:
    archive_id = live.archive_id("a1")
    owner = live.services.owner
    await owner.execute("set", "delete from study where archive_id = $1", archive_id)
    await owner.execute(
        "set", "update archive set last_completed_at = null where archive_id = $1", archive_id
    )
    live.archives[1].down = TimedOut("a1: no complete answer inside the deadline")
    answer = await live.ask(asked(given=BY_PATIENT))
    assert states(answer)["a1"] == ("FAILED", None, "TIMEOUT")
    live.archives[1].down = None
    answer = await live.ask(asked(given=BY_PATIENT))
    assert states(answer)["a1"] == ("LIVE", 1, None)  # all that the question is about, run or no run


async def test_the_answer_does_not_wait_for_a_slow_archive(live: Runtime) -> None:
    live.archives[2].delay = FOREVER
    given = f"{{{BY_PATIENT}}}"
    query = (
        f"{{ studies(filter: {given}, freshness: {{mode: LIVE, timeoutMs: 300}}) {{ {asked.__name__} }} }}"
    )
    query = asked(given=BY_PATIENT).replace("mode: LIVE", "mode: LIVE, timeoutMs: 300")
    answer = await live.ask(query)
    assert states(answer) == {
        "a0": ("LIVE", 1, None),
        "a1": ("LIVE", 1, None),
        "a2": ("STALE", 1, "TIMEOUT"),
    }


async def test_what_comes_after_the_deadline_is_kept(live: Runtime) -> None:
    add(live.archives[2], "1.2.9", PatientID="P1")
    live.archives[2].delay = 0.6
    query = asked(given=BY_PATIENT).replace("mode: LIVE", "mode: LIVE, timeoutMs: 200")
    assert "1.2.9" not in uids(await live.ask(query))
    await live.services.live.close()
    assert "1.2.9" in uids(await live.ask(asked(given=BY_PATIENT, mode="CACHED")))


async def test_a_level_that_fails_keeps_what_came(live: Runtime) -> None:
    """Series cannot be had: studies are fresh, and the answer is a part."""
    add(live.archives[0], "1.2.9", PatientID="P1")
    live.archives[0].down_at = {Level.SERIES: Unreachable("a0: gone")}
    answer = await live.ask(asked("series", f"study: {{{BY_PATIENT}}}"))
    assert states(answer, "series")["a0"] == ("PARTIAL", 2, "UNREACHABLE")
    assert "1.2.9" in uids(await live.ask(asked(given=BY_PATIENT, mode="CACHED")))


async def test_what_an_unfinished_search_made_up_is_not_kept(
    live: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows come on and on; what is new is asked for by its UID."""
    monkeypatch.setattr(reading, "MOST_STUDIES", 3)
    archive = live.archives[0]
    search = archive.search_studies

    async def endless(selection: Selection) -> Answer:
        answer = await search(selection)
        if selection.study_uids:
            return answer
        model, *_ = archive.rows[Level.STUDY]
        made: list[Row] = [{**model, STUDY: {"vr": "UI", "Value": [f"6.6.{n}"]}} for n in range(4)]
        made.append({**model, "00100020": {"vr": "LO", "Value": ["Nobody"]}})
        return Answer(made, complete=False, incomplete_because="more than 3 rows")

    monkeypatch.setattr(archive, "search_studies", endless)
    before = await live.ask(asked(mode="CACHED"))
    answer = await live.ask(asked())
    assert states(answer)["a0"] == ("PARTIAL", 4, "TOO_WIDE")
    assert states(answer)["a1"][0] == "PARTIAL"
    assert uids(answer) == uids(before)
    assert answer.data["studies"]["totalCount"] == before.data["studies"]["totalCount"]
    monkeypatch.setattr(archive, "search_studies", search)
    monkeypatch.setattr(reading, "MOST_STUDIES", 1000)
    assert {source[0::2] for source in states(await live.ask(asked())).values()} == {("LIVE", None)}


async def test_an_index_that_others_write_to_is_no_fault_of_the_archive(
    live: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def too_late(*_: object) -> None:
        raise StatementTimeout

    monkeypatch.setattr(ingest, "write", too_late)
    answer = await live.ask(asked(given=BY_PATIENT))
    assert {source[0::2] for source in states(answer).values()} == {("STALE", "TIMEOUT")}
