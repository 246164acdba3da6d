"""When capabilities are found out anew: none yet, a day old, or seen to be otherwise."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from archives.errors import Unreachable
from db.archives import save_capabilities
from indexer.probing import DOUBTFUL, PROBED_AT
from indexer.results import RunState
from tests.indexer.conftest import Bench
from tests.indexer.scripted import ScriptedArchive, breaks_after, uids


class Probed(ScriptedArchive):
    """Counts its probes; `drift` is what it says of what is known."""

    def __init__(self) -> None:
        super().__init__()
        self.fill(uids(3))
        self.probes = 0
        self.drift: str | None = None
        self.down = False

    async def probe(self) -> dict[str, str]:
        if self.down:
            raise Unreachable("eye: connection refused")
        self.probes += 1
        return {"offset": "yes"}

    def needs_probe(self, known: Mapping[str, str]) -> str | None:
        return self.drift


async def test_the_first_run_probes_and_the_next_ones_do_not(bench: Bench) -> None:
    archive = Probed()
    for _ in range(3):
        await bench.run(archive)
    assert archive.probes == 1
    known = (await bench.archive()).capabilities
    assert known["offset"] == "yes"
    probed_at = datetime.fromisoformat(known[PROBED_AT])
    assert datetime.now(UTC) - probed_at < timedelta(minutes=1)


async def test_a_probe_is_repeated_after_a_day(bench: Bench) -> None:
    archive = Probed()
    await bench.run(archive)
    old = (datetime.now(UTC) - timedelta(days=1, seconds=1)).isoformat()
    await save_capabilities(bench.database, (await bench.archive()).archive_id, {PROBED_AT: old})
    await bench.run(archive)
    assert archive.probes == 2
    assert (await bench.archive()).capabilities[PROBED_AT] > old


async def test_what_was_seen_otherwise_is_marked_and_probed_by_the_next_run(bench: Bench) -> None:
    archive = Probed()
    await bench.run(archive)

    def surprises(level: str, selection: object) -> None:
        archive.drift = "it no longer honours offset"

    archive.before = surprises
    await bench.run(archive, reconcile=True)
    assert (await bench.archive()).capabilities[DOUBTFUL] == "yes: it no longer honours offset"
    assert archive.probes == 1
    another_process = Probed()
    await bench.run(another_process)
    assert another_process.probes == 1
    assert DOUBTFUL not in (await bench.archive()).capabilities


async def test_a_failed_run_marks_them_too(bench: Bench) -> None:
    archive = Probed()
    await bench.run(archive)
    archive.drift, archive.probes = "it refuses /series, which it did not before", 0
    archive.before = breaks_after(0)
    archive.down = True
    assert (await bench.run(archive, reconcile=True)).state is RunState.FAILED
    known = (await bench.archive()).capabilities
    assert known["offset"] == "yes"  # an archive that cannot be probed keeps what was known
    assert DOUBTFUL in known
