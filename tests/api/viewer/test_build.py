"""What web/viewer/build.mjs makes of OHIF, and what it refuses to make."""

import json
import re
import shutil
import subprocess
from pathlib import Path

from api.viewer.build import Build
from tests.npm import NODE, names_no_registry

SOURCES = Path(__file__).parents[3] / "web" / "viewer"


def test_the_lock_says_what_and_not_from_where() -> None:
    assert names_no_registry(SOURCES)
    locked = json.loads((SOURCES / "package-lock.json").read_text())["packages"]
    wanted = json.loads((SOURCES / "package.json").read_text())["dependencies"]
    del locked[""]
    assert {name: each["version"] for name, each in locked.items()} == {
        f"node_modules/{name}": version for name, version in wanted.items()
    }
    assert all(each["integrity"].startswith("sha512-") for each in locked.values())


def test_what_is_built(built_viewer: Path) -> None:
    build = Build.read(built_viewer)
    assert not [name for name in build.files if re.match(r"ort/|dicom-microscopy|sw\.js|.*\.map$", name)]
    page = build.path("index.html").read_text()
    asked = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(asked) == 4
    for path in asked:
        below, _, name = path.removeprefix("/viewer/").partition("/")
        assert below == build.digest
        assert name in build.files
    assert "<style" not in page
    assert not re.findall(r"<script(?! src=)", page)
    for name, entry in build.files.items():
        content = build.path(name).read_bytes()
        assert b'_webpack_require__.p = "/"' not in content
        if entry.type.startswith("text/css"):
            assert not re.findall(rb"url\((?!/viewer/|data:|#)", content), name
    assert {"8097.bundle.8ae6404ba94890a0.js"} < {name for name, each in build.files.items() if each.worker}
    assert sum(path.stat().st_size for path in built_viewer.rglob("*") if path.is_file()) < 80_000_000


def test_a_build_that_is_there_is_left_alone(built_viewer: Path) -> None:
    before = (built_viewer / "build.json").stat().st_mtime_ns
    done = build(SOURCES, built_viewer)
    assert (done.returncode, done.stdout) == (0, "the viewer is there\n")
    assert (built_viewer / "build.json").stat().st_mtime_ns == before


def test_another_ohif_is_not_patched_by_guess(built_viewer: Path, tmp_path: Path) -> None:
    """The build that was there before stays as it is."""
    folder = Path(shutil.copytree(SOURCES, tmp_path / "sources"))
    script = folder / "build.mjs"
    text = script.read_text()
    assert text.count("count: 8") == 1
    script.write_text(text.replace("count: 8", "count: 9"))
    target = tmp_path / "viewer"
    target.mkdir()
    (target / "build.json").write_text('{"digest": "older"}')
    done = build(folder, target)
    assert done.returncode == 1
    assert "stands 8 times in OHIF's .js files and not 9 times" in done.stderr
    assert [path.name for path in target.iterdir()] == ["build.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sources", "viewer"]


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, built_viewer: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    done = build(SOURCES, tmp_path)
    assert done.returncode == 1
    assert "is no viewer's" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def build(sources: Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    script = str(sources / "build.mjs")
    return subprocess.run([NODE, script, str(folder)], capture_output=True, text=True, check=False)
