"""Statements of counts, and of the copies that a listing asks: rows (archive_id, matched, nodes).

`nodes` of each archive that was asked; their sum is the total.
"""

from collections.abc import Sequence

from db.lists.listing import Listing
from db.lists.pages import each_version
from db.lists.part import Part, key_columns, named
from db.lists.where import same_node
from db.params import Compiled, Params
from model.attributes import Key, Level


def counts(listing: Listing) -> Compiled:
    """One statement for all scopes."""
    params = Params()
    return params.compiled(_counts(params, listing))


def counts_by_version(listing: Listing, versions: list[str]) -> Compiled:
    """The same of each version of a cohort, whose id is `parent`; the condition is of EACH_VERSION."""
    params = Params()
    return params.compiled(each_version(params, versions, _counts(params, listing)))


def counts_by_parent(listing: Listing, parents: Sequence[Key], parent: Level) -> Compiled:
    """The same of the children of each parent, with its UIDs. Of a listing with one scope."""
    params, (scope,) = Params(), listing.scopes
    part = Part(params, scope, listing.level, listing.condition)
    children = (
        f"select {key_columns('s', listing.level)} from {named(params, parents, parent)} p"
        f" join {part.table} s on {same_node(parent, 's', 'p')} where {part.child('s')}"
    )
    of_parent = key_columns("child", parent)
    return params.compiled(
        f"with child as materialized ({children})"
        f" select {of_parent}, c.archive_id, count(*) as matched, 0 as nodes"
        f" from child join {part.table} c on {same_node(listing.level, 'c', 'child')}"
        f" and c.archive_id = any({part.asked}) group by {of_parent}, c.archive_id"
        f" union all select {of_parent}, null, 0, count(*) from child group by {of_parent}"
    )


def _counts(params: Params, listing: Listing) -> str:
    parts = (Part(params, scope, listing.level, listing.condition) for scope in listing.scopes)
    return " union all ".join(_of_part(part, listing.level) for part in parts)


def _of_part(part: Part, level: Level) -> str:
    shared, same = part.rows("s", shared=True), same_node(level, "c", "s")
    # only of a study an archive has two rows, under two patients
    held = "count(distinct s.study_uid)" if level is Level.STUDY else "count(*)"
    return (
        f"select s.archive_id, count(*) as matched, count(*) as nodes from {part.table} s"
        f" where {part.rows('s', shared=False)} group by s.archive_id"
        f" union all select c.archive_id, {held}, 0 from {part.table} s"
        f" join {part.table} c on {same} and c.archive_id = any({part.asked})"
        f" where {shared} group by c.archive_id"
        f" union all select null, 0, count(*) from {part.table} s where {shared}"
    )
