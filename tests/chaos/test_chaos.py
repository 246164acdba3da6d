"""A short chaos: `python -m tests.chaos` is the long one."""

from pathlib import Path

import pytest

from tests.chaos.run import run_chaos
from tests.orthanc import require_orthanc


@pytest.mark.orthanc
@pytest.mark.timeout(300)
async def test_the_index_equals_the_archives_afterwards(tmp_path: Path, database_url: str) -> None:
    require_orthanc()
    report = await run_chaos(tmp_path, database_url, seconds=15, seed=7, deletions=2)
    print(report)  # noqa: T201
    assert report.differing == 0, str(report)
    assert report.events[1] == []
    assert report.events[0] > 0
    assert report.total[0] == report.total[1] > 0
    assert report.operations.total() > 10
    assert report.kills.total() + report.stops > 0
    assert not [answer for answer in report.answers if answer.startswith(("HTTP", "errors"))]
