"""What import-linter holds of ernfed beside its own contracts (pyproject.toml): no circles, no imports in functions."""

import ast
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, output

Circle = tuple[str, ...]


def circles(graph: ImportGraph) -> Iterator[Circle]:
    """The shortest circle of each knot of modules; its first module is its last again."""
    seen: set[str] = set()
    for module in sorted(graph.modules):
        knot = graph.find_upstream_modules(module) & graph.find_downstream_modules(module)
        if knot and module not in seen:
            ways = [
                graph.find_shortest_chain(importer=each, imported=module)
                for each in graph.find_modules_directly_imported_by(module) & knot
            ]
            yield (module, *min(filter(None, ways), key=lambda way: (len(way), way)))
        seen |= knot


def late_imports(file: Path, rooms: Iterable[str]) -> list[tuple[int, str]]:
    """Imports of these rooms in functions of a file: line, module."""
    found: set[tuple[int, str]] = set()
    for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for each in ast.walk(function):
                if isinstance(each, ast.ImportFrom):
                    found.add((each.lineno, each.module or ""))
                elif isinstance(each, ast.Import):
                    found |= {(each.lineno, alias.name) for alias in each.names}
    return sorted((line, name) for line, name in found if name.partition(".")[0] in rooms)


class NoCircles(Contract):
    """No module imports itself by way of others, nor hides that in a function. TYPE_CHECKING counts too."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        rooms = self.session_options["root_packages"]
        found = [_told(graph, circle) for circle in circles(graph)]
        for file in sorted(path for room in rooms for path in Path(room).rglob("*.py")):
            late = late_imports(file, rooms)
            found += [f"{file}:{line}: {name} is imported in a function" for line, name in late]
        return ContractCheck(kept=not found, metadata={"found": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for each in check.metadata["found"]:
            output.print_error(each)


def _told(graph: ImportGraph, circle: Circle) -> str:
    lines = ["a circle:"]
    for importer, imported in pairwise(circle):
        numbers = [
            f"l.{each['line_number']}"
            for each in graph.get_import_details(importer=importer, imported=imported)
        ]
        lines.append(f"  {importer} -> {imported} ({', '.join(numbers)})")
    return "\n".join(lines)
