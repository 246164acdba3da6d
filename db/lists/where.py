"""The WHERE compiler: a condition tree (model/filters.py) → SQL over one table of copies.

Two modes. `copies`: rows whose family is in one copy only (not shared): every test reads the row itself, so
that indexes answer it. `nodes`: rows of shared families: a test holds when any asked copy passes it.
Identifiers come from the attribute table, values go through Params; nothing of a query's text gets here.
"""

from collections.abc import Callable, Sequence

from access.scope import Projection
from db.lists.elements import element_test
from db.lists.name_search import fuzzy_test
from db.lists.text_search import node_test, row_search, words_of
from db.params import Params
from model.attributes import KEY_COLUMNS, Attribute, Kind, Level
from model.errors import BadInput
from model.filters import (
    EACH_VERSION,
    AllOf,
    AnyOf,
    ChangedTest,
    CohortTest,
    Condition,
    Consent,
    ConsentTest,
    Not,
    Op,
    PathTest,
    Related,
    Test,
    TextTest,
    conjunction,
)

_SQL_TYPE = {Kind.INTEGER: "integer", Kind.DATE: "date", Kind.TIME: "time"}
_DEPTH = {Level.STUDY: 0, Level.SERIES: 1, Level.INSTANCE: 2}


class Where:
    """Compiles conditions of one statement; copies count in the archives that are asked."""

    def __init__(self, params: Params, projection: Projection, asked_ids: Sequence[int]) -> None:
        self._params = params
        self._projection = projection
        self._asked_ids = list(asked_ids)
        self._aliases = 0

    @property
    def _asked(self) -> str:
        return self._params.add(self._asked_ids, "smallint[]")

    def copies(self, condition: Condition, alias: str, level: Level) -> str:
        """SQL that is true for an unshared row that matches."""
        return self._compile(condition, alias, level, self._on_row)

    def nodes(self, condition: Condition, alias: str, level: Level) -> str:
        """SQL that is true for a row of a shared family whose node matches."""
        return self._compile(condition, alias, level, self._on_any_copy)

    def _compile(self, condition: Condition, alias: str, level: Level, leaf: "Leaf") -> str:
        match condition:
            case AllOf():
                parts = [self._at_once(group, alias, level, leaf) for group in conjunction(condition)]
                return f"({' and '.join(parts)})" if parts else "true"
            case AnyOf(children):
                parts = [self._compile(child, alias, level, leaf) for child in children]
                return f"({' or '.join(parts)})" if parts else "false"
            case Not(child):
                return f"(({self._compile(child, alias, level, leaf)}) is not true)"
            case Related(other, child):
                return self._related(child, alias, level, other, leaf)
            case TextTest():
                return self._text(condition, alias, level, leaf)
            case Test(attribute, Op.IS_NULL, value):
                missing = f"not {leaf(self._has_value(attribute), alias, level)}"
                return f"({missing})" if value else leaf(self._has_value(attribute), alias, level)
            case Test():
                return self._test(condition, alias, level, leaf)
            case ConsentTest(consent):
                return leaf(self._has_consent(consent), alias, level)
            case CohortTest():
                return leaf(self._in_cohort(condition), alias, level)
            case ChangedTest():
                return leaf(self._has_changed(condition), alias, level)
            case PathTest():
                return leaf(element_test(self._params, condition, level), alias, level)

    def _at_once(self, group: tuple[Condition, ...], alias: str, level: Level, leaf: "Leaf") -> str:
        """A condition, or tests of one attribute that one row has to pass all."""
        if len(group) == 1:
            return self._compile(group[0], alias, level, leaf)
        tests = [self._row_test(test) for test in group if isinstance(test, Test)]
        return leaf(lambda a: f"({' and '.join(test(a) for test in tests)})", alias, level)

    def _text(self, test: TextTest, alias: str, level: Level, leaf: "Leaf") -> str:
        if leaf == self._on_row:
            return row_search(self._params, test, words_of(level, alias))
        return node_test(
            self._params, test, lambda match: leaf(lambda a: match(words_of(level, a)), alias, level)
        )

    def _related(self, child: Condition, alias: str, level: Level, other: Level, leaf: "Leaf") -> str:
        """The parent or a child at `other`: inside the same archive for unshared families."""
        inner = self._alias()
        upper = min(level, other, key=_DEPTH.__getitem__)
        same = f"{inner}.archive_id = {alias}.archive_id" if leaf == self._on_row else self._asked_copy(inner)
        return (
            f"exists (select 1 from {self._projection}.{other} {inner} where {same_node(upper, inner, alias)}"
            f" and {same} and {self._compile(child, inner, other, leaf)})"
        )

    def _test(self, test: Test, alias: str, level: Level, leaf: "Leaf") -> str:
        if test.attribute.kind is Kind.INTEGER and leaf == self._on_any_copy:
            # Counts of a shared node are of the union of its copies, not of any one of them.
            union = union_of(test.attribute, self._projection, alias, self._asked)
            if union is not None:
                return f"({_compare(self._params, union, test)})"
        return leaf(self._column_test(test), alias, level)

    def _row_test(self, test: Test) -> "RowTest":
        return self._has_value(test.attribute) if test.op is Op.IS_NULL else self._column_test(test)

    def _column_test(self, test: Test) -> "RowTest":
        column, params = test.attribute.column, self._params
        match test.attribute.kind:
            case Kind.LIST:
                value = params.add([test.value], "text[]")
                return lambda a: f"{a}.{column} @> {value}"
            case Kind.NAME:
                return _name_test(params, self._projection, column, test)
            case Kind.TEXT | Kind.UID:
                return text_test(params, column, test)
            case _:
                value = _bind(params, test)
                return lambda a: f"{a}.{column} {_OPERATOR[test.op]} {value}"

    @staticmethod
    def _has_value(attribute: Attribute) -> "RowTest":
        if attribute.kind is Kind.LIST:
            return lambda a: f"({a}.{attribute.column} <> '{{}}')"
        return lambda a: f"({a}.{attribute.column} is not null)"

    def _has_consent(self, consent: Consent) -> "RowTest":
        return lambda a: (
            f"exists (select 1 from {self._projection}.consent k where k.archive_id = {a}.archive_id"
            f" and k.study_uid = {a}.study_uid and k.{consent})"
        )

    def _in_cohort(self, test: CohortTest) -> "RowTest":
        if test.version is None:
            raise BadInput("cohort: can be asked by lists and statistics at the root of a query.")
        of_each = test.version == EACH_VERSION  # db/lists/pages.py names them
        version = "asked.version_id" if of_each else self._params.add(test.version, "uuid")
        return lambda a: f"exists (select 1 from {self._entries('k', version, a)})"

    def _has_changed(self, test: ChangedTest) -> "RowTest":
        since = self._params.add(test.since, "uuid")
        if test.until is None:  # of two patients under one UID, one that is as it was will do
            return lambda a: (
                f"exists (select 1 from {self._entries('k', since, a)} and not exists (select 1"
                f" from {self._projection}.study_state n where n.archive_id = {a}.archive_id"
                f" and n.study_uid = {a}.study_uid and n.state = k.state))"
            )
        until = self._params.add(test.until, "uuid")
        return lambda a: (
            f"exists (select 1 from {self._entries('k', since, a)} and exists (select 1"
            f" from {self._entries('n', until, a)} and n.state <> k.state))"
        )

    def _entries(self, entry: str, version: str, alias: str) -> str:
        return (
            f"{self._projection}.cohort_study {entry} where {entry}.version_id = {version}"
            f" and {entry}.archive_id = {alias}.archive_id and {entry}.study_uid = {alias}.study_uid"
        )

    def _on_row(self, test: "RowTest", alias: str, level: Level) -> str:
        return test(alias)

    def _on_any_copy(self, test: "RowTest", alias: str, level: Level) -> str:
        copy = self._alias()
        return (
            f"exists (select 1 from {self._projection}.{level} {copy} where {same_node(level, copy, alias)}"
            f" and {self._asked_copy(copy)} and {test(copy)})"
        )

    def _asked_copy(self, alias: str) -> str:
        return f"{alias}.archive_id = any({self._asked})"

    def _alias(self) -> str:
        self._aliases += 1
        return f"c{self._aliases}"


