"""What a word of a name sounds like: its sound keys, equal for the spellings of one name.

Letters and groups of letters, of Latin, Greek and Cyrillic, become sounds. Where spellings are ambiguous
(c, ch, oe, g of the Ukrainians, the initial gamma) a word has several keys; two words are one name when they
share a key. Hissing sounds are one (s, z, sh, zh, ch as in cheese, ts), f, v and w are one, y and j are i,
doubled letters single, y is the ending of -ski and -ska. Vowels stay: Müller is not Miller.
"""

import re
from functools import lru_cache
from itertools import islice, product

from model.name_letters import plain

MOST_KEYS = 12

_V = "aeiouyıäöüåæœøőűáýâîаеёиоуыэюяіїєαεηιουω"
# (what stands in a word, its sounds), the first that fits. Lookarounds see the word as it is spelled.
_RULES: tuple[tuple[str, tuple[str, ...]], ...] = (
    # hissing
    ("schtsch|stsch|shch|szcz|šč|tzsch|tsch|tch|sch|sh|sz|zh|zs|dzh|dž|dz|cz|ts|tz|tx|дж|тс|дз|τζ|τσ", ("s",)),
    (r"ck(?=[iyaýá][jy]?$)", ("sk", "k")),  # -cki, -cky
    (r"^ch(?=[bdfgklmnprstvwz])", ("k",)),
    ("ch", ("k", "s", "h")),
    ("c?qu", ("kv", "k")),
    ("ck|cq", ("k",)),
    ("cs", ("s",)),
    (r"s?c(?=[eiyäöæœ])", ("s",)),
    ("c$", ("k", "s")),
    ("[čç]", ("s", "k")),
    ("ć", ("s", "k")),
    ("c(?=[vmn]|ov)", ("k", "s")),  # Cvijić, Kuznecova
    ("c", ("k",)),
    ("[țţ]", ("s", "t")),
    ("ř", ("r", "rs")),
    ("[szšžśźżşșßжзсцчшћџσζ]", ("s",)),
    ("щ", ("s", "st")),
    # h and its kin
    ("kh", ("k", "h")),
    ("[хχ]", ("k", "h")),
    (f"^h(?=[^{_V}])", ("k", "h")),
    ("^h", ("h",)),
    (f"(?<=[{_V}])h(?=[{_V}])", ("h", "k")),
    ("ph|[fvwвфβφ]", ("v",)),
    ("th|θ|þ", ("t",)),
    (f"(?<=[{_V}])gh(?=[{_V}])", ("g", "h")),  # Gallagher, Gallaher
    ("gh", ("g",)),
    ("h$", ("",)),
    (f"(?<=[rl])h(?=[{_V}])", ("", "h", "k")),  # Serhii
    ("h", ("", "k")),
    # g
    ("^gi(?=[aeou])", ("gi", "i")),
    ("^g(?=[ei])", ("g", "i")),  # Giménez, Jiménez
    ("γι(?=[αεοωυ])", ("gi", "i")),
    ("γ(?=[ειηυ])", ("g", "i")),
    ("γγ", ("ng", "g")),
    ("γκ", ("g", "gk", "nk")),
    ("г", ("g", "h")),
    ("ğ", ("g", "")),
    # other consonants
    ("^μπ", ("b", "mp")),
    ("μπ", ("mp", "b", "mb")),
    ("^ντ", ("d", "nt")),
    ("ντ", ("nt", "nd", "d")),
    ("[qkкκќ]", ("k",)),
    (f"^x(?=[{_V}])", ("ks", "i", "s")),  # Xavier
    ("x|ξ", ("ks",)),
    ("ψ", ("ps",)),
    ("dt$|[dд]$", ("t",)),
    ("dt(?=[lmn])", ("d", "t")),
    ("(?<=au)l(?=[dt])", ("", "l")),  # Arnault, Gaulthier
    ("[đђ]", ("d", "di")),
    ("ñ", ("n", "ni")),
    ("љ", ("li",)),
    ("њ", ("ni",)),
    # vowels
    ("ou$|ου$", ("u", "o", "os")),
    ("ou", ("u", "o")),
    ("ου", ("u",)),
    ("ae", ("a", "ae")),
    ("oe", ("o", "oe")),
    ("ue", ("u", "ue")),
    ("(?<=[^aeiou][^aeiou])ey$|(?<=[^aeiou][^aeiou])ie$", ("ie", "i")),  # Lesley, Leslie
    ("^eu", ("eu", "ev")),
    ("ευ", ("ev", "eu")),
    ("αυ", ("av", "au")),
    ("αι", ("e", "ei")),
    ("ει|υι", ("i", "ei")),
    ("^οικ", ("ik", "oik", "ek")),
    ("οι", ("i", "oi")),
    ("á$", ("a", "i")),  # Novotná, Novotný
    ("^[yj]e", ("ie", "e")),
    (f"(?<=[{_V}])(?<!e)[yj]e", ("ie", "e")),
    (f"(?<=[^{_V}])[yj]o", ("io", "e")),
    (f"^е|(?<=[{_V}ьъ])е|є", ("e", "ie")),
    ("ё", ("io", "e")),
    ("ю", ("iu",)),
    ("я", ("ia",)),
    ("ў", ("u", "v")),
    ("ъ", ("", "a")),
    ("ь", ("",)),
    ("â", ("a", "i")),
    ("î", ("i", "a")),
    ("[aäåæáаα]", ("a",)),
    ("[eеэε]", ("e",)),
    ("[iıyjýийіїыјηιυ]", ("i",)),
    ("[oöøœőоοω]", ("o",)),
    ("[uüűу]", ("u",)),
    # the rest, letter by letter
    *((f"[{letters}]", (letters[0],)) for letters in
      ("bб", "dðдδ", "gґѓγ", "lłлλ", "mмμ", "nнν", "pпπ", "rрρ", "tтτ")),
)  # fmt: skip
_SOUNDS = [sounds for _, sounds in _RULES]
_PARSE = re.compile("|".join(f"({pattern})" for pattern, _ in _RULES) + "|.", re.DOTALL)
_DOUBLED = re.compile(r"(.)\1+")
_SKI = re.compile(r"(?<=..sk)(?:i|ie|oi|a|aia|eia)$")
_LIQUID = re.compile(r"(?<=[bdgkpstv])[rl]$")


