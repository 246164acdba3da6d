"""Names that an archive did not decode: the study is found, the rubbish is not indexed, and a note says so."""

from pathlib import Path

import pydicom
import pytest

from archives.registry import open_archives
from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from indexer.results import RunState
from indexer.run import index_once
from tests.indexer.conftest import Bench
from tests.indexer.scripted import ScriptedArchive, uids
from tests.orthanc import running_orthanc

CHARSETS = Path(pydicom.__file__).parent / "data/charset_files"
NOTE = "in the index, but not decoded by its character set: "


async def test_a_name_with_escape_sequences(bench: Bench) -> None:
    archive = ScriptedArchive()
    archive.fill(uids(2))
    name = {"Alphabetic": "Yamada^Tarou", "Ideographic": "\x1b$B;3ED\x1b(B"}
    archive.studies[0]["00100010"] = {"vr": "PN", "Value": [name]}
    for _ in range(2):
        result = await bench.run(archive, reconcile=True)
        assert (result.state, result.error_code, result.rejected) == (RunState.COMPLETED, None, 0)
    assert await bench.rows("study_uid, patient_name", "study") == [
        (uids(1)[0], "Yamada^Tarou"),
        (uids(2)[1], None),
    ]
    assert await bench.rows("level, uid, reason", "rejected_record") == [
        ("study", uids(1)[0], f"{NOTE}00100010")
    ]


@pytest.mark.orthanc
async def test_orthanc_strips_the_escapes_of_ir_13(bench: Bench, tmp_path: Path) -> None:
    """Measured on 1.10.1: chrH31 (IR 87) is decoded, of chrH32 (IR 13 and IR 87) two groups are not."""
    files = [(CHARSETS / name).read_bytes() for name in ("chrH31.dcm", "chrH32.dcm")]
    with running_orthanc(tmp_path / "orthanc", files) as server:
        config = ArchiveConfig("eye", "ERN-EYE", "Eye", "orthanc", url=server.dicomweb, timeout=20)
        async with open_archives([config]) as archives:
            await sync_archives(bench.database, [config])
            assert (await index_once(bench.database, archives))[0].all_done
    assert await bench.rows("patient_name", "study") == [
        ("Yamada^Tarou=山田^太郎=やまだ^たろう",),
        ("ﾔﾏﾀﾞ^ﾀﾛｳ",),
    ]
    notes = await bench.rows("level, reason", "rejected_record")
    assert ("study", f"{NOTE}00100010") in notes
