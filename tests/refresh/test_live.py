"""LIVE: archives are asked now, and the index follows.

What falls short: test_live_short.py. What askers share, and MAX_AGE: test_live_shared.py.
"""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from archives.client import Selection
from archives.errors import Unreachable
from db.pool import Database
from model.attributes import Level
from refresh import reading
from tests.resolvers.live_runtime import (
    INDEXED_AT,
    add,
    add_series,
    asked,
    edit,
    fill_live,
    live_runtime,
    remove,
    states,
    uid_of,
    uids,
)
from tests.resolvers.runtime import Runtime

FOREVER = 3600.0


BY_PATIENT = 'patientId: {eq: "P1"}'


async def test_what_came_since_the_last_run_is_there(live: Runtime) -> None:
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


async def test_without_it_nobody_is_asked(live: Runtime) -> None:
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
async def test_only_what_archives_answer_right_is_sent(
    live: Runtime, given: str, sent: dict[str, Any]
) -> None:
    answer = await live.ask(asked(given=given))
    assert {state for state, *_ in states(answer).values()} == {"LIVE"}
    for archive in live.archives:
        level, selection = archive.searches[0]
        assert level is Level.STUDY
        assert selection == Selection(**sent, most=reading.MOST_STUDIES)


async def test_any_filter_is_answered_right_afterwards(live: Runtime) -> None:
    add(live.archives[0], "1.2.9", PatientID="P1", StudyDescription="Knee left", PatientName="Müller^Anna")
    add(live.archives[1], "1.2.8", PatientID="P1", StudyDescription="Knee right", PatientName="Weiss^Ida")
    given = (
        f'{BY_PATIENT}, patientName: {{fuzzy: "mueller"}}, not: {{studyDescription: {{contains: "right"}}}}'
    )
    assert uids(await live.ask(asked(given=given))) == {"1.2.9"}


async def test_uids_are_asked_for_as_lists(live: Runtime) -> None:
    wanted = ", ".join(f'"1.2.0.{n}"' for n in range(4))
    answer = await live.ask(asked(given=f"studyInstanceUid: {{in: [{wanted}]}}, {BY_PATIENT}"))
    assert uids(answer) == {"1.2.0.1"}
    assert answer.requests == {"a0": 1, "a1": 1, "a2": 1}
    for archive in live.archives:
        assert archive.searches[0][1].study_uids == [f"1.2.0.{n}" for n in range(4)]


@pytest.mark.parametrize(("field", "levels"), [("studies", 1), ("series", 2), ("instances", 3)])
async def test_requests_are_archives_times_levels(live: Runtime, field: str, levels: int) -> None:
    for first in (1, 20, 1000):
        answer = await live.ask(asked(field, more=f", first: {first}"))
        assert states(answer, field).keys() == {"a0", "a1", "a2"}
        assert {state for state, *_ in states(answer, field).values()} == {"LIVE"}
        assert answer.requests == dict.fromkeys(("a0", "a1", "a2"), levels)


async def test_a_series_is_found_by_its_uid_wherever_it_is(live: Runtime) -> None:
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
async def test_what_is_gone_is_gone(live: Runtime, given: str) -> None:
    remove(live.archives[0], "1.2.0.1")
    answer = await live.ask(asked(given=given))
    assert "1.2.0.1" not in uids(answer)
    assert states(answer)["a0"][0] == "LIVE"
    everything = await live.ask(asked(mode="CACHED"))
    assert everything.data["studies"]["totalCount"] == 11


@pytest.mark.parametrize("given", ['patientId: {eq: "P1"}', 'patientId: {eq: "P77"}', ""])
async def test_a_study_that_moved_to_another_patient(live: Runtime, given: str) -> None:
    edit(live.archives[0], "1.2.0.1", PatientID="P77", StudyDescription="moved")
    answer = await live.ask(asked(given=given))
    moved = [node for node in answer.data["studies"]["nodes"] if node["studyInstanceUid"] == "1.2.0.1"]
    assert [node["patientId"] for node in moved] == ([] if "P1" in given else ["P77"])
    again = await live.ask(asked(given='studyInstanceUid: {eq: "1.2.0.1"}', mode="CACHED"))
    assert [node["patientId"] for node in again.data["studies"]["nodes"]] == ["P77"]


async def test_what_a_selection_is_not_about_stays(live: Runtime) -> None:
    remove(live.archives[0], "1.2.0.2")
    await live.ask(asked(given=BY_PATIENT))
    assert "1.2.0.2" in uids(await live.ask(asked(mode="CACHED")))


async def test_counts_and_modalities_follow_a_new_series(live: Runtime) -> None:
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


async def test_where_only_studies_are_indexed_nothing_below_is_asked_for(live: Runtime) -> None:
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
async def test_an_archive_that_lost_everything_wipes_nothing(live: Runtime, given: str) -> None:
    for level in Level:
        live.archives[0].rows[level] = []
    answer = await live.ask(asked(given=given))
    assert states(answer)["a0"][0::2] == ("PARTIAL", "SUSPICIOUS_REMOVAL")
    assert answer.data["studies"]["complete"] is False
    assert (await live.ask(asked(mode="CACHED"))).data["studies"]["totalCount"] == 12


async def test_an_archive_that_lost_most_wipes_nothing(database: Database) -> None:
    await fill_live(database, 30)
    runtime = await live_runtime(database, 30)
    for uid in [uid_of(row) for row in runtime.archives[0].rows[Level.STUDY]][:20]:
        remove(runtime.archives[0], uid)
    answer = await runtime.ask(asked())
    assert states(answer)["a0"] == ("PARTIAL", 30, "SUSPICIOUS_REMOVAL")
    assert states(answer)["a1"] == ("LIVE", 30, None)


# ---- one study, and what is below --------------------------------------------------------------------

DEEP = """{ study(studyInstanceUid: "%s", freshness: {mode: LIVE, timeoutMs: %d}) {
  studyDescription
  series { complete sources { archive { code } state error { code } } nodes { seriesInstanceUid
    instances { complete sources { state } nodes { sopInstanceUid } } } } } }"""


async def test_one_study_as_deep_as_asked(live: Runtime) -> None:
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


async def test_a_study_says_who_could_not_be_asked(live: Runtime) -> None:
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


async def test_a_slow_level_below_is_stale_in_time(live: Runtime) -> None:
    live.archives[0].delay_at = {Level.SERIES: FOREVER}
    answer = await live.ask(DEEP % ("1.2.0.1", 400))
    assert answer.data["study"]["series"]["sources"] == [
        {"archive": {"code": "a0"}, "state": "STALE", "error": {"code": "TIMEOUT"}}
    ]
    assert len(answer.data["study"]["series"]["nodes"]) == 2


async def test_series_of_all_studies_cost_two_requests_an_archive(live: Runtime) -> None:
    select = "nodes { series { complete nodes { seriesNumber } } }"
    for first in (2, 12):
        answer = await live.ask(asked(more=f", first: {first}", select=select))
        assert all(node["series"]["complete"] for node in answer.data["studies"]["nodes"])
        assert max(answer.requests.values()) == 2
    assert answer.requests == {"a0": 2, "a1": 2, "a2": 2}
