"""One suite for every archive client, on the same files: what a caller may rely on whatever is behind it.

What a server cannot do is an error or lacks in its rows; it is never a wrong answer.
"""

from dataclasses import replace
from datetime import date

import pytest
from pydicom.datadict import tag_for_keyword

from archives.client import ArchiveClient, Row, Selection
from archives.errors import NotSupported
from archives.meter import metered
from archives.rows import key, text, values
from tests.archives.by_name import by_name
from tests.archives.conftest import SMALL_PACS
from tests.archives.files import (
    CYRILLIC,
    GREEK,
    JAPANESE,
    NAMES,
    ODD_PATIENT_ID,
    SPLIT,
    TWO_PATIENTS,
    UNDATED,
    truth,
)


def tag(keyword: str) -> str:
    return f"{tag_for_keyword(keyword):08X}"


def one(row: Row, keyword: str) -> str | None:
    return text(row, tag(keyword))


def all_of(rows: list[Row], keyword: str) -> list[str]:
    return sorted(str(one(row, keyword)) for row in rows)


def is_small(archive: ArchiveClient) -> bool:
    """tiny_pacs: series and instances below their study only, one PatientID a study, no whole data sets."""
    return archive.config.code == SMALL_PACS


async def down_from(archive: ArchiveClient, studies: list[Row]) -> Selection:
    """All series or instances: asked for by their studies where there is no other way."""
    if not is_small(archive):
        return Selection()
    with pytest.raises(NotSupported):
        await archive.search_series(Selection())
    return Selection(study_uids=all_of(studies, "StudyInstanceUID"))


def expected(keyword: str) -> list[str]:
    return sorted({str(data_set.get(keyword)) for data_set in truth()})


async def test_everything_is_found_once(archive: ArchiveClient) -> None:
    studies = await archive.search_studies(Selection())
    everything = await down_from(archive, studies.rows)
    series = await archive.search_series(everything)
    instances = await archive.search_instances(everything)
    assert sorted(set(all_of(studies.rows, "StudyInstanceUID"))) == expected("StudyInstanceUID")
    twins = 0 if is_small(archive) else 1  # one study is under two patients
    assert len(studies.rows) == len(expected("StudyInstanceUID")) + twins
    assert all_of(series.rows, "SeriesInstanceUID") == expected("SeriesInstanceUID")
    assert all_of(instances.rows, "SOPInstanceUID") == expected("SOPInstanceUID")
    assert studies.complete
    assert series.complete
    assert instances.complete


async def test_a_study_under_two_patients_is_two_rows(archive: ArchiveClient) -> None:
    answer = await archive.search_studies(Selection(study_uids=[TWO_PATIENTS]))
    if is_small(archive):  # it keeps the patient that came first
        assert all_of(answer.rows, "PatientID") == ["TWIN-A"]
        return
    assert all_of(answer.rows, "PatientID") == ["TWIN-A", "TWIN-B"]
    answer = await archive.search_studies(Selection(patient_id="TWIN-B"))
    assert [key("studies", row) for row in answer.rows] == [(TWO_PATIENTS, "TWIN-B", None)]


async def test_lists_of_studies(archive: ArchiveClient) -> None:
    wanted = [SPLIT, UNDATED, "1.2.3.99"]
    answer = await archive.search_studies(Selection(study_uids=wanted))
    assert all_of(answer.rows, "StudyInstanceUID") == [SPLIT, UNDATED]
    answer = await archive.search_series(Selection(study_uids=wanted))
    assert all_of(answer.rows, "SeriesInstanceUID") == [f"{SPLIT}.1", f"{SPLIT}.2", f"{UNDATED}.1"]
    assert set(all_of(answer.rows, "StudyInstanceUID")) == {SPLIT, UNDATED}
    answer = await archive.search_instances(Selection(study_uids=wanted))
    assert len(answer.rows) == 4


async def test_lists_of_series_and_instances(archive: ArchiveClient) -> None:
    series = Selection(study_uids=[SPLIT, UNDATED], series_uids=[f"{SPLIT}.1", f"{UNDATED}.1"])
    assert len((await archive.search_series(series)).rows) == 2
    answer = await archive.search_instances(series)
    assert all_of(answer.rows, "SOPInstanceUID") == [f"{SPLIT}.1.1", f"{SPLIT}.1.2", f"{UNDATED}.1.1"]
    alone = Selection(sop_uids=[f"{SPLIT}.1.2", f"{UNDATED}.1.1"])
    if is_small(archive):
        with pytest.raises(NotSupported):
            await archive.search_instances(alone)
    answer = await archive.search_instances(
        replace(alone, study_uids=[SPLIT, UNDATED]) if is_small(archive) else alone
    )
    assert all_of(answer.rows, "SOPInstanceUID") == [f"{SPLIT}.1.2", f"{UNDATED}.1.1"]


