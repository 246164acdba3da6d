"""Where a table or key stands in a TOML text: tomllib forgets the lines. Used for messages only."""

import re
from dataclasses import dataclass, field

_TABLE = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*(?:"([^"]+)"|'([^']+)'|([A-Za-z0-9_-]+))\s*[=.]""")


@dataclass(slots=True)
class TableLines:
    """One `[name]` or `[[name]]` header: its line, and the line of each of its keys. Lines count from 1."""

    name: str
    line: int
    keys: dict[str, int] = field(default_factory=dict)

    def of(self, key: str) -> int:
        """The key's line, else the header's."""
        return self.keys.get(key, self.line)


def table_lines(text: str) -> list[TableLines]:
    """All tables in order; the first, named "", holds the keys above any header.

    Lines inside multi-line strings are passed over; keys inside multi-line arrays do not exist in TOML.
    """
    tables = [TableLines("", 1)]
    closing: str | None = None  # the quotes that end the multi-line string we are in
    for number, line in enumerate(text.splitlines(), start=1):
        if closing is None:
            if (found := _TABLE.match(line)) is not None:
                tables.append(TableLines(found[1].strip("\"' "), number))
            elif (found := _KEY.match(line)) is not None:
                tables[-1].keys.setdefault(next(name for name in found.groups() if name), number)
            closing = next((quotes for quotes in ('"""', "'''") if line.count(quotes) == 1), None)
        elif closing in line:
            closing = None
    return tables
