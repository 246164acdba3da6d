"""The test files of what changed since main: `python -P -m tests.changed`, for `./run check quick`.

Those named after a changed module come first, then those that import it, themselves or through what tests share.
What takes minutes is left to `./run check`.
"""

import ast
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
MOST = 15
"""Files: about half a minute on two cores."""
_SLOW = (
    *("attacks/", "chaos/", "cli/", "docs/", "faults/", "leaks/", "access/test_differencing.py"),
    *("db/embedded/", "db/lists/test_lists.py", "db/lists/test_plans.py", "db/statistics/test_rollups.py"),
    *(
        "db/statistics/test_stats_plans.py",
        "db/test_declared.py",
        "db/test_external.py",
        "refresh/test_live_orthanc.py",
    ),
    *("indexer/test_nonsense.py", "indexer/test_orthanc_swapped.py", "indexer/test_small_pacs.py"),
)


def changed() -> set[str]:
    """What differs from where main was left, committed or not; on main itself: what the last commit changed, too."""
    head = _git("rev-parse", "HEAD")[0]
    base = next(iter(_git("merge-base", "HEAD", "main") or _git("merge-base", "HEAD", "origin/main")), head)
    if base == head:
        base = next(iter(_git("rev-parse", "--verify", "-q", "HEAD~1")), head)
    return {*_git("diff", "--name-only", base), *_git("ls-files", "--others", "--exclude-standard")}


def _git(*words: str) -> list[str]:
    found = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607
    return found.stdout.splitlines() if found.returncode == 0 else []


def concerning(files: Iterable[str]) -> list[str]:
    """The test files that concern these files, nearest first."""
    files = set(files)
    modules = {_module(Path(file)) for file in files if file.endswith(".py")}
    stems = {
        Path(file).stem.removesuffix("_")
        for file in files
        if Path(file).suffix in (".py", ".sql", ".json", ".tsv")
    }
    ranked = []
    for test in sorted((ROOT / "tests").rglob("test_*.py")):
        name = test.relative_to(ROOT).as_posix()
        if name in files:
            rank = 0
        elif test.stem.removeprefix("test_") in stems:
            rank = 1
        elif modules & imported(test):
            rank = 2
        else:
            continue
        if not name.removeprefix("tests/").startswith(_SLOW):
            ranked.append((rank, name))
    return [name for _, name in sorted(ranked)]


@cache
def imported(file: Path) -> frozenset[str]:
    """The modules that a test file imports, and those of the helpers among them."""
    found = set(_imports(file))
    for each in [each for each in found if each.startswith("tests.")]:
        helper = ROOT / f"{each.replace('.', '/')}.py"
        if helper.exists() and helper.name != "conftest.py":
            found |= imported(helper)
    return frozenset(found)


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


def _module(file: Path) -> str:
    return ".".join(file.with_suffix("").parts).removesuffix(".__init__")


if __name__ == "__main__":
    print("\n".join(concerning(changed())[:MOST]))  # noqa: T201
