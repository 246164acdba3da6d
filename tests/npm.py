"""Programs of npm that tests run: locked packages, installed outside of the repository. CI must run them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

IN_CI = os.environ.get("CI") == "true"
NODE = shutil.which("node") or "node"


def installed(folder: Path, into: Path) -> Path:
    """A copy of the folder with its packages. Elsewhere than in CI the test is skipped where there is no npm."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        assert not IN_CI, f"CI must run {folder.name}, and there is no node and npm"
        pytest.skip("node and npm are not installed")
    for file in folder.iterdir():
        if file.is_file():
            shutil.copy(file, into)
    done = subprocess.run(
        [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=into,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0 and not IN_CI:
        pytest.skip(f"npm cannot install what {folder.name} needs here")
    assert done.returncode == 0, done.stderr
    return into


def names_no_registry(folder: Path) -> bool:
    """Whether the lock file says what is installed, and not from where."""
    return '"resolved"' not in (folder / "package-lock.json").read_text(encoding="utf-8")
