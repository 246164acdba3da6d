"""A study: one node for each StudyInstanceUID, however many archives hold it."""

from datetime import date, time
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from access.scope import AccessLevel, Projection
from db.lists.nodes import Row, data_set, key_of
from model.attributes import Key, Level
from reads.ids import to_id
from reads.list_query import Shortfall
from refresh.live import Fresh
from resolvers.consent.consent import Consent, consent_of_row
from resolvers.depth import gaps_of_children
from resolvers.filters.arguments import After, Before, First, Last, page_arguments
from resolvers.filters.inputs import SeriesFilter, condition_of
from resolvers.filters.orders import SeriesOrder, sorts_of
from resolvers.info import Info
from resolvers.node import Node
from resolvers.records import locations
from resolvers.records.connection import Connection, ListPage, list_children
from resolvers.records.loaders import Children
from resolvers.records.locations import StudyLocation
from resolvers.records.searched import Searched, names_of, of_study
from resolvers.records.values import (
    Attribute,
    AttributeConflict,
    PersonName,
    attributes_of,
    keywords_of,
    person_name,
)
from resolvers.scalars import UID

if TYPE_CHECKING:
    from resolvers.records.series import SeriesConnection


def _describe(description: str) -> Any:
    return strawberry.field(description=description)


ACCESS = {Projection.IDENTIFIED: AccessLevel.FULL, Projection.PSEUDONYMISED: AccessLevel.PSEUDONYMISED}


