"""Started as a program: the parent of one Postgres, which lives as long as anybody uses it and not longer.

Arguments: USERS-FILE LOCK-FD UID GID PROGRAM ARG…; UID -1 keeps the user. It belongs to nobody:
who started it may end before others who use the server. Not imported by anything; what the locks mean is said in
users.py.
"""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

_LAUNCHER = Path(__file__).with_name("launcher.py")
# Fast shutdown, then immediate shutdown (the next start recovers), then SIGKILL.
_STOP = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 10.0))


class ServerEnded(Exception):
    """The server ended by itself."""


def main() -> None:
    """Starts the server, waits until nobody uses it, stops it. LOCK-FD is closed, and so unlocked, by our end."""
    users = os.open(sys.argv[1], os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    # Whoever signals all processes of a service means those who use the server: their end is what we wait for.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    server = subprocess.Popen(
        [
            *(sys.executable, "-I", "-S", str(_LAUNCHER)),
            *(str(os.getpid()), str(int(signal.SIGINT)), *sys.argv[3:]),
        ],
        stdin=subprocess.DEVNULL,
    )
    try:
        signal.signal(signal.SIGCHLD, _ended)
        if server.poll() is None:
            fcntl.flock(users, fcntl.LOCK_EX)
    except ServerEnded:
        sys.exit(1)
    finally:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, seconds in _STOP:
        if server.poll() is not None:
            break
        server.send_signal(number)
        try:
            server.wait(seconds)
        except subprocess.TimeoutExpired:
            continue


def _ended(number: int, frame: FrameType | None) -> None:
    raise ServerEnded


if __name__ == "__main__":
    main()
