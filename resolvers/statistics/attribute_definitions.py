"""The DICOM dictionary (PS3.6, as pydicom carries it) as this federation knows it."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from typing import Annotated

import strawberry
from pydicom.datadict import dictionary_description, dictionary_VM, dictionary_VR, keyword_dict

from access.identifying import path_is_identifying
from db import declared
from model.attributes import BY_KEYWORD, Level
from model.cursors import Position
from model.levels import level_of_tag
from model.paths import BULK_VRS, parse_path
from model.spans import OPERATORS, kind_of
from reads.ends import Ends
from reads.page_arguments import PageArguments
from reads.request import Request
from resolvers.context import Info
from resolvers.descriptions import argument, described
from resolvers.filters.matches import checked
from resolvers.levels import LevelName
from resolvers.records.relay import PageInfo
from resolvers.statistics.coverage import AttributeCoverage, coverage_of, examples_of

_ORDER = "definitions"
_TAG = re.compile(r"\(?([0-9A-Fa-f]{4}), ?([0-9A-Fa-f]{4})\)?")  # as PS3.6 prints it


@strawberry.enum(description="How far the indexes of a declared attribute are.")
class AttributeIndexState(Enum):
    READY = strawberry.enum_value("READY", description="They answer filters.")
    BUILDING = strawberry.enum_value("BUILDING", description="They are being built, or wait for it.")
    FAILED = strawberry.enum_value("FAILED", description="They could not be built; the operator can see why.")


@strawberry.type(description="An attribute was declared by an operator, to be fast to filter by.")
class DeclaredIndex:
    level: LevelName = described("Of the filters that it serves.")
    state: AttributeIndexState = described("How far they are.")


@strawberry.type(description="One attribute of the DICOM dictionary, and what can be done with it here.")
class AttributeDefinition:
    tag: str = described("GGGGEEEE.")
    keyword: str = described("Keyword of PS3.6.")
    name: str = described("Name of PS3.6.")
    vr: str = described("Value representation.")
    vm: str = described("Value multiplicity.")
    level: LevelName = described(
        "Where it has a column of the index, else where DICOM puts it. What instances "
        "tell is known of series by their representative, too."
    )
    searchable: bool = described("True when filters can name it: typed, or by `attribute`.")
    operators: list[str] = described("What `attribute` can compare its values with: eq, in, …, exists.")
    fast: bool = described("True when an index answers filters on it: it has a column, or was declared.")
    declared: list[DeclaredIndex] = described("The indexes that an operator declared for it, by level.")
    identifying: bool = described(
        "True when it may identify a person (PS3.15 Table E.1-1): its values are then counted, and filtered by, in "
        "records that you see as stored alone."
    )

    @strawberry.field(
        description="How often it has a value, in each archive that you may ask; where it may identify a person, "
        "of those with full access. It reads a large part of the index; null where that failed."
    )
    async def coverage(self, info: Info) -> list[AttributeCoverage] | None:
        return (
            await coverage_of(info.context, self.keyword, Level(self.level.value)) if self.searchable else []
        )

    @strawberry.field(
        description="Its most frequent values; none where it may identify a person, and none that only few "
        "patients of archives have whose records you may not see. Null where the index took too long."
    )
    async def examples(
        self,
        info: Info,
        first: Annotated[int | None, argument("How many: 1 to 1000.")] = 5,
    ) -> list[str] | None:
        return (
            await examples_of(info.context, self.keyword, Level(self.level.value), first)
            if self.searchable
            else []
        )


@strawberry.type(description="A definition in a page, with its cursor.")
class AttributeDefinitionEdge:
    node: AttributeDefinition = described("The definition.")
    cursor: str = described("Where the definition stands in this list; opaque.")


@strawberry.type(description="A page of definitions, by keyword.")
class AttributeDefinitionConnection:
    ends: strawberry.Private[Ends[AttributeDefinition]]
    page_info: PageInfo = described("Where this page stands.")
    total_count: int = described("How many match.")

    @strawberry.field(description="The definitions of this page with their cursors.")
    def edges(self) -> list[AttributeDefinitionEdge]:
        return [AttributeDefinitionEdge(node=each, cursor=self.ends.cursor(each)) for each in self.ends.items]

    @strawberry.field(description="The definitions of this page.")
    def nodes(self) -> list[AttributeDefinition]:
        return list(self.ends.items)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A definition, and what searches look into."""

    definition: AttributeDefinition
    folded: str


