"""Copies (source_pk, archive_id, their UIDs) whose children, or of instances whole data sets, are not in the index."""

from collections.abc import Sequence

from access.scope import Scope
from db.lists.nodes import NamedNodes
from db.lists.part import INDEXED_AT, Part, key_columns, source_pk
from db.lists.where import same_node
from db.params import Compiled, Params
from db.pool import Reader, Row
from model.attributes import KEY_COLUMNS, Key, Level, attribute
from model.filters import Condition

_CHILDREN = {
    Level.STUDY: "NumberOfStudyRelatedSeries",
    Level.SERIES: "NumberOfSeriesRelatedInstances",
}


async def unindexed(
    database: Reader, scope: Scope, level: Level, condition: Condition, limit: int
) -> list[Row]:
    """Asked copies at `level` that match and lack their children."""
    lacking = _copies(scope, level, condition, limit, f"s.{INDEXED_AT[level]} is null and ")
    return await lacking.fetch(database, "unindexed")


async def known_studies(database: Reader, scope: Scope, condition: Condition, limit: int) -> list[Row]:
    """Asked copies of studies that match: (source_pk, archive_id, study_uid)."""
    return await _copies(scope, Level.STUDY, condition, limit).fetch(database, "known_studies")


def _copies(scope: Scope, level: Level, condition: Condition, limit: int, narrowed: str = "") -> Compiled:
    params = Params()
    part = Part(params, scope, level, condition)
    return params.compiled(
        f"select {_source(scope, level)} from {part.table} s where {narrowed}s.archive_id = any({part.asked})"
        f" and {part.matches('s')} order by s.archive_id, s.{part.uid} limit {params.add(limit, 'integer')}"
    )


async def parents_now(
    database: Reader, scope: Scope, level: Level, keys: Sequence[Key], archive_ids: Sequence[int]
) -> list[Row]:
    """The visible copies of these nodes in these archives, and elsewhere those that lack their children."""
    asked = NamedNodes(scope, level, keys)
    among = asked.params.add(list(archive_ids), "smallint[]")
    wanted = f"(s.archive_id = any({among}) or s.{INDEXED_AT[level]} is null)"
    return await asked.fetch(database, "parents_now", f"{asked.select(_source(scope, level))} and {wanted}")


def _source(scope: Scope, level: Level) -> str:
    return f"{source_pk('s', scope.projection, level)} as source_pk, s.archive_id, {key_columns('s', level)}"


async def series_of_instances(database: Reader, scope: Scope, keys: Sequence[Key]) -> list[Row]:
    """The series copies of these instances' best copies, with the instances' UIDs, and when their whole data sets
    were indexed."""
    asked = NamedNodes(scope, Level.INSTANCE, keys)
    joined = f" join {scope.projection}.series p on p.archive_id = s.archive_id and {same_node(Level.SERIES, 'p', 's')}"
    of_series, key = source_pk("p", scope.projection, Level.SERIES), key_columns("s", Level.INSTANCE)
    columns = f"distinct on ({key}) {key}, s.archive_id, s.metadata_synced_at, {of_series} as source_pk"
    best = f"array_position({asked.visible}, s.archive_id), s.instance_pk"
    sql = f"{asked.select(columns, joined)} order by {key}, {best}"
    return await asked.fetch(database, "series_of_instances", sql)


async def stored_keys(
    database: Reader, level: Level, source_pks: Sequence[int]
) -> list[tuple[Key, str | None]]:
    """The UIDs of stored studies or series, as their archive calls them, and how many series or instances it says that
    they have: not for answers."""
    columns = ", ".join(KEY_COLUMNS[level])
    said = f"data #>> '{{{attribute(_CHILDREN[level]).tag},Value,0}}'"
    sql = f"select {said}, {columns} from public.{level} where {level}_pk = any($1::bigint[])"
    rows = [tuple(row) for row in await database.fetch("stored_keys", sql, list(source_pks))]
    return [(row[1:], row[0]) for row in rows]


async def stored_series(database: Reader, source_pks: Sequence[int]) -> list[Row]:
    """(source_pk, study_uid, series_uid, asked_at: now) of stored series, as their archive says: not for answers."""
    sql = (
        "select series_pk as source_pk, study_uid, series_uid, now() as asked_at"
        " from public.series where series_pk = any($1::bigint[])"
    )
    return await database.fetch("stored_series", sql, list(source_pks))


async def archives_with_gaps(database: Reader, scope: Scope, level: Level) -> set[int]:
    """The asked archives that hold copies at `level` that lack their children (of instances: the whole
    data set)."""
    sql = (
        "select a.archive_id from unnest($1::smallint[]) a (archive_id) where exists (select 1"
        f" from {scope.projection}.{level} s where s.archive_id = a.archive_id and s.{INDEXED_AT[level]} is null)"
    )
    return {row["archive_id"] for row in await database.fetch("gaps", sql, scope.asked_ids)}


async def archives_unsearched(database: Reader, scope: Scope, level: Level) -> set[int]:
    """The asked archives where the index lacks some of what searches do not bring: of series representatives, of
    instances whole data sets."""
    if level is Level.INSTANCE:
        return await archives_with_gaps(database, scope, level)
    sql = (
        "select a.archive_id from unnest($1::smallint[]) a (archive_id) where exists (select 1"
        f" from {scope.projection}.series s where s.archive_id = a.archive_id and s.representative is null)"
    )
    return {row["archive_id"] for row in await database.fetch("unrepresented", sql, scope.asked_ids)}
