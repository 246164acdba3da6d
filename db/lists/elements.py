"""Tests of any attribute of a data set: a path through DICOM JSON → SQL, compared as its VR says.

The expressions are those that indexes of declared attributes are made of (db/declared_indexes.py): a path
stands in them as it is, because a parameter would keep Postgres from finding its index. Only hexadecimal digits
and creators of plain letters get there; a path with any other creator goes through Params.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from db.params import Params
from model.attributes import Level
from model.filters import Op, PathTest, Value
from model.paths import AttributePath, is_plain
from model.spans import Span, ValueKind, check_comparable, kind_of, number_of, spans_of

_BETWEEN = "\x1f"  # stands between the texts of path_words


@dataclass(frozen=True, slots=True)
class Values:
    """The values at a path in a row of one level, as SQL."""

    texts: str
    numbers: str
    words: str

    @classmethod
    def of(cls, path: AttributePath, level: Level, written: str, row: str = "") -> "Values":
        """`written`: the path as SQL; `row`: what stands before a column, an alias and its dot.

        Of series what the search answered and the representative count.
        """
        moments = kind_of(path) in (ValueKind.MOMENT, ValueKind.AGE)
        more = f", '{path.last.vr}'" if moments else ""
        sources = [f"{row}data", f"{row}representative"] if level is Level.SERIES else [f"{row}data"]

        def joined(function: str, arguments: str, operator: str) -> str:
            calls = [f"{function}({source}, {written}{arguments})" for source in sources]
            return calls[0] if len(calls) == 1 else f"({operator.join(calls)})"

        return cls(
            joined("path_texts", "", " || "),
            joined("path_moments" if moments else "path_numbers", more, " + "),
            joined("path_words", "", " || "),
        )


def literal(path: AttributePath) -> str | None:
    """The path as an SQL literal; None for one that must not be written into a statement."""
    if not is_plain(path):
        return None
    return "'{" + ",".join(f'"{code}"' for code in path.codes) + "}'::text[]"


def written_in(params: Params, path: AttributePath) -> str:
    """The path as SQL, in a statement with these parameters."""
    return literal(path) or params.add(list(path.codes), "text[]")


def element_test(params: Params, test: PathTest, level: Level) -> Callable[[str], str]:
    """SQL, given the alias of a row of the level, that is true when a value at the path passes.

    Raises BadInput for what its VR cannot be compared with.
    """
    path = test.path
    check_comparable(path, test.comparisons)

    def passes(alias: str) -> str:
        values = Values.of(path, level, written_in(params, path), f"{alias}.")
        return _Compiler(params, path, values).test(test.comparisons)

    return passes


class _Compiler:
    """The comparisons of one test."""

    def __init__(self, params: Params, path: AttributePath, values: Values) -> None:
        self._params = params
        self._path = path
        self._values = values

    def test(self, comparisons: tuple[tuple[Op, Value], ...]) -> str:
        if not comparisons:
            return f"{self._values.texts} <> '{{}}'"
        kind = kind_of(self._path)
        if kind in (ValueKind.NUMBER, ValueKind.MOMENT, ValueKind.AGE):
            return f"{self._values.numbers} && {self._spans(spans_of(self._path, comparisons))}"
        found = " and ".join(self._some(op, value) for op, value in comparisons)
        if len(comparisons) == 1 and comparisons[0][0] is not Op.WILDCARD:
            return f"({found})"
        # Each is passed by some value: an index can say so. That it is the same one, only the values tell.
        one = " and ".join(self._passes(op, value) for op, value in comparisons)
        return f"({found} and exists (select 1 from unnest({self._values.texts}) v (text) where {one}))"

    def _some(self, op: Op, value: Value) -> str:
        """Some value passes, or for a wildcard may pass."""
        values = self._values
        match op:
            case Op.STARTS_WITH:
                return f"{values.words} like '%{_BETWEEN}' || like_literal({self._text(value)}) || '%'"
            case Op.CONTAINS:
                return f"{values.words} like '{_BETWEEN}%' || like_literal({self._text(value)}) || '%'"
            case Op.WILDCARD:
                pattern = f"like_wildcard({self._text(value)})"
                return f"{values.words} like '%{_BETWEEN}' || {pattern} || '{_BETWEEN}%'"
            case Op.GTE | Op.LTE:
                return f"{values.numbers} && {self._spans(spans_of(self._path, [(op, value)]))}"
            case _:
                equal = f"{values.texts} && {self._params.add(_listed(value), 'text[]')}"
                spans = self._equal_numbers(op, value)
                return f"({equal} or {values.numbers} && {self._spans(spans)})" if spans else equal

    def _passes(self, op: Op, value: Value) -> str:
        """The value `v.text` passes."""
        folded, number = f"fold(translate(v.text, '{_BETWEEN}', ' '))", "path_number(v.text)"
        match op:
            case Op.STARTS_WITH:
                return f"{folded} like like_literal({self._text(value)}) || '%'"
            case Op.CONTAINS:
                return f"{folded} like '%' || like_literal({self._text(value)}) || '%'"
            case Op.WILDCARD:
                return f"{folded} like like_wildcard({self._text(value)})"
            case Op.GTE | Op.LTE:
                return f"{number} <@ {self._spans(spans_of(self._path, [(op, value)]))}"
            case _:
                equal = f"v.text = any({self._params.add(_listed(value), 'text[]')})"
                spans = self._equal_numbers(op, value)
                return f"({equal} or {number} <@ {self._spans(spans)})" if spans else equal

    def _equal_numbers(self, op: Op, value: Value) -> list[Span]:
        """What is asked as numbers, where nobody knows whether the values are texts or numbers."""
        if kind_of(self._path) is not ValueKind.MIXED:
            return []
        asked = tuple(each for each in _listed(value) if number_of(each) is not None)
        return spans_of(self._path, [(Op.IN, asked)]) if asked else []

    def _text(self, value: Value) -> str:
        return self._params.add(str(value).replace(_BETWEEN, " "), "text")

    def _spans(self, spans: list[Span]) -> str:
        return f"{self._params.add(_written(spans), 'text')}::nummultirange"


def _listed(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, tuple) else [str(value)]


def _written(spans: list[Span]) -> str:
    """A multirange as Postgres reads it."""
    edges = (
        ("[" if span.low is not None else "(")
        + f"{'' if span.low is None else span.low},{'' if span.high is None else span.high}"
        + (")" if span.ends_before or span.high is None else "]")
        for span in spans
    )
    return "{" + ",".join(edges) + "}"
