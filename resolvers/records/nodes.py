"""Studies, series and instances, and pages of them. One module, for each names the others: a study its series, and a
series its study."""

from collections.abc import Sequence
from typing import Annotated

import strawberry

from access.scope import AccessLevel, Projection
from db.lists.nodes import data_set
from db.pool import Row
from model.attributes import Level
from model.paths import parse_path
from model.vocabulary import Coded
from reads.lists import ListPage
from reads.named_elements import NamedElement, attributes_of
from reads.searched import first_of, looks_below, names_of
from refresh.live import Fresh
from resolvers.consent.consent import Consent, consent_of_row
from resolvers.context import Info
from resolvers.descriptions import argument, described
from resolvers.filters.arguments import After, Before, First, Last
from resolvers.filters.inputs import InstanceFilter, SeriesFilter
from resolvers.filters.orders import InstanceOrder, SeriesOrder
from resolvers.node import Node
from resolvers.records.attribute import PersonName, person_name
from resolvers.records.codes import Code, code_of_row, sop_class_name
from resolvers.records.level_node import (
    LevelNode,
    attributes_as,
    conflicts,
    id_of,
    locations_as,
    made_of,
    of_level,
    url,
)
from resolvers.records.locations import InstanceLocation, SeriesLocation, StudyLocation
from resolvers.records.relay import Connection, children_of, cursor_of, edges_of, nodes_of
from resolvers.records.representative import Representative, representative_of
from resolvers.records.viewing import viewer_unavailable, viewer_url

_ASKED = (
    "Where the index does not hold them yet, their archive is asked, once; and again below what was asked for with "
    "`freshness`."
)
_ACCESS = {Projection.IDENTIFIED: AccessLevel.FULL, Projection.PSEUDONYMISED: AccessLevel.PSEUDONYMISED}


