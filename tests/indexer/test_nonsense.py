"""What an Orthanc answers beside DICOMweb may be anything: a run ends with a code of the archive's, or is completed."""

import json
from typing import Any

import pytest

from archives.orthanc import OrthancArchive
from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from indexer.results import RunState
from indexer.run import index_once
from tests.archives.faulty import Exchange, faulty
from tests.faults.shelf import asked_rows, behaves, level_of
from tests.indexer.conftest import Bench

ODD: dict[str, bytes] = {
    "null": b"null",
    "a number": b"7",
    "a text": b'"x"',
    "empty": b"{}",
    "a list of lists": b"[[[]], 7, null]",
    "deep": b"[" * 900 + b"]" * 900,
    "deeper": b"[NaN," * 3000 + b"1" + b"]" * 3000,
}
WRONG: tuple[Any, ...] = ([], 2**63)
UIDS = ("1.2.3.1", "1.2.3.2")
PATHS = ("/system", "/statistics", "/changes", "/studies", "/tools/bulk-content")


def well(path: str) -> Any:
    change = {"ChangeType": "NewStudy", "Date": "x", "ID": "id1", "Seq": 2, "ResourceType": "Study"}
    studies = [{"ID": f"id{n}", "MainDicomTags": {"StudyInstanceUID": uid}} for n, uid in enumerate(UIDS, 1)]
    return {
        "/system": {"Name": "o", "Version": "1"},
        "/statistics": {"CountSeries": 15, "CountInstances": 28},
        "/changes": {"Changes": [change], "Done": True, "Last": 3},
        "/studies": ["id1", "id2"],
        "/tools/bulk-content": studies,
    }.get(path)


def with_value(path: str, wrong: object) -> list[Any]:
    """The answer of a path, each time with one of its values wrong."""
    answers: list[Any] = []

    def visit(node: Any) -> None:
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            kept = node[key]
            node[key] = wrong
            answers.append(json.loads(json.dumps(answer)))
            node[key] = kept
            if isinstance(kept, (dict, list)):
                visit(kept)

    answer = well(path)
    visit(answer)
    return answers


CASES: dict[str, tuple[str, list[bytes]]] = {
    **{f"{path} {name}": (path, [body]) for path in PATHS for name, body in ODD.items()},
    **{
        f"{path} with {str(wrong)[:9]}": (
            path,
            [json.dumps(answer).encode() for answer in with_value(path, wrong)],
        )
        for path in PATHS
        for wrong in WRONG
    },
    "/studies with NUL": (
        "/tools/bulk-content",
        [json.dumps([{"ID": "id1", "MainDicomTags": {"StudyInstanceUID": "1.2\0.3"}}]).encode()],
    ),
    "half a character beside NaN": (
        "/tools/bulk-content",
        [b'[{"ID": "id1", "x": NaN, "MainDicomTags": {"StudyInstanceUID": "1.2\\ud800"}}]'],
    ),
}


@pytest.mark.parametrize("path", PATHS)
async def test_a_run_never_ends_by_a_fault_of_ours(bench: Bench, path: str) -> None:
    said: bytes | None = None

    def behave(exchange: Exchange) -> None:
        if exchange.path.startswith("/dicom-web/"):
            rows = [row for row in asked_rows(exchange) if str(row["0020000D"]["Value"][0]) in UIDS]  # type: ignore[index]
            behaves(exchange, rows if level_of(exchange) != "instances" else [])
        elif exchange.path == path and said is not None:
            exchange.reply(200, said)
        else:
            exchange.reply(200, json.dumps(well(exchange.path)).encode())

    with faulty(behave) as server:
        config = ArchiveConfig(
            "eye", "ERN-EYE", "E", "orthanc", url=server.url, index="study", breaker_failures=10_000
        )
        client = OrthancArchive(config)
        await sync_archives(bench.database, [config])
        await index_once(bench.database, [client])
        for name, (where, bodies) in CASES.items():
            for said in bodies if where == path else ():
                await bench.database.execute("test", "update archive set change_cursor = 1")
                (result,) = await index_once(bench.database, [client], reconcile=path == "/studies")
                assert result.error_code != "INTERNAL", f"{name}: {said[:200]!r}"
                assert set(await bench.studies()) <= set(UIDS)
        said = None
        (result,) = await index_once(bench.database, [client], reconcile=True, confirmed=True)
        assert (result.state, result.error_code) == (RunState.COMPLETED, None)
        assert await bench.studies() == list(UIDS)
        await client.close()
