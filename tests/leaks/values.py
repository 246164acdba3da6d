"""What the arguments of the schema are asked with: canaries of everybody, hidden codes, foreign ids and cursors."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
    get_nullable_type,
)

from tests.leaks.canaries import Canaries
from tests.leaks.seeded import ERNS, PRIVATE, SINCE

Arguments = dict[str, str]
"""Arguments by name, as GraphQL literals."""

_NUMBERS = ("Rows", "PatientSize", "SeriesNumber")
NAMES = (
    "PatientName",
    "00100020",
    "StudyDate",
    "PatientComments",
    f"({PRIVATE})0009xx01",
    "FFFFFFFA",
    "OtherStudyNumbers",
    "RequestAttributesSequence.PatientName",
)
_ORDERED = ("StudyDate", "OtherStudyNumbers")
_OF_TEXT, _OF_ORDER = ("startsWith", "contains", "wildcard"), ("gte", "lte")
_NOTHING = {"UID": "1.2.826.0.1.9978", "Date": "1958-01-01"}
# What changes archives works on one of its own, that the walk has added: the others are looked at to the end.
_CHANGING = ("updateArchive", "disableArchive", "enableArchive", "removeArchive")
_SPARE = (
    f'{{code: "spare", ern: "{ERNS[0]}", title: "Spare", kind: orthanc, url: "http://127.0.0.1:1/dicom-web"}}'
)
_CANARY_OF = {
    "00100020": "PatientID",
    f"({PRIVATE})0009xx01": "private",
    "FFFFFFFA": "unknown",
    "RequestAttributesSequence.PatientName": "inside",
    "text": "StudyDescription",
}


@dataclass
class Values:
    """ids: of nodes, by whoever could see them. cohorts: ids of these and of versions; the last are spare.
    cursors: by the type of their connection. since: of changes."""

    canaries: Canaries
    ids: Sequence[str] = ()
    pseudonyms: Sequence[str] = ()
    cohorts: Sequence[str] = ()
    cursors: dict[str, Sequence[str]] = field(default_factory=dict)
    since: str = ""
    _turn: Iterator[int] = field(default_factory=count)

    def of(self, name: str, argument: str, given: GraphQLInputType, on: GraphQLField) -> Iterator[Arguments]:
        """Each way to give one argument of a field, with what must go with it."""
        connection = get_named_type(on.type).name
        match argument:
            case "after":
                yield from ({"after": json.dumps(each), "first": "3"} for each in self._places(connection))
            case "before":
                yield from ({"before": json.dumps(each), "last": "3"} for each in self._places(connection))
            case "last":
                yield from ({"last": each} for each in ("2", "1000"))
            case "since" if get_named_type(given).name != "DateTime":
                yield from ({"since": json.dumps(each)} for each in (self.since, "AAAA"))
            case "first":
                yield from ({"first": each} for each in ("1", "1000"))
            case "a" | "b":
                for each in self.cohorts:
                    yield {str(argument): json.dumps(each)}
            case "id" if name in ("cohort", "freezeCohort"):
                yield from ({"id": json.dumps(each)} for each in [*self.cohorts, "nothing"])
            case "id" if name.endswith("Cohort"):  # what changes it takes the spare ones first
                yield from ({"id": json.dumps(each)} for each in reversed(self.cohorts[2:]))
            case "people" | "description":
                yield {argument: '["another"]' if argument == "people" else '"words"'}
            case "name" if name.endswith("Cohort"):
                yield {"name": '"a cohort"'}
            case "erns":
                yield from ({"erns": json.dumps([each])} for each in ERNS)
            case "code" if name in _CHANGING:
                yield {"code": '"spare"'}
            case _:
                values = list(self._literals(f"{name}.{argument}", argument, given))
                assert values, f"{name}({argument}: {given}): give it values in tests/leaks/values.py"
                yield from ({argument: value} for value in values)

    def _places(self, connection: str) -> Sequence[str]:
        return self.cursors.get(connection, ()) or ["AAAA"]

    def _literals(self, where: str, argument: str, given: GraphQLInputType) -> Iterator[str]:
        nullable = get_nullable_type(given)
        if isinstance(nullable, GraphQLList):
            single = list(self._literals(where, argument, nullable.of_type))
            yield from (f"[{value}]" for value in single)
            if len(single) < 20:
                yield f"[{', '.join(single)}]"
            return
        named = get_named_type(given)
        if isinstance(named, GraphQLEnumType):
            yield from named.values
        elif isinstance(named, GraphQLInputObjectType):
            yield from self._objects(named)
        else:
            yield from self._scalars(named.name, argument)

    def _scalars(self, kind: str, argument: str) -> Iterator[str]:
        match kind, argument:
            case "ID", _:
                yield from map(json.dumps, self.ids)
            case "UID", _:
                tokens = [self._one("StudyInstanceUID", ern) for ern in ERNS]
                yield from map(json.dumps, [*tokens, *self.pseudonyms])
            case "String", "code" | "archive" | "archives":
                yield from map(json.dumps, [*(each.token for each in self.canaries.about("code")), "nowhere"])
            case "String", "keywords":
                yield from map(json.dumps, NAMES)
            case "String", "attribute":
                yield from map(json.dumps, [*_NUMBERS, *NAMES])
            case "Float", _:
                yield from ("-1.5", "0", "1000")
            case "String", "search":
                yield from ('"Patient"', json.dumps(self._one("PatientName", ERNS[0])))
            case "DateTime", "since":
                yield json.dumps(SINCE.isoformat())
            case "Boolean", _:
                yield from ("true", "false")
            case "String", _:
                yield '"zqxnothing"'
            case "Int", _:
                yield from ("0", "1", "2147483647")

    # ---- inputs -----------------------------------------------------------------------------------------

    def _objects(self, of: GraphQLInputObjectType, deep: bool = True) -> Iterator[str]:
        if of.name == "ArchiveInput":
            yield _SPARE
            return
        if set(of.fields) == {"field", "direction"}:
            fields, ways = (get_named_type(of.fields[name].type) for name in ("field", "direction"))
            assert isinstance(fields, GraphQLEnumType)
            assert isinstance(ways, GraphQLEnumType)
            yield from (f"{{field: {a}, direction: {b}}}" for a in fields.values for b in ways.values)
            return
        for name, entry in of.fields.items():
            inner = get_named_type(entry.type)
            if inner is of:  # and, or, not
                if deep:
                    one = next(self._objects(of, deep=False))
                    yield f"{{{name}: {f'[{one}]' if _is_list(entry.type) else one}}}"
            elif not isinstance(inner, GraphQLInputObjectType):
                yield from (f"{{{name}: {value}}}" for value in self._compared(name, "eq", entry.type))
            elif inner.name.endswith("Filter"):
                if deep:
                    yield from (f"{{{name}: {each}}}" for each in self._objects(inner, deep=False))
            elif inner.name == "AttributeMatch":
                names = NAMES if of.name == "StudyFilter" else NAMES[3:]
                yield from (f"{{{name}: [{each}]}}" for each in self._by_name(inner, names))
            else:
                for op, compared in inner.fields.items():
                    for value in self._compared(name, op, compared.type):
                        yield f"{{{name}: {{{op}: {value}}}}}"
                        if not deep:
                            break

    def _by_name(self, of: GraphQLInputObjectType, names: Sequence[str]) -> Iterator[str]:
        for name in names:
            unfit = _OF_TEXT if name in _ORDERED else _OF_ORDER
            for op, compared in of.fields.items():
                if op != "name" and op not in unfit:
                    for value in list(self._compared(name, op, compared.type))[-1:]:
                        yield f"{{name: {json.dumps(name)}, {op}: {value}}}"

    def _compared(self, attribute: str, op: str, given: GraphQLInputType) -> Iterator[str]:
        """Values for one operator: of every network for eq and in, else of one after the other."""
        named = get_named_type(given)
        if isinstance(named, GraphQLEnumType):
            yield from named.values
            return
        if named.name == "ID":
            yield from map(json.dumps, self.cohorts)
            return
        if named.name == "Boolean":
            yield from ("true", "false")
            return
        if named.name == "Int":
            yield "[1, 2]" if _is_list(given) else "1"
            return
        erns = ERNS if op in ("eq", "in", "any") else [ERNS[next(self._turn) % len(ERNS)]]
        tokens = [self._one(attribute, ern, op) for ern in erns]
        values = [
            json.dumps(_NOTHING.get(named.name, each) if each == "zqxnothing" else each) for each in tokens
        ]
        yield from [f"[{', '.join(values)}]"] if _is_list(given) else values

    def _one(self, attribute: str, ern: str, op: str = "eq") -> str:
        """A canary of an attribute that only this network has."""
        about = self.canaries.about(_CANARY_OF.get(attribute, attribute))
        token = next(
            (each.token for each in about if each.erns == {ern}),
            next((each.token for each in about if ern in each.erns), "zqxnothing"),
        )
        return f"{token[:-2]}*" if op == "wildcard" else token


def _is_list(given: GraphQLInputType) -> bool:
    inner = given.of_type if isinstance(given, GraphQLNonNull) else given
    return isinstance(inner, GraphQLList)
