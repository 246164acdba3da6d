"""What is looked up before a list is ranked: whether too many studies pass its fuzzy name or text, and which do."""

from collections.abc import Sequence
from dataclasses import replace

from access.scope import Scope
from db.lists.name_search import named
from db.lists.where import Where
from db.params import Params
from db.pool import Reader
from model.attributes import Level
from model.filters import Condition, Op, Test, TextTest

MOST_RANKED = 3_000
"""Studies that are ranked; more are listed by date. Each takes a few microseconds."""


async def looked_up(
    database: Reader, scopes: Sequence[Scope], ranked: Condition, *, whole: bool = False
) -> Condition | None:
    """The same test with what is known of it now; None when more studies pass than are ranked, unless `whole`."""
    match ranked:
        case Test(attribute, Op.FUZZY, str(value)):
            params = Params()
            most = "null" if whole else str(MOST_RANKED + 1)
            rows = f"select {named(params, attribute.column, value, most)}"
            found = await params.compiled(f"select array({rows}) as studies").fetch(database, "named")
            studies = tuple(found[0]["studies"])
            return replace(ranked, known=studies) if whole or len(studies) <= MOST_RANKED else None
        case TextTest():
            return await _text(database, scopes, ranked, whole)
        case _:
            return ranked


async def _text(database: Reader, scopes: Sequence[Scope], ranked: TextTest, whole: bool) -> TextTest | None:
    """A word that very many begin with is asked of the rows that the others find: an index would list it first."""
    words = ranked.words if len(ranked.words) > 1 and not ranked.others else ()
    many = await _many(database, scopes, [TextTest((word,)) for word in words])
    common = tuple(word for word, is_many in zip(words, many, strict=True) if is_many)
    if common and len(common) < len(words) + len(ranked.phrases):
        ranked = replace(ranked, common=common)
    if whole or words[len(common) :]:  # one of them alone is rare enough
        return ranked
    (too_many,) = await _many(database, scopes, [ranked])
    return None if too_many else ranked


async def _many(database: Reader, scopes: Sequence[Scope], tests: Sequence[TextTest]) -> list[bool]:
    """Of each, whether more studies pass than are ranked; reads hardly more than so many."""
    if not tests:
        return []
    params = Params()
    columns = [" + ".join(_passing(params, scope, test) for scope in scopes) for test in tests]
    (row,) = await params.compiled(f"select {', '.join(columns)}").fetch(database, "too_many")
    return [number > MOST_RANKED for number in row.values()]


def _passing(params: Params, scope: Scope, test: TextTest) -> str:
    """SQL of how many pass; it stops at one more than are ranked."""
    asked = params.add(scope.asked_ids, "smallint[]")
    where = Where(params, scope.projection, scope.asked_ids).copies(test, "s", Level.STUDY)
    rows = f"select 1 from {scope.projection}.study s where s.archive_id = any({asked}) and {where}"
    return f"(select count(*) from ({rows} limit {MOST_RANKED + 1}) passing)"
