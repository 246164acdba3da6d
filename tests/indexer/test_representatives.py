"""One instance of each series stands for all: what is fetched when, and what a failure does to a run."""

from typing import Any

import orjson

from archives.errors import NotSupported, Unreachable
from indexer.results import RunState
from model.representatives import MAX_BYTES, MAX_ELEMENT_BYTES, representative_of, shortened
from tests.indexer.conftest import Bench
from tests.indexer.scripted import ScriptedArchive
from tests.rows import instance

THICKNESS = "representative #>> '{00180050,Value,0}'"


async def test_each_series_gets_one_and_only_once(bench: Bench) -> None:
    archive = ScriptedArchive()
    archive.fill(["1.1", "1.2"])
    assert (await bench.run(archive)).all_done
    assert await bench.rows(f"series_uid, {THICKNESS}", "series") == [
        (f"{study}.{n}", "2.5") for study in ("1.1", "1.2") for n in (1, 2)
    ]
    assert sorted(archive.represented) == ["1.1.1", "1.1.2", "1.2.1", "1.2.2"]
    archive.represented.clear()
    assert (await bench.run(archive)).all_done
    assert archive.represented == []


async def test_a_changed_series_is_asked_again(bench: Bench) -> None:
    archive = ScriptedArchive()
    archive.fill(["1.1"])
    await bench.run(archive)
    archive.represented.clear()
    archive.serieses[0]["0008103E"] = {"vr": "LO", "Value": ["changed"]}
    archive.told = {"00180050": {"vr": "DS", "Value": [5]}}
    await bench.run(archive)
    assert archive.represented == ["1.1.1"]
    assert await bench.rows(f"series_uid, {THICKNESS}", "series") == [("1.1.1", "5"), ("1.1.2", "2.5")]


async def test_a_failing_archive_fails_no_run_and_is_asked_again(bench: Bench) -> None:
    archive = ScriptedArchive()
    archive.fill(["1.1"])
    archive.refuses = Unreachable("connection reset")
    result = await bench.run(archive)
    assert (result.state, result.error_code) == (RunState.COMPLETED, None)
    assert await bench.rows("representative", "series") == [(None,), (None,)]
    archive.refuses = None
    await bench.run(archive)
    assert await bench.rows(THICKNESS, "series") == [("2.5",), ("2.5",)]


async def test_an_archive_without_whole_data_sets_is_left_alone(bench: Bench) -> None:
    archive = ScriptedArchive()
    archive.fill(["1.1"])
    archive.refuses = NotSupported("gives no whole data sets")
    assert (await bench.run(archive)).all_done
    archive.represented.clear()
    assert (await bench.run(archive)).all_done
    assert archive.represented == []


async def test_it_can_be_switched_off(bench: Bench) -> None:
    archive = ScriptedArchive(representatives=False)
    archive.fill(["1.1"])
    await bench.run(archive)
    assert archive.represented == []


async def test_not_of_an_index_of_studies(bench: Bench) -> None:
    archive = ScriptedArchive(index="study")
    archive.fill(["1.1"])
    await bench.run(archive)
    assert archive.represented == []


def _element(size: int) -> dict[str, Any]:
    return {"vr": "LT", "Value": ["x" * size]}


def test_long_elements_are_left_out_and_of_long_sequences_the_first_item_stays() -> None:
    frames = [
        {"00189114": {"vr": "SQ", "Value": [{"00180081": {"vr": "DS", "Value": [n]}}]}} for n in range(900)
    ]
    cut = shortened(
        {
            "00180050": {"vr": "DS", "Value": [1.5]},
            "00204000": _element(MAX_ELEMENT_BYTES),
            "52009230": {"vr": "SQ", "Value": frames},
            "00081140": {"vr": "SQ", "Value": [{"00204000": _element(MAX_ELEMENT_BYTES)}] * 2},
            "00081111": {"vr": "SQ", "Value": ["x" * MAX_ELEMENT_BYTES]},
            "00080005": "x" * MAX_ELEMENT_BYTES,
        }
    )
    assert cut == {"00180050": {"vr": "DS", "Value": [1.5]}, "52009230": {"vr": "SQ", "Value": frames[:1]}}


def test_the_whole_is_bounded() -> None:
    cut = shortened({f"0018{n:04X}": _element(n * 100) for n in range(1, 50)})
    assert len(orjson.dumps(cut)) <= MAX_BYTES + 1000
    assert "00180001" in cut
    assert "00180031" not in cut


def test_what_is_not_of_the_series_is_refused() -> None:
    row = instance("1.1", "1.1.1", "1.1.1.1")
    assert representative_of("1.1", "1.1.1", row) is not None
    assert representative_of("1.1", "1.1.2", row) is None
    assert representative_of("1.2", "1.1.1", row) is None
    assert representative_of("1.1", "1.1.1", {}) is None
