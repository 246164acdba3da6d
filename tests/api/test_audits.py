"""All audits of npm's graphql-http against a running server. CI must run them; elsewhere they need npm."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.api.serving import serving

AUDIT = Path(__file__).parent / "graphql_http_audit"
IN_CI = os.environ.get("CI") == "true"


@pytest.fixture(scope="module")
def audit_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The locked packages, installed outside of the repository."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        assert not IN_CI, "CI must run the audits, and there is no node and npm"
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("audit")
    for file in AUDIT.iterdir():
        if file.is_file():
            shutil.copy(file, folder)
    done = subprocess.run(
        [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0 and not IN_CI:
        pytest.skip("npm cannot install graphql-http here")
    assert done.returncode == 0, done.stderr
    return folder


def test_every_audit_passes(audit_folder: Path) -> None:
    node = shutil.which("node") or "node"
    with serving() as (url, _):
        done = subprocess.run(
            [node, "audit.js", f"{url}/graphql"],
            cwd=audit_folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    results = json.loads(done.stdout)
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == 61


def test_the_lock_file_names_no_registry() -> None:
    assert '"resolved"' not in (AUDIT / "package-lock.json").read_text(encoding="utf-8")
