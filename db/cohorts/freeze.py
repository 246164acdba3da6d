"""Freezing: a version of a cohort is what its filter finds now, in one insert-select through the viewer's scope."""

from collections.abc import Sequence
from uuid import UUID

from access.scope import AccessScope, Projection, Scope
from db.cohorts.cohorts import MAX_VERSIONS, Full, Person, usage_of
from db.lists.part import Part
from db.params import Params
from db.pool import Database
from db.scoped import session_scope_of, set_session_scope
from db.statements import statements
from model.attributes import Level
from model.filters import Condition

MAX_ENTRIES = 100_000
"""Copies of studies in one version."""
MAX_KEPT = 1_000_000
"""Copies in all versions of a person."""


async def freeze(
    database: Database,
    person: Person,
    access_scope: AccessScope,
    cohort_id: UUID,
    scopes: Sequence[Scope],
    condition: Condition,
    *,
    identifying: bool,
    timeout_ms: int,
) -> UUID | None:
    """The id of the new version; None where the cohort is not the person's own. Raises Full.

    It runs on the owner's connection with the session's scope set to the viewer's: the views show what they
    show the viewer.
    """
    sql = statements("cohorts")
    async with database.transaction("cohort_freeze") as connection:
        await connection.execute(sql["lock"], person.subject)
        owned = await connection.fetchval(
            "select true from cohort where owner = $1 and cohort_id = $2", person.subject, cohort_id
        )
        if not owned:
            return None
        version: UUID | None = await connection.fetchval(
            sql["new_version"], person.subject, cohort_id, MAX_VERSIONS
        )
        if version is None:
            raise Full(f"the cohort has {MAX_VERSIONS} versions, which is the most; delete one of them")
        await set_session_scope(connection, session_scope_of(access_scope), timeout_ms)
        asked = [(archive.archive_id, str(scope.projection)) for scope in scopes for archive in scope.asked]
        await connection.execute(
            sql["asked"], version, [each for each, _ in asked], [projection for _, projection in asked]
        )
        params = Params()
        insert = insert_entries(params, version, scopes, condition, identifying=identifying)
        entries = int((await connection.execute(insert, *params.values)).split()[-1])
        if entries > MAX_ENTRIES:
            raise Full(f"the filter finds more than {MAX_ENTRIES} copies of studies; make it narrower")
        if (await usage_of(connection, person)).entries + entries > MAX_KEPT:
            raise Full(f"your cohorts would hold more than {MAX_KEPT} copies; delete versions")
        await connection.execute(sql["counted"], version, entries)
        return version


def insert_entries(
    params: Params, version: UUID, scopes: Sequence[Scope], condition: Condition, *, identifying: bool
) -> str:
    """One more than MAX_ENTRIES at most: the asked copies of every matching node, by their stored UIDs."""
    into, found = params.add(version, "uuid"), []
    for scope in scopes:
        part = Part(params, scope, Level.STUDY, condition)
        found += [_copies(part, scope.projection, shared=shared) for shared in (False, True)]
    records = f"not {params.add(identifying, 'boolean')} or f.projection = '{Projection.IDENTIFIED}'"
    pseudonyms = f"not {params.add(identifying, 'boolean')} or f.projection = '{Projection.PSEUDONYMISED}'"
    return (
        "insert into cohort_study (version_id, archive_id, study_uid, of_records, of_pseudonyms, whole, outline)"
        f" select {into}, t.archive_id, t.study_uid, {records}, {pseudonyms},"
        " study_whole(t.data, t.modalities, t.number_of_series, t.number_of_instances),"
        " study_outline(t.modalities, t.number_of_series, t.number_of_instances)"
        " from (select distinct on (s.archive_id, s.study_uid) u.projection, s.* from"
        f" ({' union all '.join(found)}) u join public.study s on s.study_pk = u.source_pk"
        f" order by s.archive_id, s.study_uid, s.study_pk limit {MAX_ENTRIES + 1}) f"
        " join public.study t on t.study_pk = f.study_pk"
    )


def _copies(part: Part, projection: Projection, *, shared: bool) -> str:
    pk = "study_pk" if projection is Projection.IDENTIFIED else "source_pk"
    if not shared:
        rows = part.rows("s", shared=False)
        return f"select '{projection}' as projection, s.{pk} as source_pk from {part.table} s where {rows}"
    return (
        f"select '{projection}', c.{pk} from {part.table} s join {part.table} c on c.study_uid = s.study_uid"
        f" and c.archive_id = any({part.asked}) where {part.rows('s', shared=True)}"
    )
