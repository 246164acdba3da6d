"""Names by their keys (model/name_keys.py) in SQL: which rows `fuzzy` finds, and how alike their names are."""

from collections.abc import Callable, Iterable, Sequence

from access.scope import Projection
from db.params import Params
from model.name_keys import SoughtName, sought

NONE = "null"

Rank = Callable[[Params, str], str]
"""SQL of how well the row with an alias matches."""


def fuzzy_test(
    params: Params,
    projection: Projection,
    column: str,
    text: str,
    *,
    scanned: bool = False,
    known: Sequence[int] | None = None,
) -> Callable[[str], str]:
    """Each sought word is in the name by a key of it, or the whole name is among the sought words.

    `scanned`: row after row, for names that so many have that the first rows of an order are found sooner. `known`: the
    studies of full records that pass.
    """
    wanted = sought(text)
    if wanted is None:
        return lambda alias: "false"
    if scanned or projection is not Projection.IDENTIFIED:
        queries = [
            f"{params.add(query, 'text')}::tsquery" for query in _ways(wanted, by_letter=True) if query
        ]
        return lambda a: f"({' or '.join(f'ts_match_vq({a}.{column}_keys, {query})' for query in queries)})"
    if known is not None:
        studies = params.add(list(known), "bigint[]")
        return lambda alias: f"{alias}.study_pk = any({studies})"
    asked = named(params, column, text, NONE)
    return lambda alias: f"{alias}.study_pk in (select {asked})"


def named(params: Params, column: str, text: str, most: str) -> str:
    """The studies (study_pk) of the viewer's archives that a name finds; `most`: SQL of how many, null for all."""
    wanted = sought(text)
    ways = _ways(wanted) if wanted is not None else ("", "", "")
    queries = [f"nullif({params.add(query, 'text')}, '')::tsquery" for query in ways]
    return f"records.studies_named({params.add(column, 'text')}, {', '.join(queries)}, {most})"


def likeness(column: str, text: str) -> Rank:
    """How alike a row's name is, from 0 to 2."""
    wanted = sought(text)
    forms = (wanted.plain, wanted.sound) if wanted is not None else ("", "")

    def of(params: Params, alias: str) -> str:
        plain, sound = (params.add(form, "text") for form in forms)
        return f"name_likeness({alias}.{column}_forms, {plain}, {sound})"

    return of


def _ways(wanted: SoughtName, *, by_letter: bool = False) -> tuple[str, str, str]:
    """tsqueries of names that have all words, all but one that has a slip, or are among the words; '' for none.

    `by_letter`: slips leave the first letter, and a row whose words begin otherwise is soon done with.
    """
    keys = [_any(word.keys) for word in wanted.words]
    slips = []
    for at, word in enumerate(wanted.words):
        if word.slips:
            letters = _any({slip[0] for slip in word.slips}, ":*")
            slipped = [letters, _any(word.slips)] if by_letter else [_any(word.slips)]
            slips.append(" & ".join([*slipped, *keys[:at], *keys[at + 1 :]]))
    return (
        " & ".join(keys),
        " | ".join(f"({way})" for way in slips),
        _any(wanted.wholes) if wanted.wholes else "",
    )


def _any(keys: Iterable[str], suffix: str = "") -> str:
    """Keys hold letters, digits and . = | only."""
    quoted = [f"'{key}'{suffix}" for key in keys]
    return f"({' | '.join(quoted)})"
