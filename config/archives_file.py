"""archives.toml: the list of archives. Every mistake is reported with file, line, key and what was expected.

The shape of one archive is ArchiveConfig; archives.example.toml shows every key; what each accepts is in
archive_keys.py.
"""

import json
import os
import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from config.archive_keys import KEYS, Expected, network
from config.networks_file import TABLE as NETWORK_TABLE
from config.networks_file import networks_of
from config.toml_lines import TableLines, table_lines
from model.erns import Networks
from model.errors import OperatorError

ACCESS_TABLES = ("policy", "groups")
"""Read by access_file.py."""
ATTRIBUTE_TABLES = ("attribute",)
"""Read by attributes_file.py."""
EXAMPLE = "config/archives.example.toml"


class ArchivesFileError(OperatorError):
    """archives.toml cannot be used; one line for each mistake."""


@dataclass(frozen=True, slots=True)
class ArchiveConfig:
    """One [[archive]] table. Durations are seconds, sizes are bytes."""

    code: str
    ern: str
    title: str
    kind: str
    url: str | None = None
    path: Path | None = None
    username: str | None = None
    password_env: str | None = None
    index: str = "series"
    sync_every: float = 60.0
    reconcile_every: float = 6 * 3600.0
    timeout: float = 5.0
    max_connections: int = 4
    page_size: int = 1000
    representatives: bool = True
    data_sets: bool = True
    max_response: int = 64 * 1024**2
    retries: int = 2
    breaker_failures: int = 5
    breaker_rest: float = 5.0
    removal_limit: float = 0.2

    def password(self) -> str | None:
        """The secret that `password_env` names, from the environment or from the file in NAME_FILE."""
        if self.password_env is None:
            return None
        if (value := os.environ.get(self.password_env)) is not None:
            return value
        if (file := os.environ.get(f"{self.password_env}_FILE")) is not None:
            return Path(file).read_text(encoding="utf-8").strip()
        return None


