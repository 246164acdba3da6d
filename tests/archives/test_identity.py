"""Rows that share a UID and are not the same: of two patients, two issuers, two studies, two series."""

from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from archives.client import ArchiveClient, Row, Selection, told_apart
from archives.rows import key, text
from config.archives_file import ArchiveConfig
from tests.archives.holding import Held, in_folder, served

Holding = Callable[[Iterable[Held]], AbstractAsyncContextManager[ArchiveClient]]


@pytest.fixture(params=[served, in_folder], ids=["dicomweb", "folder"])
def holding(request: pytest.FixtureRequest, tmp_path: Path) -> Holding:
    return lambda held: request.param(ArchiveConfig("x", "ERN-EYE", "X", ""), held, tmp_path)


def told(rows: Iterable[Row], *tags: str) -> set[tuple[str | None, ...]]:
    return {tuple(text(row, tag) for tag in tags) for row in rows}


async def test_one_study_one_patient_id_two_issuers(holding: Holding) -> None:
    held = [
        ("1.2.1", "1.3.1", "1.4.1", "P1", "HOSP_A", "CT"),
        ("1.2.1", "1.3.2", "1.4.2", "P1", "HOSP_B", "MR"),
    ]
    async with holding(held) as archive:
        answer = await archive.search_studies(Selection(study_uids=["1.2.1"]))
        assert answer.complete
        assert told(answer.rows, "00100020", "00100021") == {("P1", "HOSP_A"), ("P1", "HOSP_B")}


# Series 1.3.9 of two patients; instance 1.4.1 in two series of one study, and in that of the other patient.
MIXED = [
    ("1.2.1", "1.3.9", "1.4.1", "PAT-A", "HOSP", "CT"),
    ("1.2.1", "1.3.8", "1.4.1", "PAT-A", "HOSP", "CT"),
    ("1.2.2", "1.3.9", "1.4.1", "PAT-B", "HOSP", "MR"),
    ("1.2.2", "1.3.9", "1.4.2", "PAT-B", "HOSP", "MR"),
]
BELOW = ("0020000D", "0020000E", "00080018")


@pytest.mark.parametrize(
    "selection",
    [
        Selection(study_uids=["1.2.1", "1.2.2"]),
        Selection(series_uids=["1.3.9", "1.3.8"]),
        Selection(study_uids=["1.2.1", "1.2.2"], series_uids=["1.3.9", "1.3.8"]),
    ],
    ids=["studies", "series", "both"],
)
async def test_all_that_share_a_uid_are_found(holding: Holding, selection: Selection) -> None:
    async with holding(MIXED) as archive:
        series = await archive.search_series(selection)
        assert series.complete
        assert told(series.rows, *BELOW[:2]) == {each[:2] for each in MIXED}
        instances = await archive.search_instances(selection)
        assert instances.complete
        assert told(instances.rows, *BELOW) == {each[:3] for each in MIXED}
        assert len({key("instances", row) for row in instances.rows}) == len(instances.rows) == len(MIXED)


async def test_one_study_is_asked_for_what_is_in_it(holding: Holding) -> None:
    async with holding(MIXED) as archive:
        of_one = Selection(study_uids=["1.2.2"], series_uids=["1.3.9"])
        assert told((await archive.search_series(of_one)).rows, "00080060") == {("MR",)}
        assert told((await archive.search_instances(of_one)).rows, *BELOW) == {each[:3] for each in MIXED[2:]}


async def test_a_folder_counts_for_each_what_is_in_it(tmp_path: Path) -> None:
    async with in_folder(ArchiveConfig("x", "ERN-EYE", "X", ""), MIXED, tmp_path) as archive:
        assert len(await archive.metadata("1.2.1", "1.3.9")) == 1
        studies = await archive.search_studies(Selection())
        counted = told(studies.rows, "0020000D", "00201206", "00201208", "00080061")
        assert counted == {("1.2.1", "2", "2", "CT"), ("1.2.2", "1", "2", "MR")}
        series = await archive.search_series(Selection())
        counted = told(series.rows, *BELOW[:2], "00201209", "00080060")
        assert counted == {
            ("1.2.1", "1.3.9", "1", "CT"),
            ("1.2.1", "1.3.8", "1", "CT"),
            ("1.2.2", "1.3.9", "2", "MR"),
        }


def test_series_of_one_uid_are_asked_for_study_by_study() -> None:
    series = [
        ("1.2.1", "1.3.9"),
        ("1.2.2", "1.3.9"),
        ("1.2.1", "1.3.8"),
        ("1.2.3", "1.3.7"),
        ("1.2.2", "1.3.9"),
    ]
    lists = told_apart(series)
    assert sorted(key for keys in lists for key in keys) == sorted(set(series))
    for keys in lists:
        selection = Selection.of_series(keys)
        assert len(selection.series_uids) == len(keys)
        assert set(selection.study_uids) == {study for study, _ in keys}
    assert [("1.2.1", "1.3.8"), ("1.2.3", "1.3.7")] in lists
    assert told_apart([]) == []
