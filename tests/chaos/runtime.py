"""What is killed: Orthancs that keep their port, and the processes of ernfed."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.orthanc import OrthancServer, free_port, start_orthanc, stop_orthanc

ROOT = Path(__file__).parents[2]
ERNS = ("ERN-EYE", "ERN-RND", "VASCERN", "ERN-EURACAN")
SYNC_EVERY, RECONCILE_EVERY = 1, 15  # seconds


@dataclass
class Archive:
    """One Orthanc. Objects below studies are indexed in every second one (`deep`)."""

    code: str
    ern: str
    directory: Path
    deep: bool
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None
    server: OrthancServer | None = None
    back_at: float = 0.0

    @property
    def is_up(self) -> bool:
        return self.server is not None

    def start(self) -> None:
        self.server, self.process = start_orthanc(self.directory, at=self.port)

    def stop(self, number: signal.Signals, for_seconds: float) -> None:
        """Sends the signal; `revive` starts it again when it is gone and the time is over."""
        assert self.process is not None
        self.process.send_signal(number)
        self.server, self.back_at = None, time.monotonic() + for_seconds

    def revive(self, *, now: bool = False) -> bool:
        """True when it was started again."""
        if self.server is not None or (not now and time.monotonic() < self.back_at):
            return False
        assert self.process is not None
        if now:
            stop_orthanc(self.process)
        if self.process.poll() is None:
            return False
        self.start()
        return True

    def table(self) -> str:
        """Its table of archives.toml."""
        return (
            f'[[archive]]\ncode = "{self.code}"\nern = "{self.ern}"\ntitle = "{self.code}"\nkind = "orthanc"\n'
            f'url = "http://127.0.0.1:{self.port}/dicom-web"\nindex = "{"instance" if self.deep else "series"}"\n'
            f'sync_every = "{SYNC_EVERY}s"\nreconcile_every = "{RECONCILE_EVERY}s"\ntimeout = "5s"\n'
            'breaker_rest = "1s"\nremoval_limit = 0.5\n'
        )


@dataclass
class Ernfed:
    """One process of ours, started again after each kill."""

    arguments: tuple[str, ...]
    environment: dict[str, str]
    log: Path
    process: "subprocess.Popen[bytes] | None" = None
    kills: int = 0
    back_at: float = 0.0

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "cli", *self.arguments],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )

    def kill(self, for_seconds: float) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process, self.kills, self.back_at = None, self.kills + 1, time.monotonic() + for_seconds

    def revive(self, *, now: bool = False) -> None:
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError(f"{' '.join(self.arguments)} ended by itself: see {self.log}")
        if self.process is None and (now or time.monotonic() >= self.back_at):
            self.start()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@dataclass
class Chaos:
    """Everything that runs."""

    archives: list[Archive]
    workers: list[Ernfed]
    server: Ernfed
    url: str

    @property
    def ours(self) -> list[Ernfed]:
        return [*self.workers, self.server]

    def confirm(self, code: str) -> None:
        """What an operator does about an archive that lost much while nobody could look."""
        subprocess.run(
            [sys.executable, "-P", "-m", "cli", "index", "reconcile", "--archive", code, "--confirm"],
            cwd=ROOT,
            env=self.server.environment,
            capture_output=True,
            timeout=60,
            check=False,
        )

    def stop(self) -> None:
        for each in self.ours:
            each.stop()
        for archive in self.archives:
            if archive.process is not None:
                stop_orthanc(archive.process)


def start(folder: Path, database_url: str) -> Chaos:
    """Starts all of it; the caller stops it."""
    archives = [
        Archive(ern.lower(), ern, folder / ern.lower(), deep=number % 2 == 0)
        for number, ern in enumerate(ERNS)
    ]
    file = folder / "archives.toml"
    file.write_text("\n".join(archive.table() for archive in archives), encoding="utf-8")
    environment = os.environ | {"ERNFED_DATABASE_URL": database_url, "ERNFED_ARCHIVES": str(file)}
    environment |= {"PYTHONPATH": str(ROOT)}
    port = free_port()
    chaos = Chaos(
        archives,
        [Ernfed(("index", "watch"), environment, folder / f"worker{n}.log") for n in (1, 2)],
        Ernfed(("serve", "--port", str(port)), environment, folder / "server.log"),
        f"http://127.0.0.1:{port}",
    )
    try:
        for archive in archives:
            archive.start()
        for each in chaos.ours:
            each.start()
    except BaseException:
        chaos.stop()
        raise
    return chaos