@lru_cache(maxsize=100_000)
def sounds(word: str) -> tuple[str, ...]:
    """The sound keys of a word of `name_letters.lower`, the most usual first; never none, at most 12."""
    word = word.replace("'", "")
    if len(word) == 1:
        return (plain(word) or word,)
    parts = [_SOUNDS[m.lastindex - 1] if m.lastindex else (m[0],) for m in _PARSE.finditer(word)]
    keys = dict.fromkeys(_finished("".join(way)) for way in islice(product(*parts), 2 * MOST_KEYS))
    for key in list(keys):
        keys.update(dict.fromkeys(_other_endings(key)))
    # A key of one sound is what an initial has: a word has itself then.
    found = tuple(dict.fromkeys(key if len(key) > 1 else plain(word) or word for key in keys))
    return found[:MOST_KEYS]


def _finished(key: str) -> str:
    key = _DOUBLED.sub(r"\1", key).replace("ai", "ei")
    return _SKI.sub("y", key)


def _other_endings(key: str) -> list[str]:
    """The same family name of a man, one that lacks its -i or -a, e where Slavic spelling has none (Petr)."""
    if key.endswith(("ova", "eva")):
        stem = key[:-3]
        mobile = [f"{stem[:-1]}ek"] if key.endswith("kova") and len(stem) > 4 else []  # Jelínková, Jelínek
        return [key[:-1], *([stem, stem + "a", *mobile] if len(stem) > 4 and key.endswith("ova") else [])]
    if key.endswith("iene") and len(key) > 7:  # Lithuanian: Kubilienė, Kubilius
        return [key[:-4] + ending for ending in ("as", "is", "us", "ius")]
    if key.endswith("sk") and len(key) > 5:
        return [key + "y"]
    if _LIQUID.search(key):
        return [f"{key[:-1]}e{key[-1]}"]
    return []
