"""LIVE and MAX_AGE: archives are asked now, the index follows, and each part of the answer says what it is worth."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from archives.client import Selection
from archives.errors import TimedOut, Unreachable
from db.pool import Database
from model.attributes import Level
from resolvers import live_reading
from tests.resolvers.house import House
from tests.resolvers.live_house import (
    INDEXED_AT,
    add,
    add_series,
    asked,
    edit,
    live_house,
    remove,
    states,
    uid_of,
    uids,
)

FOREVER = 3600.0


@pytest.fixture
async def live(database: Database) -> House:
    return await live_house(database)


BY_PATIENT = 'patientId: {eq: "P1"}'


async def test_what_came_since_the_last_run_is_there(live: House) -> None:
    add(live.archives[0], "1.2.9", PatientID="P1", StudyDescription="New")
    assert "1.2.9" not in uids(await live.ask(asked(given=BY_PATIENT, mode="CACHED")))
    begin = datetime.now(UTC)
    answer = await live.ask(asked(given=BY_PATIENT))
    assert uids(answer) == {"1.2.9", "1.2.0.1", "1.2.1.1", "1.2.2.1"}
    assert states(answer) == {"a0": ("LIVE", 2, None), "a1": ("LIVE", 1, None), "a2": ("LIVE", 1, None)}
    found = answer.data["studies"]
    assert (found["complete"], found["totalCount"]) == (True, 4)
    for source in found["sources"]:
        assert begin <= datetime.fromisoformat(source["asOf"]) <= datetime.now(UTC)
        assert source["elapsedMs"] > 0
    assert "1.2.9" in uids(await live.ask(asked(given=BY_PATIENT, mode="CACHED")))


async def test_without_it_nobody_is_asked(live: House) -> None:
    for freshness in ("", "freshness: {}, ", "freshness: {mode: CACHED, timeoutMs: 5}, "):
        answer = await live.ask(
            f"{{ studies({freshness}first: 5) {{ sources {{ state elapsedMs asOf }} }} }}"
        )
        assert answer.requests == {}
        for source in answer.data["studies"]["sources"]:
            assert (source["state"], source["elapsedMs"]) == ("CACHED", None)
            assert datetime.fromisoformat(source["asOf"]) == datetime.fromisoformat(INDEXED_AT)


# ---- what is sent ------------------------------------------------------------------------------------

SENT: list[tuple[str, dict[str, Any]]] = [
    ('patientId: {eq: "P1"}, patientName: {startsWith: "m"}', {"patient_id": "P1"}),
    ('studyDate: {gte: "2020-01-02", lte: "2020-01-03"}, text: "knee"',
     {"study_date": (date(2020, 1, 2), date(2020, 1, 3))}),
    ('modalitiesInStudy: {all: ["MR"]}, studyDescription: {contains: "x"}', {"modality": "MR"}),
    ('modalitiesInStudy: {any: ["MR"]}', {"modality": "MR"}),
    ('series: {modality: {eq: "MR"}, seriesDescription: {wildcard: "t?"}}', {"modality": "MR"}),
    ('and: [{patientId: {eq: "P1"}}, {studyDate: {isNull: true}}]', {"patient_id": "P1", "undated": True}),
    ('patientId: {wildcard: "P*"}', {}),
    ('or: [{patientId: {eq: "P1"}}, {studyId: {eq: "1"}}]', {}),
    ('not: {patientId: {eq: "P1"}}', {}),
    ('modalitiesInStudy: {any: ["MR", "CT"]}', {}),
    ('accessionNumber: {eq: "A1"}, patientSex: {eq: "F"}', {}),
]  # fmt: skip


@pytest.mark.parametrize(("given", "sent"), SENT)
async def test_only_what_archives_answer_right_is_sent(live: House, given: str, sent: dict[str, Any]) -> None:
    answer = await live.ask(asked(given=given))
    assert {state for state, *_ in states(answer).values()} == {"LIVE"}
    for archive in live.archives:
        level, selection = archive.searches[0]
        assert level is Level.STUDY
        assert selection == Selection(**sent, most=live_reading.MOST_STUDIES)


async def test_any_filter_is_answered_right_afterwards(live: House) -> None:
    add(live.archives[0], "1.2.9", PatientID="P1", StudyDescription="Knee left", PatientName="Müller^Anna")
    add(live.archives[1], "1.2.8", PatientID="P1", StudyDescription="Knee right", PatientName="Weiss^Ida")
    given = (
        f'{BY_PATIENT}, patientName: {{fuzzy: "mueller"}}, not: {{studyDescription: {{contains: "right"}}}}'
    )
    assert uids(await live.ask(asked(given=given))) == {"1.2.9"}


async def test_uids_are_asked_for_as_lists(live: House) -> None:
    wanted = ", ".join(f'"1.2.0.{n}"' for n in range(4))
    answer = await live.ask(asked(given=f"studyInstanceUid: {{in: [{wanted}]}}, {BY_PATIENT}"))
    assert uids(answer) == {"1.2.0.1"}
    assert answer.requests == {"a0": 1, "a1": 1, "a2": 1}
    for archive in live.archives:
        assert archive.searches[0][1].study_uids == [f"1.2.0.{n}" for n in range(4)]


@pytest.mark.parametrize(("field", "levels"), [("studies", 1), ("series", 2), ("instances", 3)])
async def test_requests_are_archives_times_levels(live: House, field: str, levels: int) -> None:
    for first in (1, 20, 1000):
        answer = await live.ask(asked(field, more=f", first: {first}"))
        assert states(answer, field).keys() == {"a0", "a1", "a2"}
        assert {state for state, *_ in states(answer, field).values()} == {"LIVE"}
        assert answer.requests == dict.fromkeys(("a0", "a1", "a2"), levels)


async def test_a_series_is_found_by_its_uid_wherever_it_is(live: House) -> None:
    add(live.archives[2], "1.2.9", PatientID="P7")
    for uid in ("1.2.9.1", "1.2.2.3.1"):  # one that the index has never seen, and one that it knows
        answer = await live.ask(asked("series", f'seriesInstanceUid: {{eq: "{uid}"}}'))
        assert answer.data["series"]["totalCount"] == 1
        assert states(answer, "series")["a2"] == ("LIVE", 1, None)
        assert states(answer, "series")["a0"] == ("LIVE", 0, None)
    answer = await live.ask(asked("instances", 'sopInstanceUid: {eq: "1.2.9.1.2"}'))
    assert (answer.data["instances"]["totalCount"], answer.data["instances"]["complete"]) == (1, True)


# ---- what is gone, moved or changed --------------------------------------------------------------------


@pytest.mark.parametrize(
    "given", ['studyInstanceUid: {eq: "1.2.0.1"}', BY_PATIENT, 'studyDate: {eq: "2020-01-02"}', ""]
)
async def test_what_is_gone_is_gone(live: House, given: str) -> None:
    remove(live.archives[0], "1.2.0.1")
    answer = await live.ask(asked(given=given))
    assert "1.2.0.1" not in uids(answer)
    assert states(answer)["a0"][0] == "LIVE"
    everything = await live.ask(asked(mode="CACHED"))
    assert everything.data["studies"]["totalCount"] == 11


@pytest.mark.parametrize("given", ['patientId: {eq: "P1"}', 'patientId: {eq: "P77"}', ""])
async def test_a_study_that_moved_to_another_patient(live: House, given: str) -> None:
    edit(live.archives[0], "1.2.0.1", PatientID="P77", StudyDescription="moved")
    answer = await live.ask(asked(given=given))
    moved = [node for node in answer.data["studies"]["nodes"] if node["studyInstanceUid"] == "1.2.0.1"]
    assert [node["patientId"] for node in moved] == ([] if "P1" in given else ["P77"])
    again = await live.ask(asked(given='studyInstanceUid: {eq: "1.2.0.1"}', mode="CACHED"))
    assert [node["patientId"] for node in again.data["studies"]["nodes"]] == ["P77"]


async def test_what_a_selection_is_not_about_stays(live: House) -> None:
    remove(live.archives[0], "1.2.0.2")
    await live.ask(asked(given=BY_PATIENT))
    assert "1.2.0.2" in uids(await live.ask(asked(mode="CACHED")))


async def test_counts_and_modalities_follow_a_new_series(live: House) -> None:
    edit(
        live.archives[0],
        "1.2.0.1",
        PatientID="P1",
        ModalitiesInStudy=["CT", "MR"],
        NumberOfStudyRelatedSeries=3,
        NumberOfStudyRelatedInstances=6,
    )
    add_series(live.archives[0], "1.2.0.1", "1.2.0.1.3", Modality="CT")
    select = "nodes { studyInstanceUid numberOfStudyRelatedSeries modalitiesInStudy }"
    answer = await live.ask(asked(given=BY_PATIENT, select=select))
    found = {node.pop("studyInstanceUid"): node for node in answer.data["studies"]["nodes"]}
    assert found["1.2.0.1"] == {"numberOfStudyRelatedSeries": 3, "modalitiesInStudy": ["CT", "MR"]}
    assert answer.requests == {"a0": 2, "a1": 1, "a2": 1}  # only where something has changed


async def test_where_only_studies_are_indexed_nothing_below_is_asked_for(live: House) -> None:
    """But of studies whose series somebody has asked for: their counts are made of these."""
    live.archives[0].config = replace(live.archives[0].config, index="study")
    told = {"NumberOfStudyRelatedSeries": 3, "NumberOfStudyRelatedInstances": 6}
    add(live.archives[0], "1.2.9", 1, PatientID="P1")
    answer = await live.ask(asked(given=BY_PATIENT))
    assert answer.requests == {"a0": 1, "a1": 1, "a2": 1}
    edit(live.archives[0], "1.2.0.1", PatientID="P1", **told)
    add_series(live.archives[0], "1.2.0.1", "1.2.0.1.3")
    select = "nodes { studyInstanceUid numberOfStudyRelatedSeries }"
    answer = await live.ask(asked(given=BY_PATIENT, select=select))
    assert {"studyInstanceUid": "1.2.0.1", "numberOfStudyRelatedSeries": 3} in answer.data["studies"]["nodes"]
    assert answer.requests == {"a0": 2, "a1": 1, "a2": 1}


@pytest.mark.parametrize("given", ['studyInstanceUid: {eq: "1.2.0.1"}', BY_PATIENT, ""])
async def test_an_archive_that_lost_everything_wipes_nothing(live: House, given: str) -> None:
    for level in Level:
        live.archives[0].rows[level] = []
    answer = await live.ask(asked(given=given))
    assert states(answer)["a0"][0::2] == ("PARTIAL", "SUSPICIOUS_REMOVAL")
    assert answer.data["studies"]["complete"] is False
    assert (await live.ask(asked(mode="CACHED"))).data["studies"]["totalCount"] == 12


async def test_an_archive_that_lost_most_wipes_nothing(database: Database) -> None:
    house = await live_house(database, 30)
    for uid in [uid_of(row) for row in house.archives[0].rows[Level.STUDY]][:20]:
        remove(house.archives[0], uid)
    answer = await house.ask(asked())
    assert states(answer)["a0"] == ("PARTIAL", 30, "SUSPICIOUS_REMOVAL")
    assert states(answer)["a1"] == ("LIVE", 30, None)


# ---- too wide, down, slow ------------------------------------------------------------------------------


async def test_too_wide_is_partial_and_what_came_is_kept(
    live: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_reading, "MOST_STUDIES", 3)
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


async def test_too_many_patients_are_too_wide(live: House) -> None:
    patients = ", ".join(f'"P{n}"' for n in range(11))
    answer = await live.ask(asked(given=f"patientId: {{in: [{patients}]}}"))
    assert {source[0::2] for source in states(answer).values()} == {("PARTIAL", "TOO_WIDE")}
    assert answer.requests == {}


async def test_instances_of_too_many_series(live: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_reading, "MOST_SERIES", 5)
    answer = await live.ask(asked("instances"))
    assert {source[0::2] for source in states(answer, "instances").values()} == {("PARTIAL", "TOO_WIDE")}
    given = 'series: {study: {studyInstanceUid: {eq: "1.2.1.1"}}}'
    narrow = await live.ask(asked("instances", given))
    assert states(narrow, "instances")["a1"] == ("LIVE", 4, None)
    assert narrow.data["instances"]["complete"] is True


async def test_an_archive_that_is_down_is_stale_and_recovers(live: House) -> None:
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


async def test_of_an_archive_without_an_index_nothing_is_known(live: House) -> None:
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


async def test_the_answer_does_not_wait_for_a_slow_archive(live: House) -> None:
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


async def test_what_comes_after_the_deadline_is_kept(live: House) -> None:
    add(live.archives[2], "1.2.9", PatientID="P1")
    live.archives[2].delay = 0.6
    query = asked(given=BY_PATIENT).replace("mode: LIVE", "mode: LIVE, timeoutMs: 200")
    assert "1.2.9" not in uids(await live.ask(query))
    await live.services.live.close()
    assert "1.2.9" in uids(await live.ask(asked(given=BY_PATIENT, mode="CACHED")))


async def test_a_level_that_fails_keeps_what_came(live: House) -> None:
    """Series cannot be had: studies are fresh, and the answer is a part."""
    add(live.archives[0], "1.2.9", PatientID="P1")
    live.archives[0].down_at = {Level.SERIES: Unreachable("a0: gone")}
    answer = await live.ask(asked("series", f"study: {{{BY_PATIENT}}}"))
    assert states(answer, "series")["a0"] == ("PARTIAL", 2, "UNREACHABLE")
    assert "1.2.9" in uids(await live.ask(asked(given=BY_PATIENT, mode="CACHED")))


# ---- shared requests ---------------------------------------------------------------------------------


async def test_askers_of_the_same_share_requests(live: House) -> None:
    for archive in live.archives:
        archive.delay = 0.2
    answers = await asyncio.gather(*(live.ask(asked(given=BY_PATIENT)) for _ in range(5)))
    assert all({state for state, *_ in states(answer).values()} == {"LIVE"} for answer in answers)
    assert sum(sum(answer.requests.values()) for answer in answers) == 3


async def test_an_asker_that_goes_away_leaves_it_to_the_others(live: House) -> None:
    for archive in live.archives:
        archive.delay = 0.3
    first = asyncio.create_task(live.ask(asked(given=BY_PATIENT)))
    await asyncio.sleep(0.1)
    second = asyncio.create_task(live.ask(asked(given=BY_PATIENT)))
    await asyncio.sleep(0.1)
    first.cancel()
    answer = await second
    assert {state for state, *_ in states(answer).values()} == {"LIVE"}
    assert answer.requests == {}
    assert [len(archive.searches) for archive in live.archives] == [1, 1, 1]


async def test_an_archive_is_not_asked_without_end(live: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resolvers.live.MOST_AT_ONCE", 2)
    for archive in live.archives:
        archive.delay = 0.2
    queries = [asked(given=f'patientId: {{eq: "P{n}"}}') for n in range(4)]
    answers = await asyncio.gather(*map(live.ask, queries))
    codes = [states(answer)["a0"][0::2] for answer in answers]
    assert sorted(codes) == [("LIVE", None)] * 2 + [("STALE", "BUSY")] * 2


# ---- MAX_AGE, pages ----------------------------------------------------------------------------------


async def test_max_age_asks_only_the_older_ones(live: House) -> None:
    owner = live.services.owner
    await owner.execute("set", "update archive set last_completed_at = now() where code = 'a0'")
    age = "MAX_AGE, maxAgeSeconds: 3600"
    answer = await live.ask(asked(given=BY_PATIENT, mode=age))
    assert [state for state, *_ in states(answer).values()] == ["CACHED", "LIVE", "LIVE"]
    assert answer.requests == {"a1": 1, "a2": 1}
    assert answer.data["studies"]["complete"] is True
    again = await live.ask(asked(given=BY_PATIENT, mode=age))
    assert (states(again), again.requests) == (states(answer), {})
    assert again.data["studies"]["sources"][1]["elapsedMs"] is None
    assert again.data["studies"]["sources"][1]["asOf"] == answer.data["studies"]["sources"][1]["asOf"]
    other = await live.ask(asked(given='patientId: {eq: "P2"}', mode=age))
    assert other.requests == {"a1": 1, "a2": 1}
    now = await live.ask(asked(given=BY_PATIENT, mode="MAX_AGE, maxAgeSeconds: 0"))
    assert now.requests == {"a0": 1, "a1": 1, "a2": 1}


async def test_later_pages_take_what_the_first_has_asked(
    live: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    select = "sources { state elapsedMs } pageInfo { endCursor hasNextPage } nodes { studyInstanceUid }"
    seen: list[str] = []
    cursor, costs = "", []
    for _ in range(4):
        after = f', after: "{cursor}"' if cursor else ""
        answer = await live.ask(asked(more=f", first: 3{after}", select=select))
        found = answer.data["studies"]
        assert {source["state"] for source in found["sources"]} == {"LIVE"}
        seen += [node["studyInstanceUid"] for node in found["nodes"]]
        cursor = found["pageInfo"]["endCursor"]
        costs.append(sum(answer.requests.values()))
    assert len(set(seen)) == len(seen) == 12
    assert costs == [3, 0, 0, 0]
    monkeypatch.setattr("resolvers.freshness.PAGING", timedelta(0))
    late = await live.ask(asked(more=f', first: 3, after: "{cursor}"', select=select))
    assert sum(late.requests.values()) == 3


# ---- one study, and what is below --------------------------------------------------------------------

DEEP = """{ study(studyInstanceUid: "%s", freshness: {mode: LIVE, timeoutMs: %d}) {
  studyDescription
  series { complete sources { archive { code } state error { code } } nodes { seriesInstanceUid
    instances { complete sources { state } nodes { sopInstanceUid } } } } } }"""


async def test_one_study_as_deep_as_asked(live: House) -> None:
    ask = DEEP % ("1.2.0.1", 5000)
    told = {"NumberOfStudyRelatedSeries": 3, "NumberOfStudyRelatedInstances": 6}
    edit(live.archives[0], "1.2.0.1", StudyDescription="edited", **told)
    add_series(live.archives[0], "1.2.0.1", "1.2.0.1.7", Modality="CT")
    answer = await live.ask(ask)
    found = answer.data["study"]
    assert found["studyDescription"] == "edited"
    assert {node["seriesInstanceUid"] for node in found["series"]["nodes"]} == {
        "1.2.0.1.1", "1.2.0.1.2", "1.2.0.1.7",
    }  # fmt: skip
    assert found["series"]["sources"] == [{"archive": {"code": "a0"}, "state": "LIVE", "error": None}]
    for node in found["series"]["nodes"]:
        assert node["instances"]["sources"] == [{"state": "LIVE"}]
        assert len(node["instances"]["nodes"]) == 2
    again = await live.ask(ask)
    assert again.data == answer.data
    assert again.requests == {"a0": 3, "a1": 1, "a2": 1}
    remove(live.archives[0], "1.2.0.1")
    gone = await live.ask(ask)
    assert gone.data == {"study": None}
    assert "extensions" not in gone.body


async def test_a_study_says_who_could_not_be_asked(live: House) -> None:
    live.archives[0].down = live.archives[2].down = Unreachable("it does not answer")
    answer = await live.ask(DEEP % ("1.2.9", 5000))
    assert answer.data == {"study": None}
    assert answer.body["extensions"]["warnings"] == [
        {"code": "UNREACHABLE", "message": "Not asked just now, or not for all of it: a0, a2."}
    ]
    known = await live.ask(DEEP % ("1.2.0.1", 5000))
    assert known.data["study"]["series"]["sources"] == [
        {"archive": {"code": "a0"}, "state": "STALE", "error": {"code": "UNREACHABLE"}}
    ]


async def test_a_slow_level_below_is_stale_in_time(live: House) -> None:
    live.archives[0].delay_at = {Level.SERIES: FOREVER}
    answer = await live.ask(DEEP % ("1.2.0.1", 400))
    assert answer.data["study"]["series"]["sources"] == [
        {"archive": {"code": "a0"}, "state": "STALE", "error": {"code": "TIMEOUT"}}
    ]
    assert len(answer.data["study"]["series"]["nodes"]) == 2


async def test_series_of_all_studies_cost_two_requests_an_archive(live: House) -> None:
    select = "nodes { series { complete nodes { seriesNumber } } }"
    for first in (2, 12):
        answer = await live.ask(asked(more=f", first: {first}", select=select))
        assert all(node["series"]["complete"] for node in answer.data["studies"]["nodes"])
        assert max(answer.requests.values()) == 2
    assert answer.requests == {"a0": 2, "a1": 2, "a2": 2}