IN_2020 = {SPLIT, TWO_PATIENTS, CYRILLIC, JAPANESE}


@pytest.mark.parametrize(
    ("selection", "studies"),
    [
        (Selection(study_date=(date(2020, 1, 1), date(2020, 12, 31))), IN_2020),
        (Selection(study_date=(date(2020, 1, 2), date(2020, 12, 30))), {SPLIT, TWO_PATIENTS}),
        (Selection(study_date=(date(1999, 12, 31), date(1999, 12, 31))), {GREEK}),
        (Selection(study_date=(date(2020, 12, 31), None)), {JAPANESE}),
        (Selection(modality="OT", study_date=(date(2020, 1, 1), None)), {SPLIT}),
        (Selection(patient_id="P1"), {SPLIT}),
        (Selection(patient_id="P"), set()),
        (Selection(patient_id="nobody"), set()),
    ],
)
async def test_studies_by_date_modality_patient(
    archive: ArchiveClient, selection: Selection, studies: set[str]
) -> None:
    answer = await archive.search_studies(selection)
    built = {uid for uid in all_of(answer.rows, "StudyInstanceUID") if uid.startswith(SPLIT[:-2])}
    assert built == studies
    assert answer.complete


async def test_undated_studies_are_in_no_range_and_can_be_asked_for(archive: ArchiveClient) -> None:
    before = await archive.search_studies(Selection(study_date=(None, date(2030, 1, 1))))
    assert UNDATED not in all_of(before.rows, "StudyInstanceUID")
    undated = await archive.search_studies(Selection(undated=True))
    assert UNDATED in all_of(undated.rows, "StudyInstanceUID")
    assert all(not values(row, tag("StudyDate")) for row in undated.rows)
    assert len(before.rows) + len(undated.rows) == len((await archive.search_studies(Selection())).rows)


async def test_names_keep_their_letters_and_groups(archive: ArchiveClient) -> None:
    answer = await archive.search_studies(Selection(study_uids=list(NAMES)))
    found = {one(row, "StudyInstanceUID"): values(row, tag("PatientName")) for row in answer.rows}
    assert found == {uid: [name] for uid, name in NAMES.items()}


