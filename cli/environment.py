"""Makes .venv from a lock file, for `./run`. Runs on the system's Python: standard library only.

Arguments: FOLDER KIND (run or dev). `./run` writes the stamp that says the environment is complete.
"""

import fcntl
import re
import shutil
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

LOCKS = {"run": "requirements.lock", "dev": "requirements-dev.lock"}
_PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "--no-color")
_INSTALL = ("install", "--require-hashes", "--only-binary", ":all:", "--progress-bar", "off")
_GUARD, _UNFINISHED = ".installing", ".unfinished"


def main() -> None:
    """Exit status 0 only when every package of the lock file is installed."""
    here, lock = Path(sys.argv[1]), Path(sys.argv[1]) / LOCKS[sys.argv[2]]
    venv = here / ".venv"
    try:
        venv.mkdir(exist_ok=True)
        guard = (venv / _GUARD).open("w")
    except OSError as error:
        sys.exit(f"{venv}: {error.strerror}. Packages are installed there: copy ernfed to a folder of yours.")
    with guard:  # the lock goes with this process, so that a killed installation blocks nobody
        try:
            fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another start is installing packages: waiting for it")
            fcntl.flock(guard, fcntl.LOCK_EX)
        started = time.monotonic()
        if not _usable(venv):
            _make(venv)
        # pip takes a package that a kill left half-unpacked for installed; hence all anew after this mark.
        (venv / _UNFINISHED).touch()
        _install(venv, lock, guard.fileno())
        (venv / _UNFINISHED).unlink()
        _say(f"packages ready in {time.monotonic() - started:.0f} s")


def _usable(venv: Path) -> bool:
    """Made in this folder, by a Python that is still there, and not in the middle of an installation."""
    if (venv / _UNFINISHED).exists():
        return False
    try:
        if f"{venv}/bin/".encode() not in (venv / "bin" / "pip").read_bytes()[:2000]:
            return False  # the folder was moved or copied: its scripts call the old one
        done = subprocess.run([str(_python(venv)), "-c", "import pip"], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def _make(venv: Path) -> None:
    _say("making a virtual environment (.venv)")
    for entry in venv.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != _GUARD:
            entry.unlink()
    done = subprocess.run(
        [sys.executable, "-m", "venv", str(venv)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"cannot make {venv}:\n{(done.stdout + done.stderr).strip()}")


def _install(venv: Path, lock: Path, guard: int) -> None:
    """pip, with a word on how far it is: it is silent for long otherwise."""
    total = len(re.findall(r"^[\w.-]+==", lock.read_text(encoding="utf-8"), re.MULTILINE))
    _say(f"installing {total} packages of {lock.name} (the first time: a minute or two, about 150 MB)")
    seen, tail = 0, deque[str](maxlen=20)
    with subprocess.Popen(
        [str(_python(venv)), *_PIP, *_INSTALL, "-r", str(lock)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        pass_fds=(guard,),  # should we be killed, the next start waits for the end of this pip
    ) as pip:
        for line in pip.stdout or ():
            tail.append(line)
            if line.startswith(("Collecting ", "Requirement already satisfied: ")):
                seen += 1
                if sys.stderr.isatty() or seen % 20 == 0:
                    _say(f"{seen} of {total}", passing=True)
            elif line.startswith("Installing collected packages"):
                _say("unpacking")
    if pip.returncode != 0:
        sys.exit(
            "".join(tail)
            + "\npip could not install the packages (its words are above). Behind a proxy set HTTPS_PROXY, "
            "with an own certificate authority PIP_CERT, with an own package index PIP_INDEX_URL."
        )


def _python(venv: Path) -> Path:
    return venv / "bin" / "python"


def _say(text: str, *, passing: bool = False) -> None:
    """To standard error, so that `./run schema > file` holds only the schema."""
    terminal = sys.stderr.isatty()
    start, end = ("\r\x1b[K" if terminal else "", "" if passing and terminal else "\n")
    sys.stderr.write(f"{start}ernfed: {text}{end}")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