def load_archives(path: Path) -> list[ArchiveConfig]:
    """The archives in file order. Raises ArchivesFileError that lists every mistake in the file at once."""
    text = _read(path)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ArchivesFileError(_syntax(path, error)) from None
    lines = table_lines(text)
    mistakes: list[str] = []
    for key in document:
        if key not in ("archive", NETWORK_TABLE, *ACCESS_TABLES, *ATTRIBUTE_TABLES):
            line = next((table.line for table in lines if table.name.split(".")[0] == key), lines[0].of(key))
            mistakes.append(f"{path.name}:{line}: {key}: unknown; each archive is a [[archive]] table")
    networks, mistakes_of_networks = networks_of(path, text, document)
    mistakes += mistakes_of_networks
    tables = document.get("archive", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        line = next((table.line for table in lines if table.name == "archive"), lines[0].of("archive"))
        raise ArchivesFileError(f"{path.name}:{line}: archive: write [[archive]], with two brackets")
    if not tables:
        mistakes.append(f"{path.name}:1: no [[archive]] table; see {EXAMPLE}")
    headers = [table for table in lines if table.name == "archive"]
    headers += [TableLines("archive", lines[0].of("archive"))] * (len(tables) - len(headers))  # inline tables
    readers = [
        TableReader(path, table, header, networks) for table, header in zip(tables, headers, strict=False)
    ]
    configs = [reader.config() for reader in readers]
    _refuse_duplicates(readers)
    mistakes += [mistake for reader in readers for _, mistake in sorted(reader.mistakes)]
    if mistakes:
        raise ArchivesFileError("\n".join(mistakes))
    return [config for config in configs if config is not None]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ArchivesFileError(
            f"{path}: no such file; copy {EXAMPLE} to it and edit, or name another with ERNFED_ARCHIVES"
        ) from None
    except UnicodeDecodeError:
        raise ArchivesFileError(f"{path}: not UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise ArchivesFileError(f"{path}: cannot be read: {error.strerror}") from None


def _syntax(path: Path, error: tomllib.TOMLDecodeError) -> str:
    said, _, place = str(error).partition(" (at ")
    line = re.match(r"line (\d+)", place)
    return f"{path.name}:{line[1] if line else 'end'}: not TOML: {said}"


def _refuse_duplicates(readers: list["TableReader"]) -> None:
    first: dict[str, TableReader] = {}
    for reader in readers:
        code = reader.table.get("code")
        if isinstance(code, str) and (other := first.setdefault(code, reader)) is not reader:
            reader.wrong("code", f"expected a code of its own, line {other.lines.of('code')} has the same")


class TableReader:
    """Reads one [[archive]] table and collects what is wrong with it: mistakes as (line, message) of the
    file, problems as (key, what is wrong)."""

    def __init__(self, path: Path, table: dict[str, Any], lines: TableLines, networks: Networks) -> None:
        self.path = path
        self.keys = KEYS | {"ern": network(networks)}
        self.table = table
        self.lines = lines
        self.mistakes: list[tuple[int, str]] = []
        self.problems: list[tuple[str, str]] = []

    def wrong(self, key: str, problem: str) -> None:
        self.problems.append((key, problem))
        line = self.lines.of(key)
        code = self.table.get("code")
        name = f'archive "{code}"' if isinstance(code, str) else "archive"
        self.mistakes.append((line, f"{self.path.name}:{line}: {name}: {key}: {problem}"))

    def config(self) -> ArchiveConfig | None:
        """None when something is wrong."""
        found: dict[str, Any] = {}
        for key, value in self.table.items():
            if key not in self.keys:
                self._unknown(key)
                continue
            try:
                found[key] = self.keys[key](value)
            except Expected as expected:
                self.wrong(key, f"expected {expected}, got {_shown(value)}")
        for key in ("code", "ern", "title", "kind"):
            if key not in self.table:
                self.wrong(key, "is missing")
        self._check_place(found)
        self._check_secret()
        return None if self.mistakes else ArchiveConfig(**found)

    def _unknown(self, key: str) -> None:
        if key in ("password", "passwd", "secret"):
            self.wrong(
                key,
                "secrets are not written here: put it into an environment variable and name that with"
                ' password_env = "NAME" (or give the variable NAME_FILE a file that holds it)',
            )
            return
        near = get_close_matches(key, KEYS, 1)
        self.wrong(key, f'unknown key; did you mean "{near[0]}"?' if near else "unknown key")

    def _check_place(self, found: dict[str, Any]) -> None:
        """A folder has a path, everything else a url."""
        kind = found.get("kind")
        if kind == "folder":
            if "path" not in self.table:
                self.wrong("path", 'is missing (kind = "folder" needs one)')
            for key in ("url", "username", "password_env"):
                if key in self.table:
                    self.wrong(key, "a folder has none; remove it")
            if "path" in found:
                found["path"] = self.path.parent / found["path"]
        elif kind is not None:
            if "url" not in self.table:
                self.wrong("url", f'is missing (kind = "{kind}" needs one)')
            if "path" in self.table:
                self.wrong("path", 'only for kind = "folder"')
            if kind == "orthanc" and "url" in found and not urlsplit(found["url"]).path.strip("/"):
                self.wrong("url", "expected Orthanc's DICOMweb root, such as http://host:8042/dicom-web")

    def _check_secret(self) -> None:
        variable = self.table.get("password_env")
        if not isinstance(variable, str):
            return
        if "username" not in self.table:
            self.wrong("username", "is missing (password_env is there)")
        file = os.environ.get(f"{variable}_FILE")
        if variable not in os.environ and file is None:
            self.wrong("password_env", f"set the environment variable {variable} (or {variable}_FILE)")
        elif variable not in os.environ and not (file and os.access(file, os.R_OK)):
            self.wrong("password_env", f"{variable}_FILE names a file that cannot be read")


def _shown(value: object) -> str:
    """As it would stand in the file; never the credentials of a URL."""
    if isinstance(value, bool | int | float | str):
        shown = json.dumps(value, ensure_ascii=False)
        return re.sub(r"//[^/@]*@", "//…@", shown)
    return "a list" if isinstance(value, list) else "a table" if isinstance(value, dict) else str(value)
