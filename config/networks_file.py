"""`[[network]]` of archives.toml: networks beside the 24 ERNs, for any other federation: a code and a title each.

A mistake is reported with file, line, key and what was expected.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

from config.toml_lines import TableLines, table_lines
from model.erns import ERNS, Networks, clash

TABLE = "network"
_CODE = re.compile(r"[A-Z0-9]+(-[A-Z0-9]+)*\Z")
_LONGEST = 40


def networks_of(path: Path, text: str, document: dict[str, Any]) -> tuple[Networks, list[str]]:
    """The networks that a file declares, and its mistakes, a line each. What is wrong is left out."""
    tables = document.get(TABLE, [])
    headers = [table for table in table_lines(text) if table.name == TABLE]
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        line = headers[0].line if headers else 1
        return Networks(), [f"{path.name}:{line}: network: write [[network]], with two brackets"]
    headers += [TableLines(TABLE, 1)] * (len(tables) - len(headers))  # inline tables
    declared: dict[str, str] = {}
    mistakes: list[str] = []
    for table, lines in zip(tables, headers, strict=False):
        wrong = _problems(table, declared)
        mistakes += [f"{path.name}:{lines.of(key)}: network: {key}: {problem}" for key, problem in wrong]
        if not wrong:
            declared[table["code"]] = table["title"].strip()
    return Networks(declared), mistakes


def load_networks(path: Path) -> Networks:
    """Those of a file; none of one that cannot be read or is wrong, which load_archives says."""
    try:
        text = path.read_text(encoding="utf-8")
        return networks_of(path, text, tomllib.loads(text))[0]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return Networks()


def _problems(table: dict[str, Any], before: dict[str, str]) -> list[tuple[str, str]]:
    """(key, what is wrong with it)."""
    wrong = [
        (key, 'unknown key; a network has "code" and "title"')
        for key in table
        if key not in ("code", "title")
    ]
    code, title = table.get("code"), table.get("title")
    if not isinstance(title, str) or not title.strip():
        wrong.append(("title", "expected its name for people"))
    if not isinstance(code, str) or _CODE.match(code) is None or len(code) > _LONGEST:
        wrong.append(
            ("code", 'expected capital letters, digits and hyphens between them, such as "NORDIC-LUNG"')
        )
        return wrong
    if code in before:
        wrong.append(("code", "is declared twice"))
    elif other := next((other for other in (*ERNS, *before) if clash(code, other)), None):
        of = "the ERN" if other in ERNS else "the network"
        wrong.append(("code", f"could be taken for {of} {other}; choose one that does not begin like it"))
    return wrong