def same_node(level: Level, alias: str, other: str) -> str:
    """Two rows, at `level` or below it, that are of the same node there."""
    return " and ".join(f"{alias}.{column} = {other}.{column}" for column in KEY_COLUMNS[level])


RowTest = Callable[[str], str]
Leaf = Callable[[RowTest, str, Level], str]

_OPERATOR = {Op.EQ: "=", Op.GTE: ">=", Op.LTE: "<=", Op.IN: "= any"}


def _bind(params: Params, test: Test) -> str:
    sql_type = _SQL_TYPE.get(test.attribute.kind, "text")
    if test.op is Op.IN:
        return f"({params.add(test.value, sql_type + '[]')})"
    return params.add(test.value, sql_type)


def _compare(params: Params, expression: str, test: Test) -> str:
    return f"{expression} {_OPERATOR[test.op]} {_bind(params, test)}"


def text_test(params: Params, column: str, test: Test) -> RowTest:
    """A test of a TEXT or UID, for any table that has this column."""
    value = _bind(params, test)
    match test.op:
        case Op.STARTS_WITH:
            return lambda a: f"fold({a}.{column}) like like_literal({value}) || '%'"
        case Op.CONTAINS:
            return lambda a: f"fold({a}.{column}) like '%' || like_literal({value}) || '%'"
        case Op.WILDCARD:
            return lambda a: f"fold({a}.{column}) like like_wildcard({value})"
        case Op.EQ if column == "protocol_name":
            return lambda a: f"(fold({a}.{column}) like like_literal({value}) and {a}.{column} = {value})"
        case Op.EQ | Op.IN if column in _INDEXED_FOLDED:
            folded = (
                f"fold({value})" if test.op is Op.EQ else f"(array(select fold(v) from unnest({value}) v))"
            )
            operator = _OPERATOR[test.op]
            return lambda a: f"(fold({a}.{column}) {operator} {folded} and {a}.{column} {operator} {value})"
        case _:
            return lambda a: f"{a}.{column} {_OPERATOR[test.op]} {value}"


