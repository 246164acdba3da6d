"""What only Orthanc gives: change feed, listing, upload; each on a server of the test's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydicom.datadict import tag_for_keyword

from archives.client import Selection
from archives.meter import metered
from archives.orthanc import OrthancArchive
from archives.rows import text
from config.archives_file import ArchiveConfig
from tests import orthanc
from tests.archives.by_name import by_name
from tests.archives.files import SPLIT, TWO_PATIENTS, UNDATED, built, instance
from tests.orthanc import OrthancServer

pytestmark = pytest.mark.orthanc


@pytest.fixture
async def archive(empty_orthanc: OrthancServer) -> AsyncIterator[OrthancArchive]:
    client = OrthancArchive(
        ArchiveConfig("x", "ERN-EYE", "X", "orthanc", url=empty_orthanc.dicomweb, timeout=20)
    )
    yield client
    await client.close()


async def test_changes(archive: OrthancArchive, empty_orthanc: OrthancServer) -> None:
    assert await archive.last_change() == 0
    for content in built()[:5]:
        empty_orthanc.upload(content)
    with metered() as meter:
        page = await archive.changes(0)
    assert meter.total == 2  # the feed, and one request for all its UIDs
    # The study under two patients is two resources with one UID.
    assert sorted(str(change.study_uid) for change in page.changes) == [SPLIT, TWO_PATIENTS, TWO_PATIENTS]
    assert {change.kind for change in page.changes} == {"new"}
    assert page.done
    assert page.last == await archive.last_change()
    assert (await archive.changes(page.last)).changes == []

    empty_orthanc.upload(instance(SPLIT, 3, 1))
    later = await archive.changes(page.last)
    assert [(change.study_uid, change.kind) for change in later.changes] == [(SPLIT, "changed")]


async def test_changes_come_in_pages(archive: OrthancArchive, empty_orthanc: OrthancServer) -> None:
    for content in built()[:5]:
        empty_orthanc.upload(content)
    found: set[str | None] = set()
    since, done = 0, False
    while not done:
        page = await archive.changes(since, limit=3)
        found |= {change.study_uid for change in page.changes}
        since, done = page.last, page.done
    assert found == {SPLIT, TWO_PATIENTS}


async def test_deletions_are_seen_by_listing_only(
    archive: OrthancArchive, empty_orthanc: OrthancServer
) -> None:
    for content in built()[:6]:
        empty_orthanc.upload(content)
    assert sorted(await archive.list_study_uids() or []) == [SPLIT, TWO_PATIENTS, UNDATED]
    since = await archive.last_change() or 0
    empty_orthanc.delete_study(SPLIT)
    assert (await archive.changes(since)).changes == []
    assert sorted(await archive.list_study_uids() or []) == [TWO_PATIENTS, UNDATED]
    assert SPLIT not in {change.study_uid for change in (await archive.changes(0)).changes}


async def test_it_is_looked_over_in_one_listing(
    archive: OrthancArchive, empty_orthanc: OrthancServer
) -> None:
    for content in built()[:6]:
        empty_orthanc.upload(content)
    assert await archive.copies() == {SPLIT: 1, TWO_PATIENTS: 2, UNDATED: 1}
    assert await archive.copies() == {SPLIT: 1, TWO_PATIENTS: 2, UNDATED: 1}
    assert await archive.totals() == (5, 6)
    upto = await archive.last_change() or 0
    marks = await archive.feed_marks(upto)
    assert marks
    assert max(marks) <= upto
    empty_orthanc.delete_study(SPLIT)
    empty_orthanc.upload(instance(f"{SPLIT}.9"))
    assert await archive.copies() == {TWO_PATIENTS: 2, UNDATED: 1, f"{SPLIT}.9": 1}
    later = await archive.feed_marks(upto)
    assert later
    assert later.items() < marks.items()


async def test_store_tells_good_files_from_bad_ones(archive: OrthancArchive) -> None:
    good, other = instance(SPLIT, 1, 1), instance(SPLIT, 1, 2)
    assert (await archive.store([])).stored == []
    result = await archive.store([good, other])
    assert sorted(result.stored) == [f"{SPLIT}.1.1", f"{SPLIT}.1.2"]
    assert result.failed == []
    again = await archive.store([good])
    assert again.stored == [f"{SPLIT}.1.1"]
    mixed = await archive.store([instance(SPLIT, 1, 3), b"rubbish"])
    assert mixed.stored == [f"{SPLIT}.1.3"]
    assert mixed.failed == [(None, "not a DICOM file")]
    assert (await archive.store([b"rubbish"])).failed == [(None, "not a DICOM file")]
    assert len((await archive.search_instances(Selection())).rows) == 3


async def test_a_hundred_studies_are_one_request(
    archive: OrthancArchive, empty_orthanc: OrthancServer
) -> None:
    uids = [f"{SPLIT}.9.{number}" for number in range(101)]
    for uid in uids[:20]:
        empty_orthanc.upload(instance(uid))
    answer = await by_name(archive).search_series(Selection(study_uids=uids[:100]))
    assert (len(answer.rows), answer.requests) == (20, 2)  # 20 could be a cap
    counted = Selection(
        study_uids=uids[:100], expected=dict.fromkeys(uids[:20], 1) | dict.fromkeys(uids[20:], 0)
    )
    assert (await archive.search_series(counted)).requests == 1
    assert (await archive.search_series(Selection(study_uids=uids))).requests == 3


async def test_transfer_syntax_costs_one_request(
    archive: OrthancArchive, empty_orthanc: OrthancServer
) -> None:
    for number in range(1, 8):
        empty_orthanc.upload(instance(SPLIT, 1, number))
    answer = await archive.search_instances(Selection(study_uids=[SPLIT]))
    assert answer.requests == 3  # a page, whether another one comes, the transfer syntaxes
    tag = f"{tag_for_keyword('AvailableTransferSyntaxUID'):08X}"
    assert {text(row, tag) for row in answer.rows} == {"1.2.840.10008.1.2.1"}


async def test_probe(archive: OrthancArchive, empty_orthanc: OrthancServer) -> None:
    for content in built():
        empty_orthanc.upload(content)
    answers = await archive.probe()
    assert answers["uid_list"] == "yes, with commas"
    assert answers["offset"] == "yes"
    assert answers["metadata"] == "yes"
    assert answers["top_level_series"] == answers["top_level_instances"] == "yes"
    assert answers["counts"] == "yes: series and instances of a study"
    assert answers["change_feed"].startswith("yes, at ")
    assert "Orthanc 1." in answers["server"]
    assert answers["holds"] == "7 studies, 8 series, 9 instances"


async def test_probe_of_an_empty_server(archive: OrthancArchive) -> None:
    answers = await archive.probe()
    assert answers["search"] == "yes, it is empty"
    assert answers["uid_list"].startswith("unknown")


def test_without_orthanc_tests_are_skipped_and_fail_in_ci(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(orthanc, "PLUGIN", tmp_path / "nowhere")
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install"):
        orthanc.require_orthanc()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="apt-get install"):
        orthanc.require_orthanc()