AT_ONCE = 50
"""Entries that are made before others have their turn: some milliseconds; all of them take a quarter of a second."""

_entries: list[_Entry] = []
"""In the order of keywords, made when somebody first asks."""


async def dictionary() -> Sequence[_Entry]:
    """All definitions by keyword. Whoever asks while they are being made goes on with the making."""
    keywords = _keywords()
    while len(_entries) < len(keywords):
        for keyword, tag in keywords[len(_entries) :][:AT_ONCE]:
            made = _definition(keyword, tag)
            _entries.append(_Entry(made, "\0".join((made.keyword, made.name, made.tag)).casefold()))
        await asyncio.sleep(0)
    return _entries


@cache
def _keywords() -> Sequence[tuple[str, int]]:
    return [(keyword, tag) for keyword, tag in sorted(keyword_dict.items()) if keyword]


def _definition(keyword: str, tag: int) -> AttributeDefinition:
    vr, column, path = dictionary_VR(tag), BY_KEYWORD.get(keyword), parse_path(keyword)
    is_searchable = vr not in BULK_VRS and vr != "SQ"
    return AttributeDefinition(
        tag=f"{tag:08X}",
        keyword=keyword,
        name=dictionary_description(tag),
        vr=vr,
        vm=dictionary_VM(tag),
        level=LevelName(level_of_tag(f"{tag:08X}").value),
        searchable=is_searchable,
        operators=[*OPERATORS[kind_of(path)], "exists"] if is_searchable else [],
        fast=column is not None,
        declared=[],
        identifying=path_is_identifying(path),
    )


def _with_declared(
    page: Sequence[AttributeDefinition], states: Sequence[declared.DeclaredState]
) -> list[AttributeDefinition]:
    """The same, told of what is declared now; those of private attributes and of paths stand in no dictionary."""
    found: dict[str, list[DeclaredIndex]] = {}
    for each in states:
        if len(each.path) == 1:
            index = DeclaredIndex(
                level=LevelName(each.level.value), state=AttributeIndexState(each.state.value)
            )
            found.setdefault(each.path[0], []).append(index)
    return [
        replace(
            each,
            declared=found[each.tag],
            fast=each.fast or any(one.state is AttributeIndexState.READY for one in found[each.tag]),
        )
        if each.tag in found
        else each
        for each in page
    ]


async def find_definitions(
    request: Request, search: str | None, searchable: bool | None, asked: PageArguments
) -> AttributeDefinitionConnection:
    """Definitions whose keyword, name or tag contains `search`. Raises BadInput and BadCursor."""
    term = re.sub(_TAG, r"\1\2", str(checked("search", search or "")).strip()).casefold()
    found = [
        each.definition
        for each in await dictionary()
        if term in each.folded and (searchable is None or each.definition.searchable is searchable)
    ]
    cursors, rest = request.cursors, found
    if asked.cursor is not None:
        beyond = cursors.open(_ORDER, asked.cursor).uid
        rest = [
            each for each in found if (each.keyword < beyond if asked.backward else each.keyword > beyond)
        ]
    page = rest[-asked.size :] if asked.backward else rest[: asked.size]
    more, others = len(rest) > asked.size, len(rest) < len(found)
    shown = _with_declared(page, await request.declared())

    async def other_way() -> bool:
        return others

    ends = Ends(
        items=shown,
        more=more,
        backward=asked.backward,
        other_way=other_way,
        cursor=lambda at: cursors.seal(_ORDER, Position((), at.keyword)),
    )
    return AttributeDefinitionConnection(ends=ends, page_info=PageInfo(ends=ends), total_count=len(found))
