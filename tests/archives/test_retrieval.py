"""Instances and frames from each kind of archive: the same, whatever it can do itself."""

from io import BytesIO

import pytest
from pydicom import dcmread

from archives.client import ArchiveClient
from archives.errors import Rejected
from archives.multipart import Begin
from archives.retrieval import AS_STORED, Retrieving, WantedObject
from tests.archives.conftest import SMALL_PACS
from tests.archives.files import everything

OCTETS = ('multipart/related; type="application/octet-stream"; transfer-syntax=*',)


async def retrieved(archive: ArchiveClient, wanted: WantedObject) -> list[tuple[Begin, bytes]]:
    assert isinstance(archive, Retrieving)
    found: list[tuple[Begin, bytes]] = []
    async for event in archive.retrieve(wanted):
        found = (
            [*found, (event, b"")]
            if isinstance(event, Begin)
            else [*found[:-1], (found[-1][0], found[-1][1] + event)]
        )
    return found


async def test_instances_and_their_frames(archive: ArchiveClient) -> None:
    seen = set()
    for content in everything():
        told = dcmread(BytesIO(content))
        uids = (str(told.StudyInstanceUID), str(told.SeriesInstanceUID), str(told.SOPInstanceUID))
        ((begin, instance),) = await retrieved(archive, WantedObject(uids, AS_STORED))
        assert begin.parameters["transfer-syntax"] == told.file_meta.TransferSyntaxUID
        assert dcmread(BytesIO(instance)).SOPInstanceUID == told.SOPInstanceUID
        assert instance == content or archive.config.code == SMALL_PACS  # which writes files anew
        if "PixelData" not in told:
            continue
        ((begin, frame),) = await retrieved(archive, WantedObject(uids, OCTETS, "frames/1", may_fail=True))
        assert begin.parameters["transfer-syntax"] == told.file_meta.TransferSyntaxUID
        seen.add(begin.type)
        if begin.type == "application/octet-stream":
            assert frame.rstrip(b"\0") == told.PixelData.rstrip(b"\0")
        with pytest.raises(Rejected):
            await retrieved(archive, WantedObject(uids, OCTETS, "frames/2", may_fail=True))
    assert seen == {"application/octet-stream", "image/jp2", "image/dicom-rle"}


async def test_what_is_not_there(archive: ArchiveClient) -> None:
    for uids in (("1.2.3",), ("1.2.3", "1.2.3.4"), ("1.2.3", "1.2.3.4", "1.2.3.4.5")):
        with pytest.raises(Rejected) as refused:
            await retrieved(archive, WantedObject(uids, AS_STORED))
        assert refused.value.status == 404
        assert refused.value.message.startswith(f"{archive.config.code}: ")
