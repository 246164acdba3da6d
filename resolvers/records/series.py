"""A series: one node for each SeriesInstanceUID of a study."""

from datetime import date, time
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from db.lists.nodes import Row, data_set, key_of
from model.attributes import Key, Level
from model.vocabulary import Coded
from reads.ids import to_id
from reads.list_query import Shortfall
from refresh.live import Fresh
from resolvers.depth import gaps_of_children
from resolvers.filters.arguments import After, Before, First, Last, page_arguments
from resolvers.filters.inputs import InstanceFilter, condition_of
from resolvers.filters.orders import InstanceOrder, sorts_of
from resolvers.info import Info
from resolvers.node import Node
from resolvers.records import locations
from resolvers.records.codes import Code, code_of_row
from resolvers.records.connection import Connection, ListPage, list_children
from resolvers.records.loaders import Children
from resolvers.records.locations import SeriesLocation
from resolvers.records.representative import Representative, representative_of
from resolvers.records.searched import Searched, names_of, of_series
from resolvers.records.study import Study, study_of
from resolvers.records.values import Attribute, AttributeConflict, attributes_of, keywords_of
from resolvers.scalars import UID

if TYPE_CHECKING:
    from resolvers.records.instance import InstanceConnection


def _describe(description: str) -> Any:
    return strawberry.field(description=description)


