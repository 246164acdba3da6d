"""Archives by code, and the meter that counts what they cost."""

import asyncio
from pathlib import Path

import pytest

from archives.client import Selection
from archives.dicomweb import DicomWebArchive
from archives.errors import NotSupported
from archives.folder import FolderArchive
from archives.meter import count_request, metered
from archives.orthanc import OrthancArchive
from archives.registry import open_archives
from config.archives_file import ArchiveConfig
from tests.archives.by_name import by_name
from tests.archives.faulty import faulty, holds, studies
from tests.archives.files import SPLIT, UNDATED, instance


async def test_archives_by_code_in_file_order(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/dicom-web"
    configs = [
        ArchiveConfig("z", "VASCERN", "Z", "dicomweb", url=url),
        ArchiveConfig("a", "VASCERN", "A", "orthanc", url=url),
        ArchiveConfig("m", "VASCERN", "M", "folder", path=tmp_path),
    ]
    async with open_archives(configs) as archives:
        assert [client.config.code for client in archives] == ["z", "a", "m"]
        assert [type(client) for client in archives] == [DicomWebArchive, OrthancArchive, FolderArchive]
        assert archives.get("a") is archives["a"]
        assert archives.get("nothing") is None
        assert "m" in archives
        assert len(archives) == 3


async def test_meters_count_tasks_and_nest() -> None:
    by_uid = Selection(study_uids=["1.2.3.1"])
    with faulty(holds(studies(3))) as server:
        configs = [ArchiveConfig(code, "VASCERN", "Z", "dicomweb", url=server.url) for code in "ab"]
        async with open_archives(configs) as archives:
            for client in archives:
                by_name(client)
            with metered() as outer:
                await archives["a"].search_studies(by_uid)
                with metered() as inner:
                    await asyncio.gather(*(client.search_studies(by_uid) for client in archives))
            await archives["a"].search_studies(by_uid)
    assert dict(inner.by_archive) == {"a": 1, "b": 1}
    assert dict(outer.by_archive) == {"a": 2, "b": 1}
    assert len(server.asked) == 4


def test_counting_without_a_meter_is_nothing() -> None:
    count_request("a")


async def test_a_folder_is_read_again_when_it_changes(tmp_path: Path) -> None:
    client = FolderArchive(ArchiveConfig("m", "VASCERN", "M", "folder", path=tmp_path / "disc"))
    health = await client.health()
    assert (health.state, health.error_code) == ("DOWN", "UNREACHABLE")
    assert str(tmp_path) not in str(health.error_message)
    (tmp_path / "disc" / "deep").mkdir(parents=True)
    assert await client.list_study_uids() == []
    (tmp_path / "disc" / "deep" / "1").write_bytes(instance(SPLIT))
    (tmp_path / "disc" / "2.dcm").write_bytes(instance(UNDATED))
    (tmp_path / "disc" / "broken.dcm").write_bytes(instance(UNDATED, 2)[:200])
    assert sorted(await client.list_study_uids() or []) == [SPLIT, UNDATED]
    (tmp_path / "disc" / "2.dcm").unlink()
    assert await client.list_study_uids() == [SPLIT]
    with pytest.raises(NotSupported):
        await client.store([b""])
    with pytest.raises(NotSupported):
        await client.changes(0)
    await client.close()
