"""How many nodes a list has."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from db.pool import Row


@dataclass(frozen=True, slots=True)
class Counts:
    """Nodes of a list: in all, and in each archive (archive_id → nodes; None: may not be told)."""

    total: int
    matched: Mapping[int, int | None]


def counted(rows: Sequence[Row]) -> Counts:
    """Counts from rows (archive_id, matched, nodes)."""
    matched: dict[int, int] = defaultdict(int)
    for row in rows:
        if row["archive_id"] is not None:
            matched[row["archive_id"]] += row["matched"]
    return Counts(sum(row["nodes"] for row in rows), dict(matched))
