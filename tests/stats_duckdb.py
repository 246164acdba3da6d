"""A second implementation of statistics, in DuckDB's SQL: over the index's rows as Parquet, independent of ours.

Which nodes match is given; what they are counted by is decided here.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from db.pool import Database
from db.statistics.facets import DateFacet, DateInterval, Facet
from model.attributes import Key, Level

KEYS = {
    Level.STUDY: "study_uid",
    Level.SERIES: "study_uid || '\\' || series_uid",
    Level.INSTANCE: "study_uid || '\\' || series_uid || '\\' || sop_uid",
}
"""What names a node at a level; the rows below it have these columns too."""
_ORDER = list(KEYS)
_COLUMNS = {
    "archive": "archive_id, code, ern",
    "study": "study_pk as pk, archive_id, study_uid, study_date, patient_birth_date, patient_sex, study_description,"
    " patient_id, issuer_of_patient_id, modalities, data::text as data",
    "series": "series_pk as pk, archive_id, study_uid, series_uid, modality, body_part_examined, body_part_code,"
    " manufacturer, series_description, series_date, series_number, representative::text as data",
    "instance": "instance_pk as pk, archive_id, study_uid, series_uid, sop_uid, sop_class_uid, rows",
}
_FACETS = {
    Facet.PATIENT_SEX: (Level.STUDY, "patient_sex"),
    Facet.AGE_BAND: (
        Level.STUDY,
        "case when study_date < patient_birth_date then null"
        " else (datesub('year', patient_birth_date, study_date) // 5 * 5)::varchar || '-'"
        " || (datesub('year', patient_birth_date, study_date) // 5 * 5 + 4)::varchar end",
    ),
    Facet.STUDY_YEAR: (Level.STUDY, "year(study_date)::varchar"),
    Facet.STUDY_DESCRIPTION: (Level.STUDY, "study_description"),
    Facet.MODALITY: (Level.SERIES, "modality"),
    Facet.BODY_PART: (Level.SERIES, "body_part_examined"),
    Facet.BODY_PART_CODE: (Level.SERIES, "body_part_code"),
    Facet.MANUFACTURER: (Level.SERIES, "manufacturer"),
    Facet.SERIES_DESCRIPTION: (Level.SERIES, "series_description"),
    Facet.SOP_CLASS: (Level.INSTANCE, "sop_class_uid"),
}
_DATES = {
    DateFacet.STUDY_DATE: (Level.STUDY, "study_date"),
    DateFacet.PATIENT_BIRTH_DATE: (Level.STUDY, "patient_birth_date"),
    DateFacet.SERIES_DATE: (Level.SERIES, "series_date"),
}
NUMBERS = {
    "SliceThickness": (Level.SERIES, "data->'$.00180050.Value'"),
    "PatientSize": (Level.STUDY, "data->'$.00101020.Value'"),
    "SeriesNumber": (Level.SERIES, "series_number"),
}
"""Numeric attributes that the generated federation has, and where."""

Cells = dict[tuple[Any, ...], int]


class DuckStats:
    """Statistics over Parquet files of one index."""

    def __init__(self, folder: Path) -> None:
        self._duck = duckdb.connect()
        for table in _COLUMNS:
            self._duck.execute(
                f"create table {table} as select * from read_parquet('{folder / table}.parquet')"
            )

    @classmethod
    async def of(cls, database: Database, folder: Path) -> "DuckStats":
        """Exports the tables of the index and reads them again."""
        for table, columns in _COLUMNS.items():
            rows = await database.fetch("export", f"select {columns} from {table}")
            _write(folder / f"{table}.parquet", [dict(row) for row in rows])
        return cls(folder)

    def cells(self, level: Level, ids: Sequence[int], keys: Sequence[Key], facets: Sequence[Facet]) -> Cells:
        """Matching nodes by combinations of values; of the copies in these archives, the best ranked first."""
        self._matched(level, ids, keys)
        return self._count([self._facet(level, each) for each in facets])

    def dates(
        self, level: Level, ids: Sequence[int], keys: Sequence[Key], by: DateFacet, interval: DateInterval
    ) -> Cells:
        self._matched(level, ids, keys)
        home, column = _DATES[by]
        return self._count([self._values(level, home, f"date_trunc('{interval.lower()}', {column})::date")])

    def numbers(
        self,
        level: Level,
        ids: Sequence[int],
        keys: Sequence[Key],
        name: str,
        edges: tuple[float, float],
        bins: int,
    ) -> Cells:
        """By bin from 1; what is in none is left out."""
        self._matched(level, ids, keys)
        home, column = NUMBERS[name]
        values = self._values(level, home, column)
        if column.startswith("data"):
            values = f"select uid, unnest(from_json(value, '[\"DOUBLE\"]')) as value from ({values})"
        low, high = edges
        bin_of = f"least(floor((value::double - {low}) / {(high - low) / bins})::integer + 1, {bins})"
        return self._count(
            [f"select uid, {bin_of} as value from ({values}) where value::double between {low} and {high}"]
        )

    def patients(self, ids: Sequence[int], keys: Sequence[Key]) -> int:
        """Different PatientIDs with their issuers; a study without one counts as one."""
        self._matched(Level.STUDY, ids, keys)
        found = self._duck.execute(
            "select count(distinct case when patient_id is null then [uid] else"
            " [patient_id, coalesce(issuer_of_patient_id, '')] end) from best"
        ).fetchone()
        assert found is not None
        return int(found[0])

    def _matched(self, level: Level, ids: Sequence[int], keys: Sequence[Key]) -> None:
        """Tables `asked` (ranked archives), `copies` and `best` of the matching nodes."""
        self._duck.execute("create or replace table asked (archive_id integer, rank integer)")
        self._duck.executemany(
            "insert into asked values (?, ?)", [(each, n) for n, each in enumerate(ids)] or [(-1, 0)]
        )
        self._duck.execute("create or replace table matching (uid varchar)")
        self._duck.executemany(
            "insert into matching values (?)", [("\\".join(each),) for each in keys] or [("",)]
        )
        self._duck.execute(
            f"create or replace table copies as select s.*, rank from (select *, {KEYS[level]} as uid from {level}) s"
            " join asked using (archive_id) semi join matching using (uid)"
        )
        self._duck.execute(
            "create or replace table best as select * from copies"
            " qualify row_number() over (partition by uid order by rank, pk) = 1"
        )

    def _facet(self, level: Level, facet: Facet) -> str:
        if facet in (Facet.ARCHIVE, Facet.ERN):
            name = "code" if facet is Facet.ARCHIVE else "ern"
            return f"select uid, {name} as value from copies join archive using (archive_id)"
        return self._values(level, *_FACETS[facet])

    def _values(self, level: Level, home: Level, value: str) -> str:
        """Rows (uid, value): of the best copy, of what it is part of, or of all its children that have one."""
        if home is level:
            return f"select uid, {value} as value from best"
        if _ORDER.index(home) < _ORDER.index(level):
            link = KEYS[home]
            return (
                f"select uid, {value.replace('data', 'p.data')} as value"
                f" from (select uid, archive_id as at, {link} as link from best) b"
                f" join (select *, {link} as link from {home} qualify row_number() over"
                f" (partition by archive_id, {link} order by pk) = 1) p on p.archive_id = b.at and p.link = b.link"
            )
        link = KEYS[level]
        children = f"select {link} as uid, {value} as value from {home} semi join asked using (archive_id)"
        return (
            f"select uid, value from matching left join (select * from ({children}) where value is not null)"
            " using (uid) semi join best using (uid)"
        )

    def _count(self, axes: list[str]) -> Cells:
        first, *others = axes
        joined = f"({first}) a0" + "".join(
            f" join ({axis}) a{n} on a{n}.uid = a0.uid" for n, axis in enumerate(others, start=1)
        )
        values = ", ".join(f"a{n}.value" for n in range(len(axes)))
        sql = f"select {values}, count(distinct a0.uid) from {joined} group by all"
        return {tuple(row[:-1]): row[-1] for row in self._duck.execute(sql).fetchall()}


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    """Rows as Parquet, by way of a file of JSON lines."""
    lines = path.with_suffix(".json")
    lines.write_text("\n".join(json.dumps(row, default=str) for row in rows), encoding="utf-8")
    types = {
        name: "VARCHAR[]" if name == "modalities" else
        "DATE" if name.endswith("_date") else
        "INTEGER" if name in ("pk", "archive_id", "rows", "series_number") else "VARCHAR"
        for name in rows[0]
    }  # fmt: skip
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in types.items())
    duckdb.connect().execute(
        f"copy (select * from read_json('{lines}', format = 'newline_delimited', columns = {{{columns}}}))"
        f" to '{path}' (format parquet)"
    )
