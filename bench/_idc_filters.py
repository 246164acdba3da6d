"""A page for each filter that the schema declares, with a value that the index has; and what its plan reads."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from strawberry.types import get_object_definition

from bench._idc_index import Filled
from db.lists import pages
from db.lists.listing import Listing, Window
from db.scoped import session_scope_of
from model.attributes import Attribute, Kind, Level, attribute
from model.filters import AllOf, Condition, Op, PathTest, Related, Test, TextTest
from model.paths import parse_path
from model.vocabulary import CODE_COLUMNS
from resolvers.filters.inputs import SeriesFilter, StudyFilter

_RUNS = 5


@dataclass(frozen=True)
class Plan:
    """`sequential`: tables that are read from end to end. `rows`: read by all nodes. `ms`: the best run."""

    sequential: tuple[str, ...]
    rows: int
    ms: float


def declared() -> list[Attribute]:
    """Attributes that StudyFilter and SeriesFilter name."""
    return [
        attribute(entry.metadata["keyword"])
        for of in (StudyFilter, SeriesFilter)
        for entry in get_object_definition(of, strict=True).fields
        if "keyword" in entry.metadata
    ]


async def filters(index: Filled) -> dict[str, Condition]:
    """name → condition on studies."""
    found: dict[str, Condition] = {}
    for column in declared():
        value = await _value(index, column)
        if value is None:
            continue
        for op, given in _tests(column, value).items():
            test: Condition = given if isinstance(given, AllOf) else Test(column, Op(op), given)
            here = test if column.level is Level.STUDY else Related(Level.SERIES, test)
            found[f"{column.level} {column.keyword} {op}"] = here
    for coded, column in CODE_COLUMNS.items():
        code = await _value(index, column)
        if code is not None:
            of_series = Test(column, Op.EQ, code)
            found[f"series code of {coded} eq"] = Related(Level.SERIES, of_series)
    found["study text"] = TextTest(("brain", "mr"))
    found["study text, rare"] = TextTest(("zqx",))
    return found


async def _value(index: Filled, column: Attribute) -> Any:
    """A value of the index, drawn by hash: frequent ones are likely."""
    name = column.column
    listed = f"({name})[1]" if column.kind is Kind.LIST else name
    sql = (
        f"select {listed} as value from records.{column.level} where {name} is not null"
        f" order by md5({column.level}_pk::text) limit 1"
    )
    rows = await index.reader.fetch("value", sql)
    return rows[0]["value"] if rows else None


def _tests(column: Attribute, value: Any) -> dict[str, Any]:
    match column.kind:
        case Kind.TEXT:
            text = str(value)
            return {"eq": text, "in": (text, "no such"), "startsWith": text[:6], "contains": text[1:7] or text,
                    "wildcard": f"{text[:5]}*"}  # fmt: skip
        case Kind.NAME:
            text = str(value)
            return {
                "eq": text,
                "startsWith": text[:8],
                "wildcard": f"{text[:9]}*",
                "fuzzy": text.replace("^", " "),
            }
        case Kind.UID:
            return {"eq": value, "in": (value, "1.2.3")}
        case Kind.LIST:
            return {"has": value}
        case Kind.DATE:
            month = date(value.year, value.month, 1)
            later = date(value.year + value.month // 12, value.month % 12 + 1, 1)
            between = AllOf((Test(column, Op.GTE, month), Test(column, Op.LTE, later)))
            return {"eq": value, "gte": between}
        case Kind.INTEGER:
            return {"eq": value, "gte": value}
        case _:
            return {}


DECLARED = ("PatientWeight", "RequestAttributesSequence.ScheduledProcedureStepID", "(ERNFED BENCH)0043xx02")
_ASKED: dict[str, tuple[str, tuple[tuple[Op, Any], ...]]] = {
    "numeric range": (DECLARED[0], ((Op.GTE, "61.5"), (Op.LTE, "61.7"))),
    "numeric range, frequent": (DECLARED[0], ((Op.GTE, "40"),)),
    "sequence path": (DECLARED[1], ((Op.EQ, "c4ca"),)),
    "sequence path, a pattern": (DECLARED[1], ((Op.STARTS_WITH, "c4c"),)),
    "private attribute": (DECLARED[2], ((Op.GTE, "4990"),)),
    "private attribute, frequent": (DECLARED[2], ((Op.GTE, "100"),)),
    "not declared": ("PatientAge", ((Op.EQ, "061Y"),)),
    "not declared, rare": ("PatientAge", ((Op.EQ, "101Y"),)),
}


def by_attribute() -> dict[str, Condition]:
    """name → condition on studies by an attribute that has no column."""
    return {f"{name}: {path}": PathTest(parse_path(path), asked) for name, (path, asked) in _ASKED.items()}


async def plan(index: Filled, condition: Condition) -> Plan:
    """The plan of a page of 20 studies, newest first."""
    listing = Listing((index.scope,), Level.STUDY, condition)
    return await explained(index, *pages.page(listing, Window(21)))


async def explained(index: Filled, sql: str, values: list[Any]) -> Plan:
    """What a statement reads, and its best time."""
    best: float | None = None
    async with index.scoped.connection(session_scope_of(index.access_scope)) as connection:
        for _ in range(_RUNS):
            text = await connection.fetchval(f"explain (analyze, timing off, format json) {sql}", *values)
            told = json.loads(text)[0]
            best = min(best or 1e9, told["Execution Time"])
    nodes = list(_nodes(told["Plan"]))
    read = sum(
        (n["Actual Rows"] + n.get("Rows Removed by Filter", 0)) * n["Actual Loops"]
        for n in nodes
        if "Relation Name" in n
    )
    scans = sorted(
        {n["Relation Name"] for n in nodes if n["Node Type"] == "Seq Scan"} - {"archive", "consent"}
    )
    return Plan(tuple(scans), round(read), best or 0.0)


def _nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(each for child in node.get("Plans", []) for each in _nodes(child))]
