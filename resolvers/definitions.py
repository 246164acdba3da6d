"""The DICOM dictionary (PS3.6, as pydicom carries it) as this federation knows it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from pydicom.datadict import dictionary_description, dictionary_VM, dictionary_VR, keyword_dict

from access.identifying import path_is_identifying
from db import declared
from model.attributes import BY_KEYWORD, Level
from model.cursors import Cursors, Position
from model.errors import BadInput
from model.levels import level_of_tag
from model.paths import BULK_VRS, parse_path
from model.spans import OPERATORS, kind_of
from resolvers.connection import PageInfo
from resolvers.coverage import AttributeCoverage, coverage_of, examples_of
from resolvers.info import Info
from resolvers.matches import checked

if TYPE_CHECKING:
    from resolvers.context import Context

_ORDER = "definitions"
_TAG = re.compile(r"\(?([0-9A-Fa-f]{4}), ?([0-9A-Fa-f]{4})\)?")  # as PS3.6 prints it


def _describe(description: str) -> Any:
    return strawberry.field(description=description)


@strawberry.enum(description="How far the indexes of a declared attribute are.")
class AttributeIndexState(Enum):
    READY = strawberry.enum_value("READY", description="They answer filters.")
    BUILDING = strawberry.enum_value("BUILDING", description="They are being built, or wait for it.")
    FAILED = strawberry.enum_value("FAILED", description="They could not be built; the operator can see why.")


@strawberry.type(description="An attribute was declared by an operator, to be fast to filter by.")
class DeclaredIndex:
    level: str = _describe("Of the filters that it serves: study, series or instance.")
    state: AttributeIndexState = _describe("How far they are.")


@strawberry.type(description="One attribute of the DICOM dictionary, and what can be done with it here.")
class AttributeDefinition:
    tag: str = _describe("GGGGEEEE.")
    keyword: str = _describe("Keyword of PS3.6.")
    name: str = _describe("Name of PS3.6.")
    vr: str = _describe("Value representation.")
    vm: str = _describe("Value multiplicity.")
    level: str = _describe(
        "study, series or instance: where it has a column of the index, else where DICOM puts it. What instances "
        "tell is known of series by their representative, too."
    )
    searchable: bool = _describe("True when filters can name it: typed, or by `attribute`.")
    operators: list[str] = _describe("What `attribute` can compare its values with: eq, in, …, exists.")
    fast: bool = _describe("True when an index answers filters on it: it has a column, or was declared.")
    declared: list[DeclaredIndex] = _describe("The indexes that an operator declared for it, by level.")
    identifying: bool = _describe(
        "True when it may identify a person (PS3.15 Table E.1-1): its values are then counted, and filtered by, in "
        "records that you see as stored alone."
    )

    @strawberry.field(
        description="How often it has a value, in each archive that you may ask; where it may identify a person, "
        "of those with full access. It reads a large part of the index; null where that failed."
    )
    async def coverage(self, info: Info) -> list[AttributeCoverage] | None:
        return await coverage_of(info.context, self.keyword, Level(self.level)) if self.searchable else []

    @strawberry.field(
        description="Its most frequent values; none where it may identify a person, and none that only few "
        "patients of archives have whose records you may not see. Null where the index took too long."
    )
    async def examples(
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="How many: 1 to 1000.")] = 5,
    ) -> list[str] | None:
        return (
            await examples_of(info.context, self.keyword, Level(self.level), first) if self.searchable else []
        )


@dataclass(frozen=True, slots=True)
class _Ends:
    """Where a page of definitions stands, for PageInfo."""

    cursors: Cursors
    page: Sequence[AttributeDefinition]
    next: bool
    previous: bool

    async def has_next(self) -> bool:
        return self.next

    async def has_previous(self) -> bool:
        return self.previous

    def start(self) -> str | None:
        return self._cursor(self.page[0]) if self.page else None

    def end(self) -> str | None:
        return self._cursor(self.page[-1]) if self.page else None

    def _cursor(self, at: AttributeDefinition) -> str:
        return self.cursors.seal(_ORDER, Position((), at.keyword))


@strawberry.type(description="A page of definitions, by keyword.")
class AttributeDefinitionConnection:
    nodes: list[AttributeDefinition] = _describe("The definitions of this page.")
    page_info: PageInfo = _describe("Where this page stands.")
    total_count: int = _describe("How many match.")


@cache
def _dictionary() -> tuple[AttributeDefinition, ...]:
    return tuple(_definition(keyword, tag) for keyword, tag in sorted(keyword_dict.items()) if keyword)


def _definition(keyword: str, tag: int) -> AttributeDefinition:
    vr, column, path = dictionary_VR(tag), BY_KEYWORD.get(keyword), parse_path(keyword)
    is_searchable = vr not in BULK_VRS and vr != "SQ"
    return AttributeDefinition(
        tag=f"{tag:08X}",
        keyword=keyword,
        name=dictionary_description(tag),
        vr=vr,
        vm=dictionary_VM(tag),
        level=level_of_tag(f"{tag:08X}").value,
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
            index = DeclaredIndex(level=each.level.value, state=AttributeIndexState(each.state.value))
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
    context: "Context", search: str | None, searchable: bool | None, first: int | None, after: str | None
) -> AttributeDefinitionConnection:
    """Definitions whose keyword, name or tag contains `search`. Raises BadInput and BadCursor."""
    if first is None or not 1 <= first <= 1000:
        raise BadInput(f"first: 1 to 1000, got {first}.")
    term = re.sub(_TAG, r"\1\2", str(checked("search", search or "")).strip()).casefold()
    found = [
        each
        for each in _dictionary()
        if (term in each.keyword.casefold() or term in each.name.casefold() or term in each.tag.casefold())
        and (searchable is None or each.searchable is searchable)
    ]
    cursors = context.cursors
    beyond = cursors.open(_ORDER, after).uid if after is not None else ""
    rest = [each for each in found if each.keyword > beyond]
    page = rest[:first]

    return AttributeDefinitionConnection(
        nodes=_with_declared(page, await context.declared()),
        page_info=PageInfo(ends=_Ends(cursors, page, len(rest) > first, len(rest) < len(found))),
        total_count=len(found),
    )
