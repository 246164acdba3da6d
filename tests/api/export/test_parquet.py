"""Parquet files as another reader finds them."""

from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.export.parquet import MAGIC, Column, Field, ParquetFile

COLUMNS = [
    Field("Text", Column.TEXT),
    Field("Number", Column.NUMBER),
    Field("a.b (c)", Column.DATE),
    Field("Zeit", Column.TIME),
    Field("Decimal", Column.DECIMAL),
    Field("Moment", Column.MOMENT),
    Field("Texts", Column.TEXT, many=True),
    Field("Decimals", Column.DECIMAL, many=True),
    Field("Dates", Column.DATE, many=True),
]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
ROWS = st.lists(
    st.tuples(
        st.none() | TEXTS,
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.dates(),
        st.none() | st.times(),
        st.none() | FLOATS,
        st.none() | st.datetimes(),
        st.none() | st.lists(st.none() | TEXTS, max_size=5),
        st.none() | st.lists(st.none() | FLOATS, max_size=20),
        st.none() | st.lists(st.none() | st.dates(), max_size=3),
    ),
    max_size=60,
)


def in_json(value: Any) -> Any:
    if isinstance(value, list):
        return [in_json(item) for item in value]
    return value.isoformat() if isinstance(value, date | time) else value


def written(file: ParquetFile, rows: list[Any], page: int) -> bytes:
    parts = [file.head()]
    parts += [file.rows(rows[at : at + page]) for at in range(0, len(rows), page)]
    return b"".join([*parts, file.tail()])


def read(path: Path) -> list[tuple[Any, ...]]:
    return duckdb.from_parquet(str(path)).fetchall()


@settings(deadline=None, max_examples=60)
@given(rows=ROWS, page=st.integers(1, 20), group=st.integers(1, 40))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any], page: int, group: int
) -> None:
    path = tmp_path_factory.mktemp("p") / "a.parquet"
    given_rows = [[in_json(value) for value in row] for row in rows]
    path.write_bytes(written(ParquetFile(COLUMNS, group=group), given_rows, page))
    assert read(path) == rows


ROW = (
    *("x", 1, "2024-05-31", "09:30:00.25", 70.5, "2024-05-31T09:30:00"),
    *(["a", None], [0.5], ["2024-05-31"]),
)


def test_names_and_types_of_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(written(ParquetFile(COLUMNS), [ROW], 1))
    described = duckdb.from_parquet(str(path))
    assert list(zip(described.columns, map(str, described.types), strict=True)) == [
        ("Text", "VARCHAR"),
        ("Number", "BIGINT"),
        ("a.b (c)", "DATE"),
        ("Zeit", "TIME"),
        ("Decimal", "DOUBLE"),
        ("Moment", "TIMESTAMP"),
        ("Texts", "VARCHAR[]"),
        ("Decimals", "DOUBLE[]"),
        ("Dates", "DATE[]"),
    ]
    moment = datetime(2024, 5, 31, 9, 30)  # noqa: DTZ001  of no time zone
    lists = (["a", None], [0.5], [date(2024, 5, 31)])
    assert read(path) == [("x", 1, date(2024, 5, 31), time(9, 30, 0, 250_000), 70.5, moment, *lists)]


def test_many_groups_and_columns(tmp_path: Path) -> None:
    """More than fifteen of a list, more than 127 bytes of a text, more than one byte of a run."""
    columns = [Field(f"c{n}", Column.TEXT) for n in range(40)]
    rows = [[f"{at} {n} " * 30 if (at + n) % 3 else None for n in range(40)] for at in range(2_500)]
    path = tmp_path / "a.parquet"
    file = ParquetFile(columns, group=100)
    path.write_bytes(written(file, rows, 100))
    assert read(path) == [tuple(row) for row in rows]


def test_rows_leave_a_group_at_a_time() -> None:
    file = ParquetFile(COLUMNS, group=10)
    row = ("x", *[None] * 8)
    assert file.head() == MAGIC
    assert [bool(file.rows([row] * 4)) for _ in range(6)] == [False, False, True, False, False, True]
    assert file.tail().endswith(MAGIC)
