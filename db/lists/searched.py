"""Parts of data sets, as filters by `attribute` look at them: of a series what the search answered and its
representative. Only the elements that are asked for leave the database."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from access.scope import Scope
from db.pool import Reader, Row
from model.paths import AttributePath


@dataclass(frozen=True, slots=True)
class Elements:
    """The elements with these tags, and all of these (private) groups: which block is whose, they say themselves."""

    tags: Collection[str]
    groups: Collection[str]

    @classmethod
    def of(cls, paths: Collection[AttributePath]) -> "Elements":
        """Those that the paths begin with."""
        firsts = [path.steps[0] for path in paths]
        return cls({step.tag for step in firsts if step.tag}, {step.group for step in firsts if step.group})


def _cut(column: str) -> str:
    """`column` with the elements of $2 and $3 only."""
    return (
        f"(select jsonb_object_agg(e.key, e.value) from jsonb_each({column}) e"
        f" where e.key = any($2::text[]) or left(e.key, 4) = any($3::text[]))"
    )


_COLUMNS: Final = (
    f"s.study_uid, s.series_uid, {_cut('s.data')} as data, {_cut('s.representative')} as representative"
)
_ORDER: Final = "s.series_number, s.series_uid, array_position($1::smallint[], s.archive_id), s.series_pk"


async def in_series(
    database: Reader, scope: Scope, series: Sequence[tuple[str, str]], elements: Elements
) -> list[Row]:
    """Of every visible copy of these series (study's UID, series' UID), best-ranked first: `data` and
    `representative`, either may be null."""
    sql = (
        f"select {_COLUMNS} from unnest($4::text[], $5::text[]) w (study_uid, series_uid)"
        f" join {scope.projection}.series s on s.study_uid = w.study_uid and s.series_uid = w.series_uid"
        f" where s.archive_id = any($1::smallint[]) order by {_ORDER}"
    )
    studies, own = [study for study, _ in series], [uid for _, uid in series]
    values = (scope.visible_ids, list(elements.tags), list(elements.groups), studies, own)
    return await database.fetch("searched_series", sql, *values)


async def in_studies(database: Reader, scope: Scope, studies: Sequence[str], elements: Elements) -> list[Row]:
    """The same of all series of these studies, by their numbers."""
    sql = (
        f"select {_COLUMNS} from {scope.projection}.series s"
        f" where s.study_uid = any($4::text[]) and s.archive_id = any($1::smallint[]) order by {_ORDER}"
    )
    values = (scope.visible_ids, list(elements.tags), list(elements.groups), list(studies))
    return await database.fetch("searched_studies", sql, *values)
