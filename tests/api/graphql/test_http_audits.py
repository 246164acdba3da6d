"""All audits of npm's graphql-http against a running server. CI must run them; elsewhere they need npm."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.api.serving import serving
from tests.npm import NODE, installed, names_no_registry

AUDIT = Path(__file__).parent / "graphql_http_audit"


@pytest.fixture(scope="module")
def audit_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The locked packages, installed outside of the repository."""
    return installed(AUDIT, tmp_path_factory.mktemp("audit"))


def test_every_audit_passes(audit_folder: Path) -> None:
    with serving() as (url, _):
        done = subprocess.run(
            [NODE, "audit.js", f"{url}/graphql"],
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
    assert names_no_registry(AUDIT)
