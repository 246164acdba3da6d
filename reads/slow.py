"""Warnings that a filter is slow: it looks at an attribute that has no index."""

from dataclasses import dataclass

from db.declared import BuildState
from model.attributes import BY_KEYWORD, Level
from model.filters import Condition, PathTest, path_tests
from reads.request import Request

NOT_FAST = "NOT_FAST"
Key = tuple[Level, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ListWarning:
    """Something to know about a list that is right all the same; message: for people, with the remedy."""

    code: str
    message: str


async def ready_attributes(request: Request) -> set[Key]:
    """Declared attributes whose indexes are ready, by level and path."""
    return {(each.level, each.path) for each in await request.declared() if each.state is BuildState.READY}


async def slow_warnings(request: Request, level: Level, condition: Condition) -> list[ListWarning]:
    """A warning where the filter looks at attributes without an index; it stands in `extensions` as well."""
    asked = {
        (at, test.path.codes): test for at, test in path_tests(condition, level) if not _has_column(at, test)
    }
    if not asked:
        return []
    slow = sorted({asked[key].path.name for key in asked.keys() - await ready_attributes(request)})
    if not slow:
        return []
    request.slow.update(slow)
    request.warnings[NOT_FAST] = _message(sorted(request.slow))
    return [ListWarning(code=NOT_FAST, message=_message(slow))]


def _message(names: list[str]) -> str:
    few = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return (
        f"{few}: without an index of its own, so records are read one by one, and a large index may answer TIMEOUT. "
        "Narrow the list by other filters too, or have an operator declare it as an [[attribute]]."
    )


def _has_column(level: Level, test: PathTest) -> bool:
    """The test stands beside one on the typed column, which an index answers."""
    known = BY_KEYWORD.get(test.path.last.keyword or "")
    return known is not None and known.level is level and len(test.path.steps) == 1
