"""`[[attribute]]` of archives.toml: attributes that get an index of their own (db/declared.py).

A mistake is reported with file, line, key and what was expected.
"""

import tomllib
from pathlib import Path
from typing import Any

from config.archives_file import ArchivesFileError
from config.toml_lines import TableLines, table_lines
from model.attributes import BY_KEYWORD, Level
from model.declared import Declared
from model.errors import BadInput
from model.levels import level_of
from model.paths import is_plain, parse_path
from model.spans import check_comparable

MOST = 50
"""Each costs an index or three on every write."""


def load_declared(path: Path) -> list[Declared]:
    """The attributes in file order. Raises ArchivesFileError that lists every mistake.

    A file without these tables, or no file, declares none.
    """
    try:
        text = path.read_text(encoding="utf-8")
        tables = tomllib.loads(text).get("attribute", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return []  # said by load_archives
    headers = [table for table in table_lines(text) if table.name == "attribute"]
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        line = headers[0].line if headers else 1
        raise ArchivesFileError(f"{path.name}:{line}: attribute: write [[attribute]], with two brackets")
    headers += [TableLines("attribute", 1)] * (len(tables) - len(headers))  # inline tables
    found: dict[Any, Declared] = {}
    mistakes = []
    for table, lines in zip(tables, headers, strict=False):
        try:
            declared = _declared(table)
            if found.setdefault(declared.key, declared) is not declared:
                raise _Wrong("name", "is declared twice at this level")
        except _Wrong as wrong:
            mistakes.append(f"{path.name}:{lines.of(wrong.key)}: attribute: {wrong.key}: {wrong.problem}")
    if len(found) > MOST:
        mistakes.append(f"{path.name}:{headers[MOST].line}: attribute: at most {MOST} can be declared")
    if mistakes:
        raise ArchivesFileError("\n".join(mistakes))
    return list(found.values())


class _Wrong(Exception):
    """What is wrong with which key."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(problem)
        self.key = key
        self.problem = problem


def _declared(table: dict[str, Any]) -> Declared:
    for key in table:
        if key not in ("name", "level"):
            raise _Wrong(key, 'unknown key; an attribute has "name" and "level"')
    name = table.get("name")
    if not isinstance(name, str):
        raise _Wrong("name", 'expected a keyword, tag or path, such as "SliceThickness"')
    try:
        path = parse_path(name)
        check_comparable(path, ())
    except BadInput as error:
        raise _Wrong("name", error.message) from None
    if not is_plain(path):
        raise _Wrong("name", "a private creator with other than plain characters cannot be declared")
    level = table.get("level", _usual(level_of(path)))
    if level not in tuple(Level):
        raise _Wrong("level", 'expected "study", "series" or "instance"')
    known = BY_KEYWORD.get(path.last.keyword or "") if len(path.steps) == 1 else None
    if known is not None and known.level == level:
        raise _Wrong("name", "has a column and an index already")
    return Declared(path, Level(level))


def _usual(level: Level | None) -> Level:
    """What instances tell is known of every series, by its representative."""
    return Level.STUDY if level is Level.STUDY else Level.SERIES
