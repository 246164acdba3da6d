"""What lies in which sample archive."""

import logging
import warnings
from collections import defaultdict
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import FileDataset

from cli.demo.samples import (
    ARCHIVES,
    DISAGREEING,
    SHARED_SERIES_UID,
    SPLIT_STUDY_UID,
    build_samples,
    find_package_files,
)
from model.erns import ERNS
from model.uids import is_uid

RND, VASCERN, EYE, EURACAN = (archive.code for archive in ARCHIVES)
Held = dict[str, list[FileDataset]]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    return build_samples(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="module")
def held(files: dict[str, list[Path]]) -> Held:
    """Archive code → headers."""
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            code: [pydicom.dcmread(path, stop_before_pixels=True) for path in paths]
            for code, paths in files.items()
        }


def modalities(headers: list[FileDataset]) -> set[str]:
    return {header.get("Modality") or "" for header in headers}


def test_each_archive_is_of_a_network_and_holds_what_fits(held: Held) -> None:
    assert {archive.ern for archive in ARCHIVES} <= set(ERNS)
    assert modalities(held[RND]) == {"MR"}
    assert {"CT", "US", "RTPLAN"} <= modalities(held[VASCERN])
    assert {"OP", "OPT", "OT"} <= modalities(held[EYE])
    assert {"CT", "SM", "RTSTRUCT", "RTDOSE", "SEG", "SR"} <= modalities(held[EURACAN])
    assert sum(map(len, held.values())) > 190


def test_every_file_has_valid_uids(held: Held) -> None:
    for headers in held.values():
        for header in headers:
            assert is_uid(header.StudyInstanceUID)
            assert is_uid(header.SeriesInstanceUID)
            assert is_uid(header.SOPInstanceUID)


def test_the_split_study_lies_in_two_archives(held: Held) -> None:
    parts = {
        code: [header for header in headers if header.StudyInstanceUID == SPLIT_STUDY_UID]
        for code, headers in held.items()
    }
    assert {code for code, part in parts.items() if part} == {EURACAN, VASCERN}
    assert modalities(parts[EURACAN]) == {"CT", "RTSTRUCT", "RTDOSE"}
    assert modalities(parts[VASCERN]) == {"CT", "RTPLAN"}
    assert len({str(header.PatientID) for part in parts.values() for header in part}) == 1
    both = {header.SeriesInstanceUID for header in parts[EURACAN]} & {
        header.SeriesInstanceUID for header in parts[VASCERN]
    }
    assert both == {SHARED_SERIES_UID}
    shared = [
        {header.SOPInstanceUID for header in parts[code] if header.SeriesInstanceUID == SHARED_SERIES_UID}
        for code in (EURACAN, VASCERN)
    ]
    assert shared[0] == shared[1]


def test_the_copies_disagree_about_one_attribute(held: Held) -> None:
    copies = [
        next(header for header in held[code] if header.SeriesInstanceUID == SHARED_SERIES_UID)
        for code in (EURACAN, VASCERN)
    ]
    differing = {
        element.keyword for element in copies[0] if element.value != copies[1].get(element.tag, element).value
    }
    assert differing == {DISAGREEING}


def test_every_character_set_of_the_packages_is_there(held: Held) -> None:
    there = {str(header.get("SpecificCharacterSet")) for headers in held.values() for header in headers}
    root = Path(pydicom.__file__).parent / "data" / "charset_files"
    carried = {
        str(pydicom.dcmread(path, stop_before_pixels=True).get("SpecificCharacterSet"))
        for path in root.glob("*.dcm")
    }
    assert len(carried) >= 10
    assert carried <= there


def test_names_dates_requests_and_private_tags(held: Held) -> None:
    made = [
        header for headers in held.values() for header in headers if header.get("Manufacturer") == "ernfed"
    ]
    names = " ".join(str(header.PatientName) for header in made)
    for letters in ("Παπαδόπουλος", "Müller", "Wiśniewska"):
        assert letters in names
    assert len({header.StudyDate[:4] for header in made}) >= 7
    assert any(header.StudyDate == "" for header in made)
    assert any("RequestAttributesSequence" in header for header in made)
    private = next(header for header in made if header.Modality == "MR").private_block(0x0043, "ERNFED DEMO")
    assert "series" in private[0x01].value


def test_pixels_are_as_long_as_they_say(files: dict[str, list[Path]]) -> None:
    for path in (path for paths in files.values() for path in paths if path.name.startswith("made-")):
        image = pydicom.dcmread(path)
        if "PixelData" in image:
            expected = (image.Rows * image.Columns * image.SamplesPerPixel * image.BitsAllocated // 8) * int(
                image.get("NumberOfFrames", 1)
            )
            assert len(image.PixelData) == expected, path.name


def test_the_same_files_at_every_run(files: dict[str, list[Path]], tmp_path: Path) -> None:
    again = build_samples(tmp_path)
    contents: dict[str, list[list[bytes]]] = defaultdict(list)
    for run in (files, again):
        for code, paths in run.items():
            contents[code].append([path.read_bytes() for path in paths if path.name.startswith("made-")])
            assert [path.name for path in paths] == [path.name for path in files[code]]
    assert all(first == second for first, second in contents.values())


def test_what_was_left_out_is_counted() -> None:
    found = find_package_files()
    assert found.left_out["not a DICOM file"] > 0
    assert found.left_out["no valid UIDs"] > 0
    assert len(found.taken) > 150
