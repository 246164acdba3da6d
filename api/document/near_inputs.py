"""What somebody may have meant by a field of an input that is not there: near fields, operators, fields elsewhere.

All of it are names of the schema. The value that was given is not looked at.
"""

import difflib
import re
from collections.abc import Iterator
from typing import Final

from graphql import GraphQLInputObjectType, GraphQLSchema, get_named_type, is_list_type

from model.near_names import near_names

_DEEP: Final = 2
"""How many inputs down a field of that name is looked for."""
_OTHER_WORDS: Final = {
    "eq": ("equals", "equal", "is", "value", "exact", "any"),
    "in": ("oneof", "anyof", "values", "any"),
    "gte": ("gt", "min", "from", "after", "since", "ge", "start"),
    "lte": ("lt", "max", "to", "before", "until", "le", "end"),
    "wildcard": ("like", "ilike", "regex", "matches", "match", "pattern"),
    "contains": ("icontains", "includes", "has", "search"),
    "startsWith": ("beginswith", "prefix", "startwith", "istartswith"),
    "fuzzy": ("similar", "soundslike", "near"),
    "isNull": ("exists", "null", "isempty", "missing", "present"),
    "exists": ("isnull", "null", "present", "missing"),
    "any": ("eq", "in", "equals", "oneof", "has", "contains"),
    "all": ("every", "hasevery", "and"),
    "none": ("nin", "notin", "not", "ne", "neq"),
}
"""Operators here, by what other APIs call them."""
_NEGATIONS: Final = frozenset({"ne", "neq", "noteq", "notequals", "not", "nin", "notin"})


def meant_by(schema: GraphQLSchema, input_name: str, field: str) -> str:
    """` Did you mean …?`, or nothing."""
    of = schema.get_type(input_name)
    if not isinstance(of, GraphQLInputObjectType):
        return ""
    near = _near(of, field)
    found = [f"'{name}'" for name in near]
    if not any(_plain(name) == _plain(field) for name in near):
        found += [f"`{place}`" for place in _elsewhere(of, field)][:2]
    if not found and "attribute" in of.fields and (keywords := near_names(field[:64], 1)):
        found = [f'`attribute: [{{name: "{keywords[0]}", …}}]`']
    if not found and _plain(field) in _NEGATIONS and "not" not in of.fields:
        found = ["`not: {…}` around the condition"]
    return f" Did you mean {', or '.join(found)}?" if found else ""


def shape_of(schema: GraphQLSchema, input_name: str) -> str:
    """What an input looks like, for somebody who gave a bare value; nothing where it has no operators."""
    of = schema.get_type(input_name)
    if not isinstance(of, GraphQLInputObjectType):
        return ""
    operators = [name for name in of.fields if name in _OTHER_WORDS][:3]
    return f" Did you mean {', or '.join(f'`{{{name}: …}}`' for name in operators)}?" if operators else ""


def _near(of: GraphQLInputObjectType, field: str) -> list[str]:
    """Fields of the same input: other words for it, the same beginning, the same letters; nearest first."""
    plain = {_plain(name): name for name in of.fields}
    wanted, words = _plain(field), _words(field)
    if wanted in plain:
        return [plain[wanted]]
    found = [name for name in of.fields if wanted in _OTHER_WORDS.get(name, ())]
    found += [name for known, name in plain.items() if _begins_like(known, wanted)]
    found += [name for name in of.fields if words <= _words(name)]
    found += [plain[known] for known in difflib.get_close_matches(wanted, plain, n=2, cutoff=0.75)]
    return list(dict.fromkeys(found))[:3]


def _begins_like(known: str, wanted: str) -> bool:
    """modalitiesinstudy like modality: by all but the last two letters."""
    same = next((n for n, (one, other) in enumerate(zip(known, wanted, strict=False)) if one != other), None)
    return len(wanted) > 3 and (min(len(known), len(wanted)) if same is None else same) >= max(
        4, len(wanted) - 2
    )


def _words(name: str) -> set[str]:
    return {each.casefold() for each in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def _elsewhere(of: GraphQLInputObjectType, field: str) -> Iterator[str]:
    """Where inputs inside have a field of that name, as one would write it; the shallowest first."""
    wanted = _plain(field)
    waiting: list[tuple[GraphQLInputObjectType, tuple[str, ...]]] = [(of, ())]
    seen = {of.name}
    while waiting:
        here, path = waiting.pop(0)
        for name, inner in here.fields.items():
            named = get_named_type(inner.type)
            if (
                not isinstance(named, GraphQLInputObjectType)
                or is_list_type(inner.type)
                or named.name in seen
            ):
                continue
            if not named.name.endswith("Filter"):
                continue
            seen.add(named.name)
            same = [known for known in named.fields if _plain(known) == wanted]
            if same:
                yield _written((*path, name), same[0])
            if len(path) + 1 < _DEEP:
                waiting.append((named, (*path, name)))


def _written(path: tuple[str, ...], field: str) -> str:
    opened = "".join(f"{name}: {{" for name in path)
    return f"{opened}{field}: …{'}' * len(path)}"


def _plain(text: str) -> str:
    return "".join(each for each in text.casefold() if each.isalnum())
