"""Questions made from the schema itself: every field of every type, every argument with every kind of value.

A field that a later hand adds is asked for without having to be named here. An argument of a new type needs
values in `Values`, and says so.
"""

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from tests.leaks.values import Arguments, Values

ROWS = 40  # more than one network has studies
EVERY = 12  # of the variants of a subscription
PACK = 8  # variants in one document; statistics have at most 20 aggregates

Composite = GraphQLObjectType | GraphQLInterfaceType


@dataclass
class Questions:
    """Documents for a schema; `values` says what the arguments can be."""

    schema: GraphQLSchema
    values: Values
    _paired: set[tuple[str, str, str]] = dataclasses.field(default_factory=set)

    def whole(self) -> Iterator[str]:
        """Each root field with everything below it; of queries also without most of it, where all is too dear."""
        for root, word in self._roots:
            for name, field in root.fields.items():
                if word == "query":
                    yield f"{word} {{ {name}{self._text(self._plain(field, name, 12))}{self._shallow(field.type, 2)} }}"
                for below in self._everything(field.type, frozenset({root.name})):
                    yield f"{word} {{ {name}{self._text(self._plain(field, name, 12))}{below} }}"

    def varied(self) -> Iterator[list[str]]:
        """Each field that takes arguments, each of these with each of its values: several in one document,
        then the same ones by one, for where a wrong one takes the others with it."""
        for of, path in self._paths().items():
            for name, field in of.fields.items():
                variants = list(self._variants(field, name))
                if of is self.schema.subscription_type:  # one field each; filters are those of lists
                    yield from (
                        [path.replace("…", f"{name}{self._text(each)}{self._shallow(field.type, 1)}")]
                        for each in variants[::EVERY]
                    )
                    continue
                for start in range(0, len(variants), PACK):
                    asked = [
                        f"v{n}: {name}{self._text(each)}{self._shallow(field.type, 1)}"
                        for n, each in enumerate(variants[start : start + PACK])
                    ]
                    yield [path.replace("…", each) for each in (" ".join(asked), *asked)]

    def fields(self) -> set[str]:
        """Type.field of all that can be asked for."""
        return {
            f"{of.name}.{name}"
            for of in self.schema.type_map.values()
            if isinstance(of, GraphQLObjectType) and not of.name.startswith("__")
            for name in of.fields
        }

    @property
    def _roots(self) -> list[tuple[GraphQLObjectType, str]]:
        """What changes something comes last."""
        found = (
            (self.schema.query_type, "query"),
            (self.schema.subscription_type, "subscription"),
            (self.schema.mutation_type, "mutation"),
        )
        return [(root, word) for root, word in found if root is not None]

    # ---- selections -------------------------------------------------------------------------------------

    def _everything(self, given: GraphQLOutputType, above: frozenset[str]) -> list[str]:
        """All below a field; one text for each type that can stand there."""
        of = get_named_type(given)
        if isinstance(of, GraphQLInterfaceType):
            return [
                f" {{ __typename ... on {each.name}{below} }}"
                for each in self.schema.get_possible_types(of)
                for below in self._everything(each, above)
            ]
        return [self._below(of, above) if isinstance(of, GraphQLObjectType) else ""]

    def _below(self, of: GraphQLObjectType, above: frozenset[str]) -> str:
        parts = []
        for name, field in of.fields.items():
            inner = get_named_type(field.type)
            if is_leaf_type(inner):
                below = ""
            elif inner.name in above or name == "edges":
                below = self._shallow(field.type, 2)
            else:
                (below,) = self._everything(field.type, above | {of.name})
            parts.append(f"{name}{self._text(self._plain(field, name))}{below}")
        return f" {{ {' '.join(parts)} }}"

    def _shallow(self, given: GraphQLOutputType, depth: int) -> str:
        """Leaves, and the leaves of what stands there without arguments."""
        of = get_named_type(given)
        if isinstance(of, GraphQLInterfaceType):
            return " { __typename id }"
        if not isinstance(of, GraphQLObjectType):
            return ""
        parts = [
            f"{name}{self._shallow(field.type, depth - 1)}"
            for name, field in of.fields.items()
            if is_leaf_type(get_named_type(field.type)) or (depth > 0 and not field.args)
        ]
        return f" {{ {' '.join(parts)} }}"

    # ---- arguments --------------------------------------------------------------------------------------

    def _plain(self, field: GraphQLField, name: str, first: int = 4) -> Arguments:
        """The arguments that a field must have; with `first` rows where it takes that."""
        given = {
            each: next(iter(self.values.of(name, each, argument.type, field)))[each]
            for each, argument in field.args.items()
            if is_required_argument(argument)
        }
        if "since" in field.args and "since" not in given:
            given["since"] = json.dumps(self.values.since)
        return given | ({"first": str(first)} if "first" in field.args else {})

    def _variants(self, field: GraphQLField, name: str) -> Iterator[Arguments]:
        plain = self._plain(field, name)
        for each, argument in field.args.items():
            for given in self.values.of(name, each, argument.type, field):
                yield plain | given
        enums = [
            (each, enum)
            for each, argument in field.args.items()
            if isinstance(enum := get_named_type(argument.type), GraphQLEnumType)
        ]
        if len(enums) == 2:
            (one, first), (other, second) = enums
            pairs = [(a, b) for a in first.values for b in second.values]
            if (name, first.name, second.name) in self._paired:
                # The same field of another type: statistics of series are told as those of studies are.
                pairs = pairs[:: len(second.values) + 1]
            self._paired.add((name, first.name, second.name))
            yield from (plain | {one: a, other: b} for a, b in pairs)

    @staticmethod
    def _text(given: Arguments) -> str:
        return f"({', '.join(f'{name}: {value}' for name, value in given.items())})" if given else ""

    # ---- ways to a type ---------------------------------------------------------------------------------

    def _paths(self) -> dict[GraphQLObjectType, str]:
        """The shortest document to each type that has fields with arguments; … stands for the fields."""
        paths = {root: f"{word} {{ … }}" for root, word in self._roots}
        waiting = list(paths)
        while waiting:
            of = waiting.pop(0)
            for name, field in of.fields.items():
                below = get_named_type(field.type)
                if isinstance(below, GraphQLObjectType) and below not in paths:
                    step = f"{name}{self._text(self._plain(field, name, ROWS))} {{ … }}"
                    paths[below] = paths[of].replace("…", step)
                    waiting.append(below)
        return {of: path for of, path in paths.items() if any(f.args for f in of.fields.values())}
