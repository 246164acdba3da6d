"""An instance: one node for each SOPInstanceUID of a series."""

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from db.lists.nodes import Row, key_of
from db.lists.nodes import data_set as parsed
from model.attributes import Key, Level
from reads.ids import to_id
from refresh.live import Fresh
from resolvers.info import Info
from resolvers.node import Node
from resolvers.records import locations
from resolvers.records.codes import sop_class_name
from resolvers.records.connection import Connection, ListPage
from resolvers.records.locations import InstanceLocation
from resolvers.records.searched import Searched, first_of, names_of
from resolvers.records.series import Series, series_of
from resolvers.records.values import Attribute, AttributeConflict, attributes_of, keywords_of
from resolvers.scalars import UID

if TYPE_CHECKING:
    pass


def _describe(description: str) -> Any:
    return strawberry.field(description=description)


@strawberry.type(
    description="One instance, however many archives hold it. "
    "Its attributes come from the best-ranked visible copy."
)
class Instance(Node):
    row: strawberry.Private[Row]
    sop_instance_uid: UID = _describe("SOPInstanceUID (0008,0018).")
    sop_class_uid: UID | None = _describe("SOPClassUID (0008,0016).")
    instance_number: int | None = _describe("InstanceNumber (0020,0013).")
    rows: int | None = _describe("Rows (0028,0010), pixels.")
    columns: int | None = _describe("Columns (0028,0011), pixels.")
    number_of_frames: int | None = _describe("NumberOfFrames (0028,0008).")
    transfer_syntax_uid: UID | None = _describe("AvailableTransferSyntaxUID (0008,3002), the first.")
    fresh: strawberry.Private[Fresh | None] = None

    @property
    def key(self) -> Key:
        return key_of(self.row, Level.INSTANCE)

    @strawberry.field(description="Global id.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(to_id("Instance", self.key))

    @strawberry.field(description="The name of its SOP class (PS3.6 Annex A); null for a private one.")
    def sop_class_name(self) -> str | None:
        return sop_class_name(self.sop_class_uid)

    @strawberry.field(description="The series that it belongs to.")
    async def series(self, info: Info) -> Series | None:
        row = await info.context.loaders_of(self.row).nodes[Level.SERIES].load(self.key[:-1])
        if row is None:
            raise LookupError("an instance without its series: the index is being rewritten, ask again")
        return series_of(row, self.fresh)

    @strawberry.field(description="Every visible copy, best-ranked first.")
    async def locations(self, info: Info) -> list[InstanceLocation] | None:
        copies = await info.context.loaders_of(self.row).copies[Level.INSTANCE].load(self.key)
        return await locations.instance_locations(info.context, copies)

    @strawberry.field(description="The attributes on which visible copies disagree.")
    async def conflicts(self, info: Info) -> list[AttributeConflict] | None:
        if not self.row["shared"]:
            return []
        copies = await info.context.loaders_of(self.row).data_sets[Level.INSTANCE].load(self.key)
        return await locations.conflicts(info.context, copies)

    @strawberry.field(
        description="Any attribute of the data set by keyword, tag (GGGGEEEE) or path "
        "(RequestAttributesSequence.ScheduledProcedureStepID); null: all. Those that the index does not hold "
        "are fetched from the archive, once; if that fails, `extensions.warnings` says so."
    )
    async def attributes(
        self,
        info: Info,
        keywords: Annotated[
            list[str] | None,
            strawberry.argument(description="Keywords, tags (GGGGEEEE) or paths; null: all."),
        ] = None,
        searched: Searched = False,
    ) -> list[Attribute] | None:
        names = keywords_of(keywords)
        if searched:
            copies = await info.context.loaders_of(self.row).data_sets[Level.INSTANCE].load(self.key)
            own = [parsed(copy) for copy in copies]
            return [one for name in names_of(names) for one in first_of(own, name)]
        data_set = await info.context.data_set_of_instance(self.row, names)
        return attributes_of(data_set, names)

    @strawberry.field(description="A rendered picture; null where the viewer may not see pixels.")
    def rendered_url(self) -> str | None:
        return None

    @strawberry.field(description="A small picture; null where the viewer may not see pixels.")
    def thumbnail_url(self) -> str | None:
        return None


def instance_of(row: Row, fresh: Fresh | None = None) -> Instance:
    """The node of a row of the index; fresh: what was asked for it just now."""
    return Instance(
        row=row,
        sop_instance_uid=UID(row["uid"]),
        sop_class_uid=row["sop_class_uid"],
        instance_number=row["instance_number"],
        rows=row["rows"],
        columns=row["columns"],
        number_of_frames=row["number_of_frames"],
        transfer_syntax_uid=row["transfer_syntax_uid"],
        fresh=fresh,
    )


@strawberry.type(description="An instance in a page, with its cursor.")
class InstanceEdge:
    node: Instance = _describe("The instance.")
    listed: strawberry.Private[ListPage]

    @strawberry.field(description="Where the instance stands in this list; opaque.")
    def cursor(self) -> str:
        return self.listed.cursor(self.node.row)


@strawberry.type(description="A page of instances.")
class InstanceConnection(Connection):
    @strawberry.field(description="The instances of this page with their cursors.")
    async def edges(self, info: Info) -> list[InstanceEdge]:
        fresh, listed = self.listed.list_query.fresh, self.listed
        return await listed.made(info, lambda row: InstanceEdge(node=instance_of(row, fresh), listed=listed))

    @strawberry.field(description="The instances of this page.")
    async def nodes(self, info: Info) -> list[Instance]:
        fresh = self.listed.list_query.fresh
        return await self.listed.made(info, lambda row: instance_of(row, fresh))