@strawberry.type(
    description="One study, however many archives hold it. "
    "Its attributes come from the best-ranked visible copy; "
    "modalities and counts from the union of the visible copies."
)
class Study(Node):
    row: strawberry.Private[Row]
    study_instance_uid: UID = _describe("StudyInstanceUID (0020,000D).")
    study_date: date | None = _describe("StudyDate (0008,0020).")
    study_time: time | None = _describe("StudyTime (0008,0030).")
    accession_number: str | None = _describe("AccessionNumber (0008,0050).")
    study_id: str | None = _describe("StudyID (0020,0010).")
    study_description: str | None = _describe("StudyDescription (0008,1030).")
    patient_id: str | None = _describe("PatientID (0010,0020).")
    issuer_of_patient_id: str | None = _describe("IssuerOfPatientID (0010,0021).")
    patient_birth_date: date | None = _describe("PatientBirthDate (0010,0030).")
    patient_sex: str | None = _describe("PatientSex (0010,0040) as stored: M, F, O or what the archive sent.")
    modalities_in_study: list[str] = _describe(
        "ModalitiesInStudy (0008,0061) over all visible copies, sorted."
    )
    number_of_study_related_series: int | None = _describe("Different series over all visible copies.")
    number_of_study_related_instances: int | None = _describe("Different instances over all visible copies.")
    access: AccessLevel = _describe("FULL, or PSEUDONYMISED when identifying attributes are replaced.")
    fresh: strawberry.Private[Fresh | None] = None

    @property
    def key(self) -> Key:
        return key_of(self.row, Level.STUDY)

    @strawberry.field(description="Global id.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(to_id("Study", self.key))

    @strawberry.field(description="PatientName (0010,0010).")
    def patient_name(self) -> PersonName | None:
        return person_name(self.row["patient_name"])

    @strawberry.field(description="ReferringPhysicianName (0008,0090).")
    def referring_physician_name(self) -> PersonName | None:
        return person_name(self.row["referring_physician_name"])

    @strawberry.field(description="What the patient agreed to.")
    async def consent(self, info: Info) -> Consent | None:
        row = await info.context.loaders_of(self.row).consent_by_study.load(self.study_instance_uid)
        return consent_of_row(row)

    @strawberry.field(description="Every visible copy, best-ranked first.")
    async def locations(self, info: Info) -> list[StudyLocation] | None:
        copies = await info.context.loaders_of(self.row).copies[Level.STUDY].load(self.key)
        return await locations.study_locations(info.context, copies)

    @strawberry.field(description="The attributes on which visible copies disagree.")
    async def conflicts(self, info: Info) -> list[AttributeConflict] | None:
        if not self.row["shared"]:
            return []
        copies = await info.context.loaders_of(self.row).data_sets[Level.STUDY].load(self.key)
        return await locations.conflicts(info.context, copies)

    @strawberry.field(description="Attributes at study level that have a value: all, or those named.")
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
        copies = await info.context.loaders_of(self.row).data_sets[Level.STUDY].load(self.key)
        if searched:
            own = [data_set(copy) for copy in copies]
            return await of_study(info.context.loaders_of(self.row), self.row, own, names_of(names))
        return attributes_of(data_set(copies[0]), names) if copies else []

    @strawberry.field(
        description="Its series. Where the index does not hold them yet, their archive is asked, once; and again "
        "below what was asked for with `freshness`."
    )
    async def series(
        self,
        info: Info,
        filter: Annotated[
            SeriesFilter | None, strawberry.argument(description="Which series; null: all.")
        ] = None,
        order_by: Annotated[
            list[SeriesOrder] | None, strawberry.argument(description="Default: SERIES_NUMBER ASC.")
        ] = None,
        first: First = 20,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Annotated["SeriesConnection", strawberry.lazy("resolvers.records.series")] | None:
        from resolvers.records.series import SeriesConnection

        page = page_arguments(info, first, after, last, before)
        context, loaders = info.context, info.context.loaders_of(self.row)
        wanted = Children.of(
            loaders.scope,
            context.cursors,
            Level.SERIES,
            Level.STUDY,
            condition_of(filter),
            sorts_of(order_by),
            page,
        )
        failures = await loaders.missing(Level.STUDY, self.fresh).load(self.key)
        gaps = await gaps_of_children(loaders, Level.SERIES, wanted.condition)
        lacks = Shortfall(failures, gaps)
        listed = await list_children(context, loaders, wanted, page, self.key, lacks, self.fresh)
        return SeriesConnection(listed=listed)

    @strawberry.field(
        description="Opens this study in the bundled viewer; null where the viewer may not see pixels, "
        "or where no viewer is installed."
    )
    def viewer_url(self) -> str | None:
        return None

    @strawberry.field(description="A small picture; null where the viewer may not see pixels.")
    def thumbnail_url(self) -> str | None:
        return None


def study_of(row: Row, fresh: Fresh | None = None) -> Study:
    """The node of a row of the index; fresh: what was asked for it just now."""
    return Study(
        row=row,
        study_instance_uid=UID(row["uid"]),
        study_date=row["study_date"],
        study_time=row["study_time"],
        accession_number=row["accession_number"],
        study_id=row["study_id"],
        study_description=row["study_description"],
        patient_id=row["patient_id"],
        issuer_of_patient_id=row["issuer_of_patient_id"],
        patient_birth_date=row["patient_birth_date"],
        patient_sex=row["patient_sex"],
        modalities_in_study=row["modalities"],
        number_of_study_related_series=row["number_of_series"],
        number_of_study_related_instances=row["number_of_instances"],
        access=ACCESS[Projection(row["projection"])],
        fresh=fresh,
    )


@strawberry.type(description="A study in a page, with its cursor.")
class StudyEdge:
    node: Study = _describe("The study.")
    listed: strawberry.Private[ListPage]

    @strawberry.field(description="Where the study stands in this list; opaque.")
    def cursor(self) -> str:
        return self.listed.cursor(self.node.row)


@strawberry.type(description="A page of studies.")
class StudyConnection(Connection):
    @strawberry.field(description="The studies of this page with their cursors.")
    async def edges(self, info: Info) -> list[StudyEdge]:
        fresh, listed = self.listed.list_query.fresh, self.listed
        return await listed.made(info, lambda row: StudyEdge(node=study_of(row, fresh), listed=listed))

    @strawberry.field(description="The studies of this page.")
    async def nodes(self, info: Info) -> list[Study]:
        fresh = self.listed.list_query.fresh
        return await self.listed.made(info, lambda row: study_of(row, fresh))
