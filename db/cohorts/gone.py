"""Studies of a version that left the index: told only where records are seen in full."""

from access.scope import Scope
from db.pool import Reader


async def gone(database: Reader, scope: Scope, version_id: str) -> int:
    """How many studies of the version no visible archive holds any more. Of archives with full access only: what
    is missing behind pseudonyms may be there, without its consent."""
    rows = await database.fetch(
        "cohort_gone",
        "select count(distinct k.study_uid) as gone from records.cohort_study k"
        " where k.version_id = $1::uuid and k.archive_id = any($2::smallint[]) and not exists ("
        "select from records.study s where s.study_uid = k.study_uid and s.archive_id = any($2::smallint[]))",
        version_id,
        scope.visible_ids,
    )
    count: int = rows[0]["gone"]
    return count
