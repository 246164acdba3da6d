"""What people type into a text search → a TextTest (model/filters.py). Every text means something: nothing is a
syntax error, and what is no operator at its place is a separator.

    knee left     both words, each as the beginning of a word
    kne*          the same; the star is allowed
    "left knee"   these words, whole, one after the other
    -knee         not this word; -"left knee" not this phrase
    knee OR hip   what stands before, or what stands after
"""

import re

from model.errors import BadInput
from model.filters import TextTest

MAX_WORDS = 20

_WORDS = re.compile(r"[^\W_]+")
# A phrase with both of its quotation marks, or what stands between white space.
_TERM = re.compile(r'(?<!\S)(-?)"([^"]*)"|(\S+)')


def parse_text(text: str) -> TextTest:
    """The test that a text means. Raises BadInput when it has no words, or too many."""
    alternatives: list[list[tuple[bool, bool, tuple[str, ...]]]] = [[]]
    for minus, phrase, term in _TERM.findall(text):
        if term == "OR":
            alternatives.append([])
        elif words := tuple(_WORDS.findall(phrase or term)):
            excluded = bool(minus) or (term.startswith("-") and len(term) > 1 and term[1].isalnum())
            alternatives[-1].append((excluded, bool(phrase), words))
    tests = [_all_of(terms) for terms in alternatives if terms]
    count = sum(len(words) for terms in alternatives for _, _, words in terms)
    if not tests and "OR" in text.split():
        return TextTest(("OR",))
    if not 1 <= count <= MAX_WORDS:
        raise BadInput(f"text: needs 1 to {MAX_WORDS} words of letters or digits, got {count}.")
    first, *others = tests
    return TextTest(first.words, first.phrases, first.excluded_words, first.excluded_phrases, tuple(others))


def _all_of(terms: list[tuple[bool, bool, tuple[str, ...]]]) -> TextTest:
    return TextTest(
        tuple(word for excluded, phrase, words in terms if not excluded and not phrase for word in words),
        tuple(words for excluded, phrase, words in terms if not excluded and phrase),
        tuple(words[0] for excluded, phrase, words in terms if excluded and not phrase and len(words) == 1),
        # -t1-mprage is one thing that is not wanted
        tuple(words for excluded, phrase, words in terms if excluded and (phrase or len(words) > 1)),
    )
