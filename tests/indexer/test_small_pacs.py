"""An index run over a real server that is not Orthanc: no listing, no feed, no lists of UIDs, few attributes."""

from collections.abc import Iterator

import pytest

from archives.registry import open_archives
from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from indexer.results import RunState
from indexer.run import index_once
from tests.archives.files import GREEK, SPLIT, everything, instance, truth
from tests.indexer.conftest import Bench
from tests.small_pacs import running_small_pacs, upload


@pytest.fixture
def pacs() -> Iterator[str]:
    with running_small_pacs(everything()) as dicomweb:
        yield dicomweb


async def test_runs_over_tiny_pacs(bench: Bench, pacs: str) -> None:
    config = ArchiveConfig("eye", "ERN-EYE", "Eye", "dicomweb", url=pacs, index="instance", timeout=20)
    async with open_archives([config]) as archives:
        await sync_archives(bench.database, [config])
        first = (await index_once(bench.database, archives))[0]
        assert (first.state, first.error_code, first.rejected) == (RunState.COMPLETED, None, 0)
        held = [{ds.StudyInstanceUID for ds in truth()}, {ds.SeriesInstanceUID for ds in truth()}]
        assert await bench.counts() == (*map(len, held), len(truth()))
        assert await bench.studies() == sorted(held[0])
        names = dict(await bench.rows("study_uid, patient_name", "study"))
        assert names[GREEK] == "Παπαδόπουλος^Ελένη"
        row = await bench.archive()
        assert (row.health_state, row.capabilities["server"]) == ("UP", "it says: tiny_pacs")
        assert row.capabilities["uid_list"].startswith("no")

        upload(pacs, instance(f"{SPLIT}99", StudyDescription="came later"))
        second = (await index_once(bench.database, archives, reconcile=True))[0]
        assert (second.state, second.reconciled, second.removed) == (RunState.COMPLETED, True, 0)
        assert await bench.counts() == (len(held[0]) + 1, len(held[1]) + 1, len(truth()) + 1)