async def test_rows_carry_what_a_page_shows(archive: ArchiveClient) -> None:
    study = (await archive.search_studies(Selection(study_uids=[SPLIT]))).rows[0]
    assert one(study, "StudyDescription") == "two series"
    assert one(study, "PatientID") == "P1"
    if not is_small(archive):  # it keeps neither modalities nor counts of studies
        assert sorted(map(str, values(study, tag("ModalitiesInStudy")))) == ["CT", "OT"]
        assert one(study, "NumberOfStudyRelatedSeries") == "2"
        assert one(study, "NumberOfStudyRelatedInstances") == "3"
    here = Selection(study_uids=[SPLIT], series_uids=[f"{SPLIT}.1"])
    series = (await archive.search_series(here)).rows[0]
    shown = {"Modality": "CT", "SeriesNumber": "1", "StudyInstanceUID": SPLIT}
    if not is_small(archive):
        shown |= {"SeriesDescription": "one", "NumberOfSeriesRelatedInstances": "2"}
        shown |= {"Manufacturer": "GE MEDICAL SYSTEMS", "PatientID": "P1"}
    assert {name: one(series, name) for name in shown} == shown
    image = (await archive.search_instances(replace(here, sop_uids=[f"{SPLIT}.1.2"]))).rows[0]
    drawn = {"InstanceNumber": "2", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"}
    drawn |= {"StudyInstanceUID": SPLIT, "SeriesInstanceUID": f"{SPLIT}.1"}
    if not is_small(archive):
        drawn |= {"Rows": "128", "Columns": "128"}
    assert {name: one(image, name) for name in drawn} == drawn


async def test_transfer_syntaxes(archive: ArchiveClient) -> None:
    studies = (await archive.search_studies(Selection())).rows
    rows = (await archive.search_instances(await down_from(archive, studies))).rows
    found = {one(row, "SOPInstanceUID"): one(row, "AvailableTransferSyntaxUID") for row in rows}
    if archive.config.kind == "dicomweb":  # QIDO-RS of this Orthanc does not tell them
        found = {uid: syntax for uid, syntax in found.items() if syntax is not None}
    else:
        assert len(found) == len(truth())
    assert found.items() <= {ds.SOPInstanceUID: ds.file_meta.TransferSyntaxUID for ds in truth()}.items()


async def test_a_patient_id_that_urls_must_encode(archive: ArchiveClient) -> None:
    selection = Selection(patient_id=ODD_PATIENT_ID)
    if archive.config.kind == "dicomweb" and not is_small(archive):  # Debian's Orthanc would answer "nothing"
        with pytest.raises(NotSupported):
            await archive.search_studies(selection)
    else:
        for search in (archive.search_studies, archive.search_series, archive.search_instances):
            if is_small(archive) and search != archive.search_studies:
                selection = replace(selection, study_uids=[UNDATED])
            assert all_of((await search(selection)).rows, "StudyInstanceUID") == [UNDATED]


async def test_metadata(archive: ArchiveClient) -> None:
    if is_small(archive):
        with pytest.raises(NotSupported):
            await archive.metadata(SPLIT)
        return
    study = await archive.metadata(SPLIT)
    assert all_of(study, "SOPInstanceUID") == [f"{SPLIT}.1.1", f"{SPLIT}.1.2", f"{SPLIT}.2.1"]
    assert len(await archive.metadata(SPLIT, f"{SPLIT}.1")) == 2
    image = (await archive.metadata(SPLIT, f"{SPLIT}.1", f"{SPLIT}.1.2"))[0]
    assert one(image, "InstanceNumber") == "2"
    assert tag("PixelData") not in image
    assert "BulkDataURI" not in str(image)
    assert "http://" not in str(image)


async def test_representative(archive: ArchiveClient) -> None:
    if is_small(archive):
        with pytest.raises(NotSupported):
            await archive.representative(SPLIT, f"{SPLIT}.1")
    else:
        found = await archive.representative(SPLIT, f"{SPLIT}.1")
        assert found is not None
        assert one(found, "SeriesInstanceUID") == f"{SPLIT}.1"
        assert one(found, "SOPInstanceUID") in (f"{SPLIT}.1.1", f"{SPLIT}.1.2")
        assert "BulkDataURI" not in str(found)
    assert await archive.representative(SPLIT, "1.2.3.99") is None


async def test_metadata_of_what_is_not_there(archive: ArchiveClient) -> None:
    assert await archive.metadata("1.2.3.99") == []
    assert await archive.metadata("1.2.3.99", "1.2.3.99.1") == []
    assert await archive.metadata(SPLIT, f"{SPLIT}.1", "1.2.3.99") == []


async def test_metadata_of_a_study_under_two_patients(archive: ArchiveClient) -> None:
    if is_small(archive):
        with pytest.raises(NotSupported):
            await archive.metadata(TWO_PATIENTS)
    else:  # Orthanc answers 404; its series it gives
        assert all_of(await archive.metadata(TWO_PATIENTS), "PatientID") == ["TWIN-A", "TWIN-B"]


async def test_what_cannot_be_asked_is_refused(archive: ArchiveClient) -> None:
    with pytest.raises(NotSupported):
        await archive.search_studies(Selection(series_uids=["1.2.3"]))
    with pytest.raises(NotSupported):
        await archive.search_series(Selection(sop_uids=["1.2.3"]))


async def test_list_study_uids(archive: ArchiveClient) -> None:
    listed = await archive.list_study_uids()
    if archive.config.kind == "dicomweb":
        assert listed is None
    else:
        assert listed is not None
        assert sorted(listed) == expected("StudyInstanceUID")


async def test_health_and_probe(archive: ArchiveClient) -> None:
    health = await archive.health()
    assert health.state == "UP", health
    assert health.latency_ms is not None
    answers = await archive.probe()
    assert {"search", "uid_list", "query_decoding", "metadata", "counts", "change_feed"} <= answers.keys()


async def test_requests_are_counted_for_the_asker(archive: ArchiveClient) -> None:
    with metered() as meter:
        answer = await by_name(archive).search_studies(Selection(study_uids=[SPLIT]))
    assert answer.requests == meter.total == (0 if archive.config.kind == "folder" else 1)
