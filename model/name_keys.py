"""Names as the index finds them: keys of a stored name, and what a sought name asks of them.

A stored name has for each of its words the sound keys (name_sounds.py), the same for words written together
(van der Berg, vanderberg), its initials ("h."), and a signature: the keys of all that counts in it ("=a|b").
A sought name matches when each of its words is there, or all of the stored name is among its words. All
tolerance of typing errors is on the asking side, so that each test is a look-up of exact keys.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, islice, product
from typing import NamedTuple

from model.given_names import called_also
from model.name_letters import lower, plain
from model.name_sounds import sounds

MAX_TEXT = 400
"""Characters of a name that count."""
_MOST_WORDS = 16
_LONGEST_WORD = 40
_MOST_SOUGHT = 6
# An apostrophe joins what it stands in (O'Brien), and is none at the ends of a word.
_SPLIT = re.compile(r"(?:[^\w']|_|(?<!\w)'|'(?!\w))+")
# Words that people write or leave out: they are not asked for, unless there is nothing else.
_PARTICLES = """
    van von vom de den der des del della di da do dos das du la le les lo los las el al ul ad as an ar ash bin ben bint
    ibn abu zu zum zur af av ten ter te y e i
"""
_TITLES = "dr prof med dent dipl ing mag mr mrs ms mme mlle frau herr jr sr md phd ii iii iv"
# Two letters that are one: Tj. Hoekstra, Zs. Szabó.
_INITIALS = frozenset(["th", "tj", "ch", "chr", "ph", "sj", "zs", "cs", "sz", "gy"])
_CUT = 12
_OPTIONAL = frozenset(f"{_PARTICLES} {_TITLES}".split())


class NameKeys(NamedTuple):
    """What the index holds of a name: keys, and its forms (plain, by sound, other groups) joined by '='."""

    keys: tuple[str, ...] = ()
    forms: str = ""


class SoughtWord(NamedTuple):
    """The keys that a word accepts, and those of one slip of the fingers in it."""

    keys: tuple[str, ...]
    slips: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SoughtName:
    """A name has a key of each of `words`, of one at most by a slip; or it has one of `wholes`. `plain`, `sound`: its
    forms."""

    words: tuple[SoughtWord, ...]
    wholes: tuple[str, ...]
    plain: str
    sound: str


@lru_cache(maxsize=50_000)
def keys_of(name: str | None) -> NameKeys:
    """The keys of a PN as the index keeps it ('family^given=ideographic=phonetic')."""
    groups = [_words(group) for group in lower(name or "")[:MAX_TEXT].split("=")]
    keys: dict[str, None] = {}
    if not any(component for group in groups for component in group):
        return NameKeys()
    for components in groups:
        words = [word for component in components for word in component][:_MOST_WORDS]
        keys.update(dict.fromkeys(_keys(words, [*components, *_unspaced(words)])))
    plains = [" ".join(plain(word) for component in group for word in component) for group in groups]
    first = next((n for n, text in enumerate(plains) if text), 0)
    sound = " ".join(sounds(word)[0] for component in groups[first] for word in component)
    return NameKeys(tuple(keys), "=".join([plains[first], sound, *(p for p in plains[first + 1 :] if p)]))


@lru_cache(maxsize=1_000)
def sought(text: str) -> SoughtName | None:
    """What to look for; None when the text has no letter or digit."""
    words = [
        word
        for group in lower(text)[:MAX_TEXT].split("=")
        for component in _words(group)
        for word in component
    ][:_MOST_WORDS]
    if not words:
        return None
    needed = _needed(words)[:_MOST_SOUGHT]
    return SoughtName(
        tuple(_asked(words, at, len(needed) > 1) for at in needed),
        tuple(_wholes([words[at] for at in needed])),
        " ".join(plain(word) for word in words),
        " ".join(sounds(word)[0] for word in words),
    )


def _words(group: str) -> list[list[str]]:
    """Components, and the words of each."""
    return [
        [word[:_LONGEST_WORD] for word in _SPLIT.split(component) if word] for component in group.split("^")
    ]


def _unspaced(words: list[str]) -> list[list[str]]:
    """Names in Chinese, Japanese or Korean are sought without the space between family and given name."""
    return [words] if len(words) < 4 and not any(char < "\u1100" for word in words for char in word) else []


def _needed(words: list[str]) -> list[int]:
    """Places of the words that must be there; long ones first, so that none of many is lost."""
    needed = [at for at, word in enumerate(words) if word not in _OPTIONAL or len(word) == 1]
    return sorted(needed or range(len(words)), key=lambda at: -len(words[at]))


def _keys(words: list[str], components: Iterable[list[str]]) -> Iterator[str]:
    for word in words:
        yield from sounds(word)
        yield from (f"{initial}." for initial in _initials(word))
    for component in components:
        for _, joined in _joined(component):
            yield from sounds(joined)[:4]
    counted = [words[at] for at in _needed(words)] if words else []
    for way in islice(product(*(sounds(word)[:4] for word in counted)), 4):
        yield _signature(way)


def _initials(word: str) -> set[str]:
    if word in _INITIALS:
        return {word[0]}
    return {plain(word)[:1], *(key[:1] for key in sounds(word))} - {""}


def _joined(words: list[str]) -> Iterator[tuple[range, str]]:
    """Two or three neighbours written together, and their places."""
    for length in (2, 3):
        for start in range(len(words) - length + 1):
            yield range(start, start + length), "".join(words[start : start + length])


def _signature(keys: Iterable[str]) -> str:
    return "=" + "|".join(sorted(set(keys)))


def _asked(words: list[str], at: int, others: bool) -> SoughtWord:
    keys = tuple(dict.fromkeys(_accepted(words, at, others)))
    slips = dict.fromkeys(slip for key in sounds(words[at])[:3] for slip in _misspelled(key))
    return SoughtWord(keys, tuple(slip for slip in slips if slip not in keys))


def _accepted(words: list[str], at: int, others: bool) -> Iterator[str]:
    """The keys that stand for the word at this place; its initial only where other words are asked for."""
    word = words[at]
    keys = sounds(word)
    yield from keys
    if len(word) == 1:
        if others:
            yield from (f"{key}." for key in keys)
    elif others:
        yield from _initials(word)
        yield from called_also(word)
        if word in _INITIALS:
            yield f"{word[0]}."
    for cut in range(1, 4):  # fields of 12 to 16 letters
        if len(word) - cut >= _CUT:
            yield sounds(word[:-cut])[0]
    for places, joined in _joined(words):
        if at in places:
            yield from sounds(joined)


def _wholes(words: list[str]) -> Iterator[str]:
    """Signatures of the names that consist of some of these words."""
    accepted = [tuple(dict.fromkeys([*sounds(word)[:4], *_initials(word)])) for word in words]
    for count in range(1, len(words)):
        for some in combinations(accepted, count):
            # initials alone are not enough
            ways = (way for way in product(*some) if any(len(key) > 1 for key in way))
            yield from map(_signature, islice(ways, 24))


_VOWELS, _CONSONANTS = "aeiou", "bdghklmnprstv"
# Sounds whose letters lie side by side on keyboards.
_BESIDE = {
    "b": "ghnv", "d": "krsv", "g": "bhtv", "h": "bgn", "k": "dlm", "l": "kp", "m": "kn", "n": "bhm",
    "p": "l", "r": "dtv", "s": "d", "t": "gr", "v": "bdgr",
}  # fmt: skip


def _misspelled(key: str) -> Iterator[str]:
    """The keys of one slip of the fingers in a long word: two letters swapped, one lacking, a vowel too many, the
    consonant of the next key.

    Never at its ends, which tell names apart; but for a swap there that leaves the -a of Christina alone. Nor another
    vowel, nor a consonant too many: Lindberg is not Lindborg, Petrović not Perović.
    """
    if not key.isascii() or len(key) < 5:
        return
    inside = range(1, len(key) - 1)
    for at in inside:
        if at < len(key) - 2 or "a" not in key[-2:]:
            yield key[:at] + key[at + 1] + key[at] + key[at + 2 :]
    if len(key) >= 6:
        for at in range(1, len(key)):
            yield from (key[:at] + letter + key[at:] for letter in _VOWELS + _CONSONANTS)
    if len(key) >= 7:
        yield from (key[:at] + key[at + 1 :] for at in inside if key[at] in _VOWELS)
    if len(key) >= 8:
        for at in inside:
            yield from (key[:at] + letter + key[at + 1 :] for letter in _BESIDE.get(key[at], ""))
