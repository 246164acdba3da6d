"""`[policy]`, `[policy.<ERN>]` and `[groups]` of archives.toml: what an ERN lets whom see, as words.

What the words mean is access/grants.py. A mistake is reported with file, line, key and what was expected.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from config.archive_keys import expected_network
from config.archives_file import ArchivesFileError
from config.networks_file import networks_of
from config.toml_lines import TableLines, table_lines
from model.erns import ERNS_ALONE, Networks

LEVELS = ("none", "counts", "pseudonymised", "full")
"""From least to most."""
VERBS = ("annotate", "upload", "export", "admin")
WORDS = (*LEVELS[1:], *VERBS)
"""What a grant is made of."""


@dataclass(frozen=True, slots=True)
class ErnPolicy:
    """`members`: the most that a person with a grant sees; `others`: what any signed-in person sees.

    research_consent: who is no member sees pseudonymised records only with the patient's consent to research.
    small_count: fewer patients are not counted in statistics of hidden records; None: as for all ERNs.
    """

    members: str = "full"
    others: str = "counts"
    research_consent: bool = True
    small_count: int | None = None


@dataclass(frozen=True, slots=True)
class AccessRules:
    """groups: name of a group at the provider → ERN → words. networks: that anything is said of."""

    default: ErnPolicy = ErnPolicy()
    by_ern: Mapping[str, ErnPolicy] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    networks: Networks = ERNS_ALONE

    def policy_of(self, ern: str) -> ErnPolicy:
        return self.by_ern.get(ern, self.default)

    @property
    def small_counts(self) -> dict[str, int]:
        """ERN → its own threshold, of those that have one."""
        return {ern: each.small_count for ern, each in self.by_ern.items() if each.small_count is not None}


def load_access_rules(path: Path) -> AccessRules:
    """The rules of archives.toml; its [[archive]] tables are load_archives' matter. Raises ArchivesFileError, also
    where there is no file: the defaults are only those of a file without these tables."""
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise ArchivesFileError(f"{path.name}: cannot be read; `ernfed archives list` says why") from None
    networks, _ = networks_of(path, text, document)  # mistakes: load_archives
    reader = _Reader(path, table_lines(text), networks)
    policy = document.get("policy", {})
    default = reader.default(policy)
    rules = AccessRules(
        default, reader.by_ern(policy, default), reader.groups(document.get("groups", {})), networks
    )
    if reader.mistakes:
        raise ArchivesFileError("\n".join(message for _, message in sorted(reader.mistakes)))
    return rules


class _Reader:
    """Collects what is wrong, as (line, message)."""

    def __init__(self, path: Path, lines: list[TableLines], networks: Networks) -> None:
        self._path, self._lines, self._networks = path, lines, networks
        self.mistakes: list[tuple[int, str]] = []

    def default(self, table: Any) -> ErnPolicy:
        if not isinstance(table, dict):
            self._wrong("policy", "", "expected a table, written [policy]")
            return ErnPolicy()
        own = {key: value for key, value in table.items() if not isinstance(value, dict)}
        return self._policy("policy", own, ErnPolicy())

    def by_ern(self, table: Any, default: ErnPolicy) -> dict[str, ErnPolicy]:
        if not isinstance(table, dict):
            return {}
        found: dict[str, ErnPolicy] = {}
        for name, own in table.items():
            if isinstance(own, dict) and (ern := self._ern(f"policy.{name}", "", name)) is not None:
                if ern in found:
                    self._wrong(f"policy.{name}", "", f"{ern} has a policy already")
                found[ern] = self._policy(f"policy.{name}", own, default)
        return found

    def groups(self, tables: Any) -> dict[str, dict[str, tuple[str, ...]]]:
        if not isinstance(tables, dict):
            self._wrong("groups", "", "expected a table, written [groups]")
            return {}
        return {name: self._group(name, table) for name, table in tables.items()}

    def _policy(self, where: str, table: dict[str, Any], default: ErnPolicy) -> ErnPolicy:
        found: dict[str, Any] = {}
        for key, value in table.items():
            if key not in _EXPECTED:
                self._wrong(where, key, f"unknown key{_near(key, tuple(_EXPECTED))}")
            elif key == "small_count" and where == "policy":
                self._wrong(where, key, "only in [policy.<ERN>]; ERNFED_SMALL_COUNT is that of all ERNs")
            elif not _is_expected(key, value):
                self._wrong(where, key, f"expected {_EXPECTED[key]}")
            else:
                found[key] = value
        policy = replace(default, **found)
        if LEVELS.index(policy.others) > LEVELS.index(policy.members):
            self._wrong(where, "others", f'expected no more than members = "{policy.members}"')
        return policy

    def _group(self, name: str, table: Any) -> dict[str, tuple[str, ...]]:
        where = f"groups.{name}"
        if not isinstance(table, dict):
            self._wrong(where, name, 'expected a table such as { ERN-EYE = ["full", "export"] }')
            return {}
        found: dict[str, tuple[str, ...]] = {}
        for key, words in table.items():
            ern = self._ern(where, key, key)
            if not isinstance(words, list):
                self._wrong(where, key, 'expected a list such as ["full", "export"]')
            elif unknown := [word for word in words if word not in WORDS]:
                near = _near(str(unknown[0]), WORDS)
                self._wrong(where, key, f"expected words out of {_any_of(WORDS)}{near}")
            elif ern is not None:
                found[ern] = (*found.get(ern, ()), *words)
        return found

    def _ern(self, where: str, key: str, spelling: str) -> str | None:
        code = self._networks.code_of(spelling)
        if code is None:
            self._wrong(where, key, f"expected {expected_network(spelling, self._networks)}")
        return code

    def _wrong(self, where: str, key: str, problem: str) -> None:
        line = self._line(where, key)
        name = f"{where}.{key}" if key and not where.endswith(f".{key}") else where
        self.mistakes.append((line, f"{self._path.name}:{line}: {name}: {problem}"))

    def _line(self, where: str, key: str) -> int:
        """Of the key in its table, else of the table, else of what the table stands in."""
        room, _, last = where.rpartition(".")
        for table in self._lines:
            if table.name.replace('"', "").replace("'", "") == where:
                return table.of(key)
        for table in self._lines:
            if table.name == (room or where):
                return table.of(last)
        return self._lines[0].of(where.split(".")[0])


def _is_expected(key: str, value: Any) -> bool:
    if key == "research_consent":
        return isinstance(value, bool)
    if key == "small_count":
        return type(value) is int and value >= 1
    return value in LEVELS


def _any_of(words: tuple[str, ...]) -> str:
    return " or ".join(f'"{word}"' for word in words)


def _near(word: str, words: tuple[str, ...]) -> str:
    near = get_close_matches(word, words, 1)
    return f'; did you mean "{near[0]}"?' if near else ""


_EXPECTED = {
    "members": _any_of(LEVELS),
    "others": _any_of(LEVELS),
    "research_consent": "true or false",
    "small_count": "a whole number from 1",
}