@strawberry.type(
    description="One study, however many archives hold it. "
    "Its attributes come from the best-ranked visible copy; "
    "modalities and counts from the union of the visible copies."
)
@of_level(Level.STUDY)
class Study(LevelNode, Node):
    row: strawberry.Private[Row]
    fresh: strawberry.Private[Fresh | None] = None
    id: strawberry.ID = id_of("Study")
    access: AccessLevel = described("FULL, or PSEUDONYMISED when identifying attributes are replaced.")

    @strawberry.field(description="PatientName (0010,0010).")
    def patient_name(self) -> PersonName | None:
        return person_name(self.row["patient_name"])

    @strawberry.field(description="ReferringPhysicianName (0008,0090).")
    def referring_physician_name(self) -> PersonName | None:
        return person_name(self.row["referring_physician_name"])

    @strawberry.field(description="What the patient agreed to.")
    async def consent(self, info: Info) -> Consent | None:
        row = await info.context.loaders_of(self.row).consent_by_study.load(self.row["uid"])
        return consent_of_row(row)

    locations = locations_as(StudyLocation)
    conflicts = conflicts()
    attributes = attributes_as("Attributes at study level that have a value: all, or those named.")

    @strawberry.field(description=f"Its series. {_ASKED}")
    async def series(
        self,
        info: Info,
        filter: Annotated[SeriesFilter | None, argument("Which series; null: all.")] = None,
        order_by: Annotated[list[SeriesOrder] | None, argument("Default: SERIES_NUMBER ASC.")] = None,
        first: First = 20,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> "SeriesConnection | None":
        page = (first, after, last, before)
        return SeriesConnection(listed=await children_of(self, info, Level.SERIES, filter, order_by, page))

    viewer_url = viewer_url(Level.STUDY)
    viewer_unavailable = viewer_unavailable()
    thumbnail_url = url("A small picture; null where the viewer may not see pixels.")

    async def elements(
        self, info: Info, names: Sequence[str] | None, *, searched: bool
    ) -> Sequence[NamedElement]:
        loaders = info.context.loaders_of(self.row)
        copies = await loaders.data_sets(Level.STUDY).load(self.key)
        if not searched:
            return attributes_of(data_set(copies[0]), names) if copies else []
        own = [data_set(copy) for copy in copies]  # best-ranked first
        found: list[NamedElement] = []
        for name in names_of(names):
            here = first_of(own, name)
            if not here and looks_below(parse_path(name)):
                here = await loaders.searched_by_study.load((self.row["uid"], name))
            found += here
        return found


@strawberry.type(
    description="One series, however many archives hold it. "
    "Its attributes come from the best-ranked visible copy."
)
@of_level(Level.SERIES)
class Series(LevelNode, Node):
    row: strawberry.Private[Row]
    fresh: strawberry.Private[Fresh | None] = None
    id: strawberry.ID = id_of("Series")

    @strawberry.field(description="BodyPartExamined as a SNOMED CT code of CID 4; null where it has none.")
    def body_part_code(self) -> Code | None:
        return code_of_row(Coded.BODY_PART, self.row)

    @strawberry.field(description="Modality as a DICOM code of CID 33; null where it has none.")
    def modality_code(self) -> Code | None:
        return code_of_row(Coded.MODALITY, self.row)

    @strawberry.field(description="Laterality as a SNOMED CT code of CID 244; null where it has none.")
    def laterality_code(self) -> Code | None:
        return code_of_row(Coded.LATERALITY, self.row)

    @strawberry.field(description="The study that it belongs to.")
    async def study(self, info: Info) -> Study | None:
        return study_of(await _parent(self, info, Level.STUDY), self.fresh)

    locations = locations_as(SeriesLocation)
    conflicts = conflicts()
    attributes = attributes_as("Attributes at series level that have a value: all, or those named.")

    @strawberry.field(
        description="One of its instances stands for all, with what only instances tell (slice thickness, echo "
        "time): fetched when the series was indexed. null where there is none."
    )
    async def representative(self, info: Info) -> Representative | None:
        loader = info.context.loaders_of(self.row).representatives_by_series
        copies = await loader.load(self.key)
        return representative_of(copies[0]) if copies else None

    @strawberry.field(description=f"Its instances. {_ASKED}")
    async def instances(
        self,
        info: Info,
        filter: Annotated[InstanceFilter | None, argument("Which instances; null: all.")] = None,
        order_by: Annotated[list[InstanceOrder] | None, argument("Default: INSTANCE_NUMBER ASC.")] = None,
        first: First = 20,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> "InstanceConnection | None":
        page = (first, after, last, before)
        return InstanceConnection(
            listed=await children_of(self, info, Level.INSTANCE, filter, order_by, page)
        )

    viewer_url = viewer_url(Level.SERIES)
    viewer_unavailable = viewer_unavailable()
    thumbnail_url = url("A small picture; null where the viewer may not see pixels.")

    async def elements(
        self, info: Info, names: Sequence[str] | None, *, searched: bool
    ) -> Sequence[NamedElement]:
        loaders = info.context.loaders_of(self.row)
        if searched:
            keys = [(self.row["study_uid"], self.row["uid"], name) for name in names_of(names)]
            return [one for found in await loaders.searched_by_series.load_many(keys) for one in found]
        copies = await loaders.data_sets(Level.SERIES).load(self.key)
        return attributes_of(data_set(copies[0]), names) if copies else []


@strawberry.type(
    description="One instance, however many archives hold it. "
    "Its attributes come from the best-ranked visible copy."
)
@of_level(Level.INSTANCE)
class Instance(LevelNode, Node):
    row: strawberry.Private[Row]
    fresh: strawberry.Private[Fresh | None] = None
    id: strawberry.ID = id_of("Instance")

    @strawberry.field(description="The name of its SOP class (PS3.6 Annex A); null for a private one.")
    def sop_class_name(self) -> str | None:
        return sop_class_name(self.row["sop_class_uid"])

    @strawberry.field(description="The series that it belongs to.")
    async def series(self, info: Info) -> Series | None:
        return series_of(await _parent(self, info, Level.SERIES), self.fresh)

    locations = locations_as(InstanceLocation)
    conflicts = conflicts()
    attributes = attributes_as(
        "Any attribute of the data set by keyword, tag (GGGGEEEE) or path "
        "(RequestAttributesSequence.ScheduledProcedureStepID); null: all. Those that the index does not hold "
        "are fetched from the archive, once; if that fails, `extensions.warnings` says so."
    )
    rendered_url = url("A rendered picture; null where the viewer may not see pixels.")
    thumbnail_url = url("A small picture; null where the viewer may not see pixels.")

    async def elements(
        self, info: Info, names: Sequence[str] | None, *, searched: bool
    ) -> Sequence[NamedElement]:
        if not searched:
            return attributes_of(await info.context.data_set_of_instance(self.row, names), names)
        copies = await info.context.loaders_of(self.row).data_sets(Level.INSTANCE).load(self.key)
        own = [data_set(copy) for copy in copies]
        return [one for name in names_of(names) for one in first_of(own, name)]


async def _parent(node: LevelNode, info: Info, level: Level) -> Row:
    row = await info.context.loaders_of(node.row).nodes(level).load(node.key[:-1])
    if row is None:
        raise LookupError(f"a node without its {level}: the index is being rewritten, ask again")
    return row


def study_of(row: Row, fresh: Fresh | None = None) -> Study:
    """The node of a row of the index; fresh: what was asked for it just now."""
    return made_of(Study, row, fresh, access=_ACCESS[Projection(row["projection"])])


def series_of(row: Row, fresh: Fresh | None = None) -> Series:
    return made_of(Series, row, fresh)


def instance_of(row: Row, fresh: Fresh | None = None) -> Instance:
    return made_of(Instance, row, fresh)


@strawberry.type(description="A study in a page, with its cursor.")
class StudyEdge:
    node: Study = described("The study.")
    listed: strawberry.Private[ListPage]
    cursor: str = cursor_of("study")


@strawberry.type(description="A page of studies.")
class StudyConnection(Connection):
    edge_type = StudyEdge
    edges: list[StudyEdge] = edges_of("studies")
    nodes: list[Study] = nodes_of("studies")

    def node(self, row: Row) -> Study:
        return study_of(row, self.listed.list_query.fresh)


@strawberry.type(description="A series in a page, with its cursor.")
class SeriesEdge:
    node: Series = described("The series.")
    listed: strawberry.Private[ListPage]
    cursor: str = cursor_of("series")


@strawberry.type(description="A page of series.")
class SeriesConnection(Connection):
    edge_type = SeriesEdge
    edges: list[SeriesEdge] = edges_of("series")
    nodes: list[Series] = nodes_of("series")

    def node(self, row: Row) -> Series:
        return series_of(row, self.listed.list_query.fresh)


@strawberry.type(description="An instance in a page, with its cursor.")
class InstanceEdge:
    node: Instance = described("The instance.")
    listed: strawberry.Private[ListPage]
    cursor: str = cursor_of("instance")


@strawberry.type(description="A page of instances.")
class InstanceConnection(Connection):
    edge_type = InstanceEdge
    edges: list[InstanceEdge] = edges_of("instances")
    nodes: list[Instance] = nodes_of("instances")

    def node(self, row: Row) -> Instance:
        return instance_of(row, self.listed.list_query.fresh)
