"""A real Orthanc whose database is another one after a restart, with a longer feed than was followed."""

from pathlib import Path
from typing import Any

import pytest

from archives.orthanc import OrthancArchive
from config.archives_file import ArchiveConfig
from indexer.results import RunState
from tests.archives.files import SPLIT, instance
from tests.indexer.conftest import Bench
from tests.orthanc import require_orthanc, start_orthanc, stop_orthanc


@pytest.mark.orthanc
async def test_another_database_behind_the_same_address(bench: Bench, tmp_path: Path) -> None:
    require_orthanc()
    uids = [f"{SPLIT}.{n}" for n in range(1, 4)]
    server, process = start_orthanc(tmp_path / "first")
    config = ArchiveConfig("eye", "ERN-EYE", "Eye", "orthanc", server.dicomweb, breaker_failures=100)
    archive: Any = OrthancArchive(config)
    try:
        for uid in uids:
            server.upload(instance(uid, StudyDescription="first"))
        assert (await bench.run(archive)).full
        followed = (await bench.archive()).change_cursor or 0
        stop_orthanc(process)

        server, process = start_orthanc(tmp_path / "second", at=int(server.root.rsplit(":", 1)[1]))
        for uid in uids:
            for number in range(1, 6):
                server.upload(instance(uid, number, 1, StudyDescription="second"))
        assert server.call("GET", "/changes?last")["Last"] > followed
        result = await bench.run(archive)
        assert (result.state, result.full) == (RunState.COMPLETED, True)
        assert await bench.rows("study_uid, study_description", "study") == [(uid, "second") for uid in uids]
        again = await bench.run(archive)
        assert (again.state, again.full, again.studies) == (RunState.COMPLETED, False, 0)
    finally:
        await archive.close()
        stop_orthanc(process)
