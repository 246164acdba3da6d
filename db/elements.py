"""Tests of any attribute of a data set: a path through DICOM JSON → SQL, compared as its VR says.

Private attributes and those without a VR in the dictionary compare as text.
"""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from db.params import Params
from model.errors import BadInput
from model.filters import Op, PathTest, Value
from model.paths import BULK_VRS, NUMERIC_VRS, TEMPORAL_VRS, AttributePath, Step

_COMPARE = {Op.EQ: "=", Op.GTE: ">=", Op.LTE: "<="}
_TEXT_OPS = {Op.STARTS_WITH, Op.CONTAINS, Op.WILDCARD}
_MOMENT = re.compile(r"[0-9]{2,}(\+[0-9]{4})?\Z")
_NUMBER = re.compile(r"[+-]?(\d{1,60}\.?\d{0,60}|\.\d{1,60})([eE][+-]?\d{1,3})?\Z")


def element_test(params: Params, test: PathTest) -> Callable[[str], str]:
    """SQL, given the alias of a row with `data`, that is true when a value at the path passes."""
    last = test.path.last
    if last.vr in BULK_VRS or last.vr == "SQ":
        raise BadInput(f"attribute {test.path.name}: VR {last.vr} has no values to compare.")
    sources = _sources(params, test.path.steps)
    tests = [_condition(params, test.path, op, value) for op, value in test.comparisons]
    condition = " and ".join(["v.text is not null", *tests])
    return lambda a: f"exists (select 1 from {sources(a)} where {condition})"


def _sources(params: Params, steps: tuple[Step, ...]) -> Callable[[str], str]:
    """The FROM list that walks a path: one function call a step, then the value as text `v.text`."""
    calls = [_call(params, step) for step in steps]

    def sources(alias: str) -> str:
        item, parts = f"{alias}.data", []
        for number, (function, arguments) in enumerate(calls):
            parts.append(f"{function}({item}, {arguments}) e{number} (item)")
            item = f"e{number}.item"
        return ", ".join([*parts, f"value_texts({item}) v (text)"])

    return sources


def _call(params: Params, step: Step) -> tuple[str, str]:
    if step.tag is not None:
        return "element_values", params.add(step.tag, "text")
    names = (step.creator, step.group, step.element)
    return "private_values", ", ".join(params.add(name, "text") for name in names)


def _condition(params: Params, path: AttributePath, op: Op, value: Value) -> str:
    vr = path.last.vr
    if op in _TEXT_OPS:
        if vr in NUMERIC_VRS:
            raise BadInput(f"attribute {path.name}: VR {vr} is a number; use eq, in, gte or lte.")
        return _pattern(op, params.add(value, "text"))
    if vr in NUMERIC_VRS:
        return _compare(
            params, op, value, "numeric_value(v.text)", "numeric", lambda text: _number(path, text)
        )
    if vr in TEMPORAL_VRS:
        return _compare(
            params, op, value, 'moment_value(v.text) collate "C"', "text", lambda text: _moment(path, text)
        )
    if op in (Op.GTE, Op.LTE) and vr is not None:
        raise BadInput(f"attribute {path.name}: VR {vr} has no order; gte and lte need numbers or dates.")
    return _compare(params, op, value, 'btrim(v.text) collate "C"', "text", str)


def _compare(
    params: Params, op: Op, value: Value, expression: str, sql_type: str, read: Callable[[str], object]
) -> str:
    if isinstance(value, tuple):
        return f"{expression} = any({params.add([read(str(item)) for item in value], sql_type + '[]')})"
    return f"{expression} {_COMPARE[op]} {params.add(read(str(value)), sql_type)}"


def _pattern(op: Op, value: str) -> str:
    match op:
        case Op.STARTS_WITH:
            return f"fold(v.text) like like_literal({value}) || '%'"
        case Op.CONTAINS:
            return f"fold(v.text) like '%' || like_literal({value}) || '%'"
        case _:
            return f"fold(v.text) like like_wildcard({value})"


def _number(path: AttributePath, text: str) -> Decimal:
    try:
        if _NUMBER.match(text.strip()):
            return Decimal(text.strip())
    except InvalidOperation:
        pass
    raise BadInput(f"attribute {path.name}: VR {path.last.vr} is compared as a number.")


def _moment(path: AttributePath, text: str) -> str:
    moment = text.translate(str.maketrans("", "", ".:- T"))
    if not _MOMENT.match(moment):
        raise BadInput(
            f"attribute {path.name}: VR {path.last.vr} is compared as a date or time, such as 2024-05-31."
        )
    return moment
