"""What studies, series and instances have in common: fields from the attribute table, their id, copies' conflicts."""

import re
from collections.abc import Callable, Sequence
from datetime import date, time
from typing import Annotated, Any, ClassVar, TypeVar

import strawberry

from db.lists.nodes import key_of
from db.pool import Row
from model.attributes import UID_COLUMN, Key, Kind, Level, columns_of
from model.attributes import Attribute as Column
from reads.ids import to_id
from reads.named_elements import NamedElement, keywords_of
from refresh.live import Fresh
from resolvers.context import Info
from resolvers.descriptions import argument
from resolvers.records.attribute import Attribute, attributes
from resolvers.records.locations import AttributeConflict, Location, conflicts_of, locations_of
from resolvers.scalars import UID

Keywords = Annotated[
    list[str] | None,
    argument("Keywords, tags (GGGGEEEE) or paths; null: all."),
]
Searched = Annotated[
    bool,
    argument(
        "true: where the data set lacks one of `keywords`, also what a filter by `attribute` looks at: of "
        "a series its representative; of a study its series and theirs, each different value once. Only what the "
        "index holds."
    ),
]
_SAID = {
    "PatientSex": "{} as stored: M, F, O or what the archive sent.",
    "ModalitiesInStudy": "{} over all visible copies, sorted.",
    "NumberOfStudyRelatedSeries": "Different series over all visible copies.",
    "NumberOfStudyRelatedInstances": "Different instances over all visible copies.",
    "NumberOfSeriesRelatedInstances": "Instances of the fullest visible copy.",
    "Rows": "{}, pixels.",
    "Columns": "{}, pixels.",
    "AvailableTransferSyntaxUID": "{}, the first.",
}
"""Where keyword and tag do not say all."""
_TYPES: dict[Kind, Any] = {
    Kind.TEXT: str | None,
    Kind.UID: UID | None,
    Kind.DATE: date | None,
    Kind.TIME: time | None,
    Kind.INTEGER: int | None,
    Kind.LIST: list[str],
}
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

N = TypeVar("N", bound="LevelNode")


class LevelNode:
    """A node with the row that stands for it. fresh: what was asked for it just now."""

    level: ClassVar[Level]
    column_of: ClassVar[dict[str, str]]
    """Fields from the attribute table, and what the row calls them."""
    row: Row
    fresh: Fresh | None

    @property
    def key(self) -> Key:
        return key_of(self.row, self.level)

    async def elements(
        self, info: Info, names: Sequence[str] | None, *, searched: bool
    ) -> Sequence[NamedElement]:
        raise NotImplementedError


def of_level(level: Level) -> Callable[[type[N]], type[N]]:
    """Gives a type of the schema a field for each attribute of the table, but names, which are not one value."""

    def with_fields(of: type[N]) -> type[N]:
        shown = [column for column in columns_of(level) if column.kind is not Kind.NAME]
        own = UID_COLUMN[level]
        of.level = level
        of.column_of = {
            _name(each): "uid" if each.column == own else each.column  # as rows call it
            for each in shown
        }
        types = {_name(each): UID if each.column == own else _TYPES[each.kind] for each in shown}
        for each in shown:
            setattr(of, _name(each), strawberry.field(description=_description(each)))
        of.__annotations__ = types | of.__annotations__
        return of

    return with_fields


def _name(column: Column) -> str:
    if column.keyword == "AvailableTransferSyntaxUID":  # of several, the one that the index has
        return column.column
    return _WORDS.sub("_", column.keyword).lower()


def _description(column: Column) -> str:
    said = _SAID.get(column.keyword, "{}.")
    return said.format(f"{column.keyword} ({column.tag[:4]},{column.tag[4:]})")


def made_of(of: type[N], row: Row, fresh: Fresh | None, **more: Any) -> N:
    """The node of a row of the index."""
    values = {name: row[column] for name, column in of.column_of.items()}
    return of(row=row, fresh=fresh, **values, **more)  # type: ignore[call-arg]


def id_of(type_name: str) -> Any:
    """The field `id`."""

    def id(self: LevelNode) -> strawberry.ID:
        return strawberry.ID(to_id(type_name, self.key))

    return strawberry.field(resolver=id, description="Global id.")


def locations_as(of: type[Location]) -> Any:
    """The field `locations`."""

    async def locations(self: LevelNode, info: Info) -> list[Any]:
        copies = await info.context.loaders_of(self.row).copies(self.level).load(self.key)
        return await locations_of(of, self.level, info.context, copies)

    shown: Any = list[of] | None  # type: ignore[valid-type]
    return strawberry.field(
        resolver=locations, graphql_type=shown, description="Every visible copy, best-ranked first."
    )


async def _conflicts(self: LevelNode, info: Info) -> list[AttributeConflict] | None:
    if not self.row["shared"]:
        return []
    copies = await info.context.loaders_of(self.row).data_sets(self.level).load(self.key)
    return await conflicts_of(info.context, copies)


def conflicts() -> Any:
    """The field `conflicts`."""
    return strawberry.field(
        resolver=_conflicts, description="The attributes on which visible copies disagree."
    )


async def _attributes(
    self: LevelNode, info: Info, keywords: Keywords = None, searched: Searched = False
) -> list[Attribute] | None:
    return attributes(await self.elements(info, keywords_of(keywords), searched=searched))


def attributes_as(description: str) -> Any:
    """The field `attributes`."""
    return strawberry.field(resolver=_attributes, description=description)


def _nothing(self: LevelNode) -> str | None:
    return None


def url(description: str) -> Any:
    """The field of an address of pixels, which there is none of yet."""
    return strawberry.field(resolver=_nothing, description=description)
