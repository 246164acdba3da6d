"""Names by their keys (model/name_keys.py) in SQL: which rows `fuzzy` finds, and how alike their names are."""

from collections.abc import Callable, Sequence

from db.params import Params
from model.name_keys import sought


def fuzzy_test(params: Params, column: str, text: str) -> Callable[[str], str]:
    """Each sought word is in the name by a key of it, or the whole name is among the sought words."""
    wanted = sought(text)
    if wanted is None:
        return lambda alias: "false"
    words = [_any_key(params, keys) for keys in wanted.words]
    wholes = _any_key(params, wanted.wholes) if wanted.wholes else None

    def matches(alias: str) -> str:
        keys = f"{alias}.{column}_keys"
        every = " and ".join(f"{keys} @@ {word}" for word in words)
        some = f"({every})" if wholes is None else f"(({every}) or {keys} @@ {wholes})"
        return f"({some} and name_is_read({keys}))"

    return matches


def likeness(params: Params, column: str, text: str) -> str:
    """How alike a name is, from 0 to 2; `{a}` stands for the row's alias."""
    wanted = sought(text)
    forms = (wanted.plain, wanted.sound) if wanted is not None else ("", "")
    plain, sound = (params.add(form, "text") for form in forms)
    return f"name_likeness({{a}}.{column}_forms, {plain}, {sound})"


def _any_key(params: Params, keys: Sequence[str]) -> str:
    """The tsquery of names that have one of these keys, which hold letters, digits and . = | only."""
    query = " | ".join(f"'{key}'" for key in keys)
    return f"{params.add(query, 'text')}::tsquery"
