"""The check of imports finds made-up circles, and imports that a function hides."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from grimp import ImportGraph

from tests.imports import circles, late_imports

CONFIG = """[tool.importlinter]
root_packages = ["red", "blue"]
contract_types = ["no_circles: tests.imports.NoCircles"]
[[tool.importlinter.contracts]]
name = "No circles"
type = "no_circles"
"""


def graph_of(*imports: str) -> ImportGraph:
    graph = ImportGraph()
    for each in imports:
        importer, _, imported = each.partition(" ")
        graph.add_import(importer=importer, imported=imported)
    return graph


def test_circles() -> None:
    assert list(circles(graph_of("a b", "b c", "a c"))) == []
    # Of a knot the shortest: what hangs on it, before or after, is none.
    knot = ("z a", "a b", "b c", "c a", "b a", "c d")
    assert list(circles(graph_of(*knot))) == [("a", "b", "a")]
    assert list(circles(graph_of("a b", "b a", "x y", "y z", "z x"))) == [
        ("a", "b", "a"),
        ("x", "y", "z", "x"),
    ]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import red.one\n", []),
        ("def f():\n    import other\n", []),
        ("def f():\n    from red.one import g\n", [(2, "red.one")]),
        ("class C:\n    async def f(self):\n        def g():\n            import red\n", [(4, "red")]),
    ],
)
def test_late_imports(tmp_path: Path, source: str, found: list[tuple[int, str]]) -> None:
    (file := tmp_path / "it.py").write_text(source, encoding="utf-8")
    assert late_imports(file, ["red"]) == found


def test_the_check_prints_the_circle_and_fails(tmp_path: Path) -> None:
    """Also one through TYPE_CHECKING."""
    (tmp_path / "pyproject.toml").write_text(CONFIG, encoding="utf-8")
    red, blue = tmp_path / "red", tmp_path / "blue"
    for package in (red, blue):
        package.mkdir()
        (package / "__init__.py").touch()
    (red / "one.py").write_text("from blue.two import f\n", encoding="utf-8")
    (blue / "two.py").write_text("def f() -> None:\n    from red.one import f\n", encoding="utf-8")
    told = check(tmp_path)
    assert "blue/two.py:2: red.one is imported in a function" in told
    assert "  blue.two -> red.one (l.2)\n  red.one -> blue.two (l.1)\n" in told
    (blue / "two.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import red.one\n", encoding="utf-8"
    )
    told = check(tmp_path)
    assert "  blue.two -> red.one (l.3)\n  red.one -> blue.two (l.1)\n" in told
    assert "in a function" not in told


def check(folder: Path) -> str:
    root, command = Path(__file__).parents[1], Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [command, "--no-cache"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    return done.stdout
