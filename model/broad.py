"""Searches that may match so much, or so little that an index knows, that they read a large index from end to end."""

import re
from collections.abc import Iterator

from model.attributes import Kind
from model.filters import Condition, Op, Test, TextTest, walk

# pg_trgm looks up three letters or digits in a row; what has none of them is compared with every row.
_RUN = re.compile(r"[^\W_]{3}")


def hints(condition: Condition) -> list[str]:
    """What to do about each broad test of a filter, naming it and no value; [] when there is none."""
    return list(dict.fromkeys(found for here in walk(condition) for found in _hints(here)))


def _hints(condition: Condition) -> Iterator[str]:
    match condition:
        case Test(attribute, Op.FUZZY, _):
            yield f"{attribute.keyword}.fuzzy: add another part of the name"
        case Test(attribute, op, str(value)) if _is_unindexed(attribute.kind, op, value):
            yield f"{attribute.keyword}.{op}: give three letters or digits in a row"
        case TextTest():
            yield "text: add words, or order by STUDY_DATE instead of RELEVANCE"
        case _:
            pass


def _is_unindexed(kind: Kind, op: Op, value: str) -> bool:
    match op:
        case Op.CONTAINS:
            return _RUN.search(value) is None
        case Op.STARTS_WITH if kind is Kind.NAME:  # of any group, so not at the beginning of the text
            return _RUN.search(value) is None
        case Op.WILDCARD:
            anchored = kind is not Kind.NAME and value[:1] not in ("*", "?", "")
            return not anchored and _RUN.search(value) is None
        case _:
            return False
