"""Canaries: values that stand nowhere else, whose they are, and how to find them in bytes however written."""

import base64
import binascii
import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import unquote_plus

from access.scope import AccessLevel

UID_ROOT = "1.2.826.0.1.9977."
_CLOCK = "114713"
# One expression for all kinds; a date is one of ours only if the registry knows it.
_TOKENS = re.compile(
    r"zqx[a-z]{7}|1\.2\.826\.0\.1\.9977\.\d+|11:?47:?13\.97\d{4}|(?<!\d)977\d{8}(?!\d)"
    r"|(?<!\d)19\d\d-\d\d-\d\d|(?<!\d)19\d{6}(?=\d{2,6}\.|\d{6}(?!\d)|(?!\d))"
)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}")
_TRANSLATED = str.maketrans("-_", "+/")


@dataclass(frozen=True, slots=True)
class Canary:
    """`erns`: whose it is. `least`: what one must see of one of them; None: nobody may see it."""

    token: str
    what: str
    erns: frozenset[str]
    least: AccessLevel | None = AccessLevel.FULL

    def is_open_to(self, access: Mapping[str, AccessLevel]) -> bool:
        if self.least is None:
            return False
        ranks = list(AccessLevel)
        seen = max(ranks.index(access.get(ern, AccessLevel.NONE)) for ern in self.erns)
        return seen >= ranks.index(self.least)


@dataclass
class Canaries:
    """Makes them and remembers whose they are."""

    by_token: dict[str, Canary] = field(default_factory=dict)
    _random: random.Random = field(default_factory=lambda: random.Random(977))

    def text(self, erns: Iterable[str], what: str, least: AccessLevel | None = AccessLevel.FULL) -> str:
        letters = "".join(self._random.choices("abcdefghijklmnopqrstuvwxyz", k=7))
        return self._added(f"zqx{letters}", what, erns, least)

    def uid(self, erns: Iterable[str], what: str) -> str:
        return self._added(f"{UID_ROOT}{len(self.by_token) + 10_000}", what, erns)

    def number(self, erns: Iterable[str], what: str) -> int:
        # far apart, so that no edge of a histogram between two of them is a third one
        return int(self._added(f"977{len(self.by_token) * 61_803_399 % 10**8:08d}", what, erns))

    def time(self, erns: Iterable[str], what: str) -> str:
        return _CLOCK + "." + self._added(f".97{len(self.by_token):04d}", what, erns)[1:]

    def date(self, erns: Iterable[str], what: str, year: int) -> date:
        while True:
            day = date(year, 1, 1) + timedelta(days=self._random.randrange(365))
            if (
                day.day > 1 and day.isoformat() not in self.by_token
            ):  # a first is where a histogram's bar begins
                self._added(day.isoformat(), what, erns)
                return day

    def about(self, what: str) -> list[Canary]:
        """Of one attribute, by its name in whatever case."""
        return [each for each in self.by_token.values() if each.what.casefold() == what.casefold()]

    def found_in(self, content: bytes | str) -> set[Canary]:
        """Every canary in it: as it is, percent-encoded, or in base64 at any offset."""
        text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
        found = self._plain(text) | (self._plain(unquote_plus(text)) if "%" in text else set())
        for run in set(_BASE64.findall(text)):
            for start in range(4):
                found |= self._plain(_decoded(run[start:]))
        return found

    def _plain(self, text: str) -> set[Canary]:
        names = {_canonical(token) for token in _TOKENS.findall(text.casefold())}
        return {self.by_token[name] for name in names if name in self.by_token}

    def _added(
        self, token: str, what: str, erns: Iterable[str], least: AccessLevel | None = AccessLevel.FULL
    ) -> str:
        assert token not in self.by_token
        self.by_token[token] = Canary(token, what, frozenset(erns), least)
        return token


def _canonical(token: str) -> str:
    if token.startswith("11") and "47" in token:
        return token[-7:]
    if token.startswith("19") and len(token) == 8:
        return f"{token[:4]}-{token[4:6]}-{token[6:]}"
    return token


def _decoded(run: str) -> str:
    whole = run[: len(run) // 4 * 4].translate(_TRANSLATED)
    rest = run[len(whole) :].translate(_TRANSLATED)
    try:
        end = base64.b64decode(rest + "=" * (-len(rest) % 4)) if len(rest) > 1 else b""
        return (base64.b64decode(whole) + end).decode("latin-1")
    except (binascii.Error, ValueError):
        return ""
