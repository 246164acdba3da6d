"""Codes for what people write: BodyPartExamined, Modality and Laterality in SNOMED CT and DICOM's own codes.

The tables are vocabulary_terms.py (the standard's) and vocabulary_words.py (ours). The index derives a column
of codes from the same tables (functions of db/migrations/0010_cohorts.sql); the raw value always stays.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from model import vocabulary_terms, vocabulary_words
from model.attributes import Attribute, Kind, Level
from model.errors import BadInput


class Coded(StrEnum):
    """The attributes that have codes; the value is the keyword."""

    BODY_PART = "BodyPartExamined"
    MODALITY = "Modality"
    LATERALITY = "Laterality"


@dataclass(frozen=True, slots=True)
class Code:
    """A concept. `scheme`: SCT (SNOMED CT) or DCM (PS3.16 Annex D)."""

    value: str
    scheme: str
    meaning: str


CODE_COLUMNS: dict[Coded, Attribute] = {
    of: Attribute(f"{of}Code", "", "CS", Kind.TEXT, Level.SERIES, column, False)
    for of, column in (
        (Coded.BODY_PART, "body_part_code"),
        (Coded.MODALITY, "modality_code"),
        (Coded.LATERALITY, "laterality_code"),
    )
}
"""The derived columns of a series, for tests of filters. No archive sends them, so no record holds them."""

_SOURCES = {
    Coded.BODY_PART: ("SCT", vocabulary_terms.ANATOMIC_REGIONS, vocabulary_words.BODY_PARTS),
    Coded.MODALITY: ("DCM", vocabulary_terms.MODALITIES, vocabulary_words.MODALITIES),
    Coded.LATERALITY: ("SCT", vocabulary_terms.LATERALITIES, vocabulary_words.LATERALITIES),
}
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ß": "ss", "ς": "σ"})
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_NO_LETTER = re.compile(r"[\W_]+")


@cache
def codes(of: Coded) -> dict[str, Code]:
    """Every code of an attribute, by its value."""
    scheme, table, _ = _SOURCES[of]
    return {value: Code(value, scheme, meanings[0]) for value, _, meanings in _lines(table)}


@cache
def terms(of: Coded) -> dict[str, str]:
    """Folded term or word → value of its code. The standard's terms win over its meanings, these over our words."""
    _, table, words = _SOURCES[of]
    lines = list(_lines(table))
    found = {key(term): value for value, named, _ in lines for term in named}
    for value, _, meanings in lines:
        for meaning in meanings:
            found.setdefault(key(meaning), value)
    for named, said in _words(words):
        value = named if named in codes(of) else found[key(named)]
        for word in said:
            for spelled in (word, word.casefold().translate(_UMLAUTS)):
                found.setdefault(key(spelled), value)
    return found


def key(text: str) -> str:
    """What of a spelling counts: letters and digits, without case and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return _NO_LETTER.sub("", "".join(c for c in plain if not unicodedata.combining(c)))


def code_of(of: Coded, value: str | None) -> Code | None:
    """The code of that value; None for none."""
    return codes(of).get(value) if value is not None else None


def find(of: Coded, text: str) -> Code:
    """The code that a caller names: by its value, also as SCT:value, or by a term or word. Raises BadInput."""
    scheme, _, value = text.rpartition(":")
    known = codes(of)
    if value in known and scheme in ("", known[value].scheme):
        return known[value]
    if (found := terms(of).get(key(text))) is not None:
        return known[found]
    near = difflib.get_close_matches(key(text[:64]), terms(of), n=3, cutoff=0.75)
    meant = dict.fromkeys(f"{known[terms(of)[each]].meaning} ({terms(of)[each]})" for each in near)
    hint = f" Did you mean {', '.join(meant)}?" if meant else ""
    raise BadInput(f"{of.value} code: {text[:64]!r} is no code, term or word of the vocabulary.{hint}")


def _lines(table: str) -> Iterator[tuple[str, list[str], list[str]]]:
    for line in table.strip().splitlines():
        value, named, meanings = line.split(" ", 2)
        yield value, [] if named == "-" else named.split("+"), meanings.split("; ")


def _words(table: str) -> Iterator[tuple[str, list[str]]]:
    for line in table.strip().replace(",\n  ", ", ").splitlines():
        named, _, said = line.partition(":")
        yield named, [word.strip() for word in said.split(",")]
