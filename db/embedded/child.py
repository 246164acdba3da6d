"""Child processes that never outlive us, not even after kill -9. Nothing of what runs in them."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LAUNCHER = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True, slots=True)
class Account:
    """The user a child runs as."""

    uid: int
    gid: int


class Child:
    """One running child. The kernel sends it `death_signal` when this process ends in whatever way."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str],
        account: Account | None = None,
        death_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        uid, gid = (account.uid, account.gid) if account else (-1, -1)
        self._command = [
            sys.executable,
            *("-I", "-S", str(_LAUNCHER), str(os.getpid()), str(int(death_signal)), str(uid), str(gid)),
            *arguments,
        ]
        self._log, self._env = log, dict(env)
        self._process: subprocess.Popen[bytes] | None = None
        self._failure: OSError | None = None
        self._started, self._ended = threading.Event(), threading.Event()
        # The death signal fires when the *thread* that forked ends: that thread stays as long as the child.
        threading.Thread(target=self._keep, name=f"keeper of {arguments[0]}", daemon=True).start()
        self._started.wait()
        if self._failure is not None:
            raise self._failure

    def _keep(self) -> None:
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
            output = os.open(self._log, flags, 0o600)
            try:
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=self._env,
                    cwd="/",
                    start_new_session=True,  # Ctrl-C is for us: we stop children in order
                )
            finally:
                os.close(output)
        except OSError as error:
            self._failure = error
            self._started.set()
            return
        self._started.set()
        self._process.wait()
        self._ended.set()

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None  # noqa: S101 - __init__ raised otherwise
        return self._process.pid

    def running(self) -> bool:
        """False as soon as it has ended."""
        return not self._ended.is_set()

    def stop(self, steps: Iterable[tuple[signal.Signals, float]]) -> None:
        """Each signal in turn with the seconds it gets; then SIGKILL. Returns when it is gone."""
        for step, seconds in (*steps, (signal.SIGKILL, 10.0)):
            if self._ended.is_set():
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, step)
            if self._ended.wait(seconds):
                return


def processes_where(test: Callable[[Path], bool]) -> list[int]:
    """Ids of processes whose /proc folder passes `test`; unreadable ones are not ours. [] without /proc."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if test(folder):
                found.append(int(folder.name))
    return found


def end_leftovers(test: Callable[[Path], bool], steps: Iterable[tuple[signal.Signals, float]]) -> list[int]:
    """Ends processes that a killed run left behind: the oldest first, so that a server ends its own children.

    Returns the ids that were found. Raises TimeoutError when some are still there after SIGKILL.
    """
    found = sorted(processes_where(test))
    for step, seconds in (*steps, (signal.SIGKILL, 10.0)):
        left = sorted(processes_where(test))
        for pid in left if step == signal.SIGKILL else left[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, step)
        deadline = time.monotonic() + seconds
        while processes_where(test):
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        else:
            return found
    raise TimeoutError(f"processes {found} do not end")
