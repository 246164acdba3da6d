"""./run: what it says, and what it does where something is missing. No installation is made here."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parent.parent.parent


def run(
    folder: Path, *arguments: str, path: str | None = None, cwd: str = "/"
) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PATH": path or os.environ["PATH"]}
    return subprocess.run(
        [str(folder / "run"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The script and what it reads, in a folder with a space in its name and without .venv."""
    folder = tmp_path / "a folder"
    (folder / "cli").mkdir(parents=True)
    for name in ("run", "requirements.lock", "requirements-dev.lock", "cli/environment.py"):
        shutil.copy(REPO / name, folder / name)
    return folder


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH with what the script needs, and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "cat", "dirname", "cksum", "mkdir", "mv"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return folder


def fake(tools: Path, name: str, script: str) -> None:
    (tools / name).write_text(f"#!/bin/sh\n{script}\n")
    (tools / name).chmod(0o755)


def test_alone_it_lists_the_commands() -> None:
    for arguments in ((), ("--help",), ("help",)):
        done = run(REPO, *arguments)
        assert done.returncode == 0
        for word in ("./run demo", "./run check", "./run bench", "./run chaos", "--data-dir", "serve"):
            assert word in done.stdout


def test_without_python_it_says_what_to_install(copy: Path, tools: Path) -> None:
    done = run(copy, "schema", path=str(tools))
    assert done.returncode == 1
    assert "apt-get install python3 python3-venv" in done.stderr


def test_with_an_old_python_it_names_its_version(copy: Path, tools: Path) -> None:
    fake(tools, "python3", 'case $1 in -V) echo "Python 3.9.2" ;; *) exit 1 ;; esac')
    done = run(copy, "schema", path=str(tools))
    assert done.returncode == 1
    assert "3.11 or newer" in done.stderr
    assert "Python 3.9.2" in done.stderr


def test_without_venv_it_says_what_to_install(copy: Path, tools: Path) -> None:
    fake(
        tools,
        "python3",
        'case "$*" in *ensurepip*) exit 1 ;; *) exec ' + f"'{sys.executable}'" + ' "$@" ;; esac',
    )
    done = run(copy, "schema", path=str(tools))
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr
    assert not (copy / ".venv").exists()


def stamp(copy: Path, kind: str, script: str) -> None:
    """An environment that is complete by its stamp, whose python is this script."""
    (copy / ".venv" / "bin").mkdir(parents=True)
    fake(copy / ".venv" / "bin", "python", script)
    locks = b"".join((copy / name).read_bytes() for name in ("requirements.lock", "requirements-dev.lock"))
    summed = (
        subprocess.run([shutil.which("cksum") or "cksum"], input=locks, capture_output=True, check=True)
        .stdout.decode()
        .strip()
    )
    (copy / ".venv" / f".ernfed-{kind}").write_text(f"{summed} Python 3.11.2 {copy.resolve()}")


PYTHON = 'case $1 in -V) echo "Python 3.11.2" ;; *) echo "$PYTHONPATH|$*"; pwd ;; esac'


@pytest.mark.parametrize("kind", ["run", "dev"])
def test_a_complete_environment_is_used_from_any_folder(copy: Path, tools: Path, kind: str) -> None:
    stamp(copy, kind, PYTHON)
    done = run(copy, "query", "a file", path=str(tools), cwd="/usr")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith(str(copy.resolve()))
    assert first.endswith("|-P -m cli query a file")
    assert second == "/usr"


@pytest.mark.parametrize("change", ["lock", "folder", "python"])
def test_what_changed_is_installed_again(copy: Path, tools: Path, change: str) -> None:
    stamp(copy, "run", PYTHON)
    if change == "lock":
        with (copy / "requirements.lock").open("a") as lock:
            lock.write("# changed\n")
    elif change == "folder":
        copy = copy.rename(copy.parent / "moved")
    else:
        fake(copy / ".venv" / "bin", "python", 'echo "Python 3.12.0"')
    # There is no Python to install with: that it asks for one shows that the stamp did not count.
    assert "no python3 here" in run(copy, "schema", path=str(tools)).stderr


def test_check_and_ci_are_programs() -> None:
    for name in ("run", ".ci/run", ".ci/check", "deploy/ernfed"):
        assert os.access(REPO / name, os.X_OK), name
        subprocess.run(["/bin/sh", "-n", str(REPO / name)], check=True)
    assert "../run" in (REPO / ".ci" / "run").read_text()