@strawberry.type(
    description="One series, however many archives hold it. "
    "Its attributes come from the best-ranked visible copy."
)
class Series(Node):
    row: strawberry.Private[Row]
    series_instance_uid: UID = _describe("SeriesInstanceUID (0020,000E).")
    modality: str | None = _describe("Modality (0008,0060).")
    series_number: int | None = _describe("SeriesNumber (0020,0011).")
    series_date: date | None = _describe("SeriesDate (0008,0021).")
    series_time: time | None = _describe("SeriesTime (0008,0031).")
    series_description: str | None = _describe("SeriesDescription (0008,103E).")
    body_part_examined: str | None = _describe("BodyPartExamined (0018,0015).")
    laterality: str | None = _describe("Laterality (0020,0060).")
    protocol_name: str | None = _describe("ProtocolName (0018,1030).")
    manufacturer: str | None = _describe("Manufacturer (0008,0070).")
    manufacturer_model_name: str | None = _describe("ManufacturerModelName (0008,1090).")
    number_of_series_related_instances: int | None = _describe("Instances of the fullest visible copy.")
    fresh: strawberry.Private[Fresh | None] = None

    @property
    def key(self) -> Key:
        return key_of(self.row, Level.SERIES)

    @strawberry.field(description="BodyPartExamined as a SNOMED CT code of CID 4; null where it has none.")
    def body_part_code(self) -> Code | None:
        return code_of_row(Coded.BODY_PART, self.row)

    @strawberry.field(description="Modality as a DICOM code of CID 33; null where it has none.")
    def modality_code(self) -> Code | None:
        return code_of_row(Coded.MODALITY, self.row)

    @strawberry.field(description="Laterality as a SNOMED CT code of CID 244; null where it has none.")
    def laterality_code(self) -> Code | None:
        return code_of_row(Coded.LATERALITY, self.row)

    @strawberry.field(description="Global id.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(to_id("Series", self.key))

    @strawberry.field(description="The study that it belongs to.")
    async def study(self, info: Info) -> Study | None:
        row = await info.context.loaders_of(self.row).nodes[Level.STUDY].load((self.row["study_uid"],))
        if row is None:
            raise LookupError("a series without its study: the index is being rewritten, ask again")
        return study_of(row, self.fresh)

    @strawberry.field(description="Every visible copy, best-ranked first.")
    async def locations(self, info: Info) -> list[SeriesLocation] | None:
        copies = await info.context.loaders_of(self.row).copies[Level.SERIES].load(self.key)
        return await locations.series_locations(info.context, copies)

    @strawberry.field(description="The attributes on which visible copies disagree.")
    async def conflicts(self, info: Info) -> list[AttributeConflict] | None:
        if not self.row["shared"]:
            return []
        copies = await info.context.loaders_of(self.row).data_sets[Level.SERIES].load(self.key)
        return await locations.conflicts(info.context, copies)

    @strawberry.field(description="Attributes at series level that have a value: all, or those named.")
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
            return await of_series(info.context.loaders_of(self.row), self.row, names_of(names))
        copies = await info.context.loaders_of(self.row).data_sets[Level.SERIES].load(self.key)
        return attributes_of(data_set(copies[0]), names) if copies else []

    @strawberry.field(
        description="One of its instances stands for all, with what only instances tell (slice thickness, echo "
        "time): fetched when the series was indexed. null where there is none."
    )
    async def representative(self, info: Info) -> Representative | None:
        loader = info.context.loaders_of(self.row).representatives_by_series
        copies = await loader.load(self.key)
        return representative_of(copies[0]) if copies else None

    @strawberry.field(
        description="Its instances. Where the index does not hold them yet, their archive is asked, once; and again "
        "below what was asked for with `freshness`."
    )
    async def instances(
        self,
        info: Info,
        filter: Annotated[
            InstanceFilter | None, strawberry.argument(description="Which instances; null: all.")
        ] = None,
        order_by: Annotated[
            list[InstanceOrder] | None, strawberry.argument(description="Default: INSTANCE_NUMBER ASC.")
        ] = None,
        first: First = 20,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Annotated["InstanceConnection", strawberry.lazy("resolvers.records.instance")] | None:
        from resolvers.records.instance import InstanceConnection

        page = page_arguments(info, first, after, last, before)
        context, loaders = info.context, info.context.loaders_of(self.row)
        wanted = Children.of(
            loaders.scope,
            context.cursors,
            Level.INSTANCE,
            Level.SERIES,
            condition_of(filter),
            sorts_of(order_by),
            page,
        )
        failures = await loaders.missing(Level.SERIES, self.fresh).load(self.key)
        gaps = await gaps_of_children(loaders, Level.INSTANCE, wanted.condition)
        lacks = Shortfall(failures, gaps)
        listed = await list_children(context, loaders, wanted, page, self.key, lacks, self.fresh)
        return InstanceConnection(listed=listed)

    @strawberry.field(
        description="Opens this series in the bundled viewer; null where the viewer may not see pixels, "
        "or where no viewer is installed."
    )
    def viewer_url(self) -> str | None:
        return None

    @strawberry.field(description="A small picture; null where the viewer may not see pixels.")
    def thumbnail_url(self) -> str | None:
        return None


def series_of(row: Row, fresh: Fresh | None = None) -> Series:
    """The node of a row of the index; fresh: what was asked for it just now."""
    return Series(
        row=row,
        series_instance_uid=UID(row["uid"]),
        modality=row["modality"],
        series_number=row["series_number"],
        series_date=row["series_date"],
        series_time=row["series_time"],
        series_description=row["series_description"],
        body_part_examined=row["body_part_examined"],
        laterality=row["laterality"],
        protocol_name=row["protocol_name"],
        manufacturer=row["manufacturer"],
        manufacturer_model_name=row["manufacturer_model_name"],
        number_of_series_related_instances=row["number_of_instances"],
        fresh=fresh,
    )


@strawberry.type(description="A series in a page, with its cursor.")
class SeriesEdge:
    node: Series = _describe("The series.")
    listed: strawberry.Private[ListPage]

    @strawberry.field(description="Where the series stands in this list; opaque.")
    def cursor(self) -> str:
        return self.listed.cursor(self.node.row)


@strawberry.type(description="A page of series.")
class SeriesConnection(Connection):
    @strawberry.field(description="The series of this page with their cursors.")
    async def edges(self, info: Info) -> list[SeriesEdge]:
        fresh, listed = self.listed.list_query.fresh, self.listed
        return await listed.made(info, lambda row: SeriesEdge(node=series_of(row, fresh), listed=listed))

    @strawberry.field(description="The series of this page.")
    async def nodes(self, info: Info) -> list[Series]:
        fresh = self.listed.list_query.fresh
        return await self.listed.made(info, lambda row: series_of(row, fresh))
