"""Keywords of PS3.6 that look like what somebody wrote. Nothing of the index gets into a suggestion."""

import difflib
from collections import defaultdict
from functools import cache, lru_cache

from pydicom.datadict import dictionary_description, keyword_dict

_CANDIDATES = 40
_CUTOFF = 0.72


@lru_cache(maxsize=1024)
def near_names(text: str, count: int = 3) -> tuple[str, ...]:
    """The `count` nearest keywords, nearest first; none when nothing is near. `text`: at most 64 characters.

    A name of PS3.6 ("Slice Thickness") and a keyword in another case lead to the keyword.
    """
    plain = _plain(text)
    if not plain:
        return ()
    if (same := _by_plain_text().get(plain)) is not None:
        return (same,)
    shared: dict[str, int] = defaultdict(int)
    for pair in _pairs(plain):
        for known in _by_pair().get(pair, ()):
            shared[known] += 1
    # difflib alone would look at all 5,000 keywords, which takes a tenth of a second.
    likely = sorted(shared, key=lambda known: (-2 * shared[known] / (len(known) + len(plain)), known))
    near = difflib.get_close_matches(plain, likely[:_CANDIDATES], n=count, cutoff=_CUTOFF)
    return tuple(_by_plain_text()[known] for known in near)


@cache
def _by_plain_text() -> dict[str, str]:
    """Keyword by its letters, and by those of its name where they differ."""
    names = {_plain(dictionary_description(tag)): keyword for keyword, tag in keyword_dict.items() if keyword}
    return names | {_plain(keyword): keyword for keyword in keyword_dict if keyword}


@cache
def _by_pair() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for keyword in keyword_dict:
        for pair in _pairs(plain := _plain(keyword)):
            found[pair].append(plain)
    return dict(found)


def _pairs(text: str) -> set[str]:
    return {text[at : at + 2] for at in range(len(text) - 1)}


def _plain(text: str) -> str:
    return "".join(each for each in text.casefold() if each.isalnum())
