"""Letters of names: words in plain Latin letters, for comparing how names are spelled.

Latin, Greek and Cyrillic become a to z, by one romanisation each; other scripts stay as they are. What the
letters sound like, and the other romanisations, are name_sounds.py.
"""

import re
import unicodedata

_SPECIAL = str.maketrans(
    {
        **dict(zip("øłđðħıŋ", "oldqhin", strict=True)),
        **{"ð": "d", "ß": "ss", "þ": "th", "æ": "ae", "œ": "oe", "ĳ": "ij", "ς": "σ"},
        **dict(zip("абвгдезийклмнопрстуфыэіїґјў", "abvgdeziiklmnoprstufyeiigju", strict=True)),
        **{
            "ж": "zh",
            "х": "kh",
            "ц": "ts",
            "ч": "ch",
            "ш": "sh",
            "щ": "shch",
            "ё": "e",
            "ю": "yu",
            "я": "ya",
        },
        **{
            "ъ": "",
            "ь": "",
            "є": "ye",
            "ђ": "dj",
            "ћ": "c",
            "џ": "dz",
            "љ": "lj",
            "њ": "nj",
            "ѓ": "g",
            "ќ": "k",
        },
        **dict(zip("αβγδεζηικλμνοπρστυφω", "avgdeziiklmnoprstyfo", strict=True)),
        **{"θ": "th", "ξ": "x", "χ": "ch", "ψ": "ps"},
    }
)
_GREEK_PAIRS = (("ου", "ou"), ("ευ", "ev"), ("αυ", "av"), ("γγ", "ng"))
_UMLAUT = re.compile(r"([aou])e|(a)a")
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼʻ`´′ʹ＇", "'"))
# Katakana and hiragana are one: タカハシ, たかはし.
_KANA = str.maketrans({chr(code): chr(code - 0x60) for code in range(0x30A1, 0x30F7)})
# Composed letters that mean more than their base letter with a mark on it (name_sounds.py tells them apart).
_WHOLE = frozenset("äöüåæœøßőűčćçđšžśźżşșțţřñłğáýâîйёїўґ")


def lower(text: str) -> str:
    """Lower case, one kind of apostrophe, no marks, but for the letters of which the mark is a part."""
    # before NFKC, which makes a space and a mark of some of them
    text = unicodedata.normalize("NFKC", text.translate(_APOSTROPHES)).lower().replace("ς", "σ")
    if text.isascii():
        return text
    text = unicodedata.normalize("NFC", text).translate(_KANA)
    return "".join(char if char in _WHOLE or char.isascii() else _bare(char) for char in text)


def plain(word: str) -> str:
    """A word of `lower` in plain letters: müller, mueller and muller are one."""
    if not word.isascii():
        for pair, latin in _GREEK_PAIRS:
            word = word.replace(pair, latin)
        word = word.translate(_SPECIAL)
        word = "".join(char if char.isascii() else _bare(char) for char in word)
    return _UMLAUT.sub(r"\1\2", word)


def _bare(char: str) -> str:
    """The letter without its marks; Hangul and kana stay whole."""
    parts = unicodedata.normalize("NFD", char)
    if len(parts) == 1:
        return "" if unicodedata.combining(char) else char
    bare = "".join(part for part in parts if not unicodedata.combining(part))
    return bare if len(bare) == 1 and not 0x3040 <= ord(char) <= 0x30FF else char
