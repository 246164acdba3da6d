"""Files with a bad value: it is kept as written and noted, everything beside it stays, no value is changed."""

import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from archives.client import Selection
from archives.folder import FolderArchive
from config.archives_file import ArchiveConfig
from model.attributes import Level
from model.dicom_json import parse_row
from model.odd_json import DataSet
from model.records import Record

# What a file says → (vr, the values that come of it, what is noted).
WRITTEN: dict[str, tuple[str, bytes, list[Any], str]] = {
    "DS with a comma": ("DS", b"0,625 ", ["0,625"], "no DS, kept as written"),
    "DS of several, one bad": ("DS", b"0.5\\0,625 ", [0.5, "0,625"], "no DS, kept as written"),
    "DS that is right": ("DS", b"70.50 ", [70.5], ""),
    "DS of many digits": ("DS", b"0.1234567890123456789", ["0.1234567890123456789"], ""),
    "DS without a value": ("DS", b"", [], ""),
    "DS of NaN": ("DS", b"NaN ", ["NaN"], "no DS, kept as written"),
    "IS with a fraction": ("IS", b"1.5 ", ["1.5"], "no IS, kept as written"),
    "IS with zeros": ("IS", b"007 ", [7], ""),
    "IS of letters": ("IS", b"many", ["many"], "no IS, kept as written"),
    "IS with one empty value": ("IS", b"1\\\\3 ", [1, None, 3], ""),
    "US of three bytes": ("US", b"\x01\x00\x02", [], "left out: no US"),
    "FD of NaN": ("FD", b"\x00\x00\x00\x00\x00\x00\xf8\x7f", [], "left out: no number that there is"),
    "DA of words": ("DA", b"unknown ", ["unknown"], ""),
    "DA of ACR-NEMA": ("DA", b"2020.01.02", ["20200102"], ""),
    "TM of ACR-NEMA": ("TM", b"10:15:00", ["101500"], ""),
    "AS too short": ("AS", b"34Y ", ["34Y"], ""),
    "CS too long": ("CS", b"X" * 30, ["X" * 30], ""),
    "UI of letters": ("UI", b"1.2.abc\0", ["1.2.abc"], ""),
    "AT": ("AT", b"\x10\x00\x20\x00", ["00100020"], ""),
    "LT with a backslash": ("LT", b"a\\b ", ["a\\b"], ""),
}
TAGS = {
    "DS": 0x00280030, "IS": 0x00081160, "US": 0x00280010, "FD": 0x0018602C, "DA": 0x00080022, "TM": 0x00080032,
    "AS": 0x00101010, "CS": 0x00080008, "UI": 0x00080058, "AT": 0x00209165, "LT": 0x00104000,
}  # fmt: skip
BESIDE = 0x0008103E
SEQUENCE = 0x00081115


def element(tag: int, vr: str, value: bytes, *, explicit: bool) -> bytes:
    """Little endian (PS3.5 7.1), as it stands here: no library would write most of these."""
    begin = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    if not explicit:
        return begin + struct.pack("<I", len(value)) + value
    if vr in ("SQ", "OW"):
        return begin + vr.encode() + b"\0\0" + struct.pack("<I", len(value)) + value
    return begin + vr.encode() + struct.pack("<H", len(value)) + value


def write(path: Path, syntax: str, *more: tuple[int, str, bytes]) -> None:
    """A file with all of these, in an item of a sequence each with an attribute beside it; `more` is at its top."""
    explicit = syntax == ExplicitVRLittleEndian
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, UID("1.4")
    header = DicomBytesIO()
    write_file_meta_info(header, meta)
    items = b""
    for vr, written, *_ in WRITTEN.values():
        elements = sorted([(TAGS[vr], vr, written), (BESIDE, "LO", b"beside")])
        item = b"".join(element(*each, explicit=explicit) for each in elements)
        items += struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item
    top = [
        (0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.2\0"),
        (0x00080018, "UI", b"1.4\0"),
        (SEQUENCE, "SQ", items),
        (0x00100020, "LO", b"P "),
        (0x0020000D, "UI", b"1.2\0"),
        (0x0020000E, "UI", b"1.3\0"),
        *more,
    ]
    body = b"".join(element(*each, explicit=explicit) for each in sorted(top))
    path.write_bytes(b"\0" * 128 + b"DICM" + header.getvalue() + body)


@pytest.fixture(params=[ExplicitVRLittleEndian, ImplicitVRLittleEndian], ids=["explicit", "implicit"])
async def archive(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[FolderArchive]:
    write(tmp_path / "one.dcm", request.param)
    client = FolderArchive(ArchiveConfig("f", "ERN-EYE", "F", "folder", path=tmp_path))
    yield client
    await client.close()


async def test_a_bad_value_spoils_nothing_beside_it(archive: FolderArchive) -> None:
    (row,) = await archive.metadata("1.2")
    assert isinstance(row, DataSet)
    items = row[f"{SEQUENCE:08X}"]["Value"]
    assert len(items) == len(WRITTEN)
    for (name, (vr, _, expected, _note)), item in zip(WRITTEN.items(), items, strict=True):
        element = item[f"{TAGS[vr]:08X}"]
        assert (element["vr"], element.get("Value", [])) == (vr, expected), name
        assert item[f"{BESIDE:08X}"]["Value"] == ["beside"], name
    noted = {name: (vr, note) for name, (vr, _, _, note) in WRITTEN.items() if note}
    assert {tag.split(".")[1] for tag in row.notes} == {f"{TAGS[vr]:08X}" for vr, _ in noted.values()}
    record = parse_row(Level.INSTANCE, row)
    assert isinstance(record, Record)
    assert "00081115.00280030 no DS, kept as written" in record.notes
    assert "0,625" not in record.notes


async def test_the_file_is_in_every_search(archive: FolderArchive) -> None:
    selection = Selection(study_uids=["1.2"])
    for search in (archive.search_studies, archive.search_series, archive.search_instances):
        assert len((await search(selection)).rows) == 1
    assert await archive.representative("1.2", "1.3") is not None


async def test_a_bad_value_of_a_search(tmp_path: Path) -> None:
    """InstanceNumber 1.5 is not 1: the column is empty, the text is kept, the instance is there."""
    write(tmp_path / "one.dcm", ExplicitVRLittleEndian, (0x00200013, "IS", b"1.5 "))
    client = FolderArchive(ArchiveConfig("f", "ERN-EYE", "F", "folder", path=tmp_path))
    (row,) = (await client.search_instances(Selection(study_uids=["1.2"]))).rows
    await client.close()
    record = parse_row(Level.INSTANCE, row)
    assert isinstance(record, Record)
    assert row["00200013"] == {"vr": "IS", "Value": ["1.5"]}
    assert record.notes == "00200013 no IS, kept as written"