# Their order's index is of the folded text, and there is none of the text itself.
_INDEXED_FOLDED = frozenset({"study_description", "series_description"})


def _name_test(params: Params, projection: Projection, column: str, test: Test) -> RowTest:
    """A PN matches by any of its groups; a pattern's index test is the looser one on the whole name."""
    if test.op is Op.FUZZY:
        return fuzzy_test(params, projection, column, str(test.value), scanned=test.scanned, known=test.known)
    value = _bind(params, test)
    match test.op:
        case Op.EQ:
            return lambda a: f"name_groups({a}.{column}) @> array[{value}]"
        case Op.STARTS_WITH:
            pattern = f"like_literal({value}) || '%'"
        case _:
            pattern = f"like_wildcard({value})"
    return lambda a: (
        f"(fold({a}.{column}) like '%' || {pattern} || '%' and exists (select 1 from"
        f" unnest(string_to_array(fold({a}.{column}), '=')) g where g like {pattern}))"
    )


_UNIONS = {
    "ModalitiesInStudy": "study_union_modalities",
    "NumberOfStudyRelatedSeries": "study_union_series",
    "NumberOfStudyRelatedInstances": "study_union_instances",
    "NumberOfSeriesRelatedInstances": "series_union_instances",
}


def union_of(attribute: Attribute, projection: Projection, alias: str, archives: str) -> str | None:
    """What a shared node has over the union of its copies; None for an attribute that is its best copy's."""
    if attribute.keyword not in _UNIONS:
        return None
    key = ", ".join(f"{alias}.{column}" for column in KEY_COLUMNS[attribute.level])
    return f"{projection}.{_UNIONS[attribute.keyword]}({key}, {archives})"
