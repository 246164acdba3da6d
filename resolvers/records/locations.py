"""Where the copies of a node are. retrieveUrl is this server's own DICOMweb path, never the archive's URL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import strawberry

from db.archives import ArchiveRow
from db.lists.nodes import Row, data_set
from resolvers.archives.archive import Archive, archive_of
from resolvers.records.values import AttributeConflict, LocatedValue, disagreements

if TYPE_CHECKING:
    from resolvers.context import Context


def _describe(description: str) -> Any:
    return strawberry.field(description=description)


_ARCHIVE = "The archive that holds this copy."
_URL = "This server's DICOMweb path of this copy (PS3.18 10.4), relative to the server."
_SYNCED = "When the index last saw this copy in its archive."


@strawberry.type(description="One copy of a study.")
class StudyLocation:
    archive: Archive = _describe(_ARCHIVE)
    retrieve_url: str = _describe(_URL)
    number_of_series: int | None = _describe("Series of this copy.")
    number_of_instances: int | None = _describe("Instances of this copy.")
    synced_at: datetime = _describe(_SYNCED)


@strawberry.type(description="One copy of a series.")
class SeriesLocation:
    archive: Archive = _describe(_ARCHIVE)
    retrieve_url: str = _describe(_URL)
    number_of_instances: int | None = _describe("Instances of this copy.")
    synced_at: datetime = _describe(_SYNCED)


@strawberry.type(description="One copy of an instance.")
class InstanceLocation:
    archive: Archive = _describe(_ARCHIVE)
    retrieve_url: str = _describe(_URL)
    synced_at: datetime = _describe(_SYNCED)


async def study_locations(context: "Context", copies: Sequence[Row]) -> list[StudyLocation]:
    """Every visible copy of a study, best-ranked first."""
    archives = await context.archives()
    return [
        StudyLocation(
            archive=archive_of(context, archive),
            retrieve_url=f"{_root(archive)}/studies/{_segment(copy['study_uid'])}",
            number_of_series=copy["number_of_series"],
            number_of_instances=copy["number_of_instances"],
            synced_at=copy["synced_at"],
        )
        for copy, archive in _located(copies, archives)
    ]


async def series_locations(context: "Context", copies: Sequence[Row]) -> list[SeriesLocation]:
    """Every visible copy of a series, best-ranked first."""
    archives = await context.archives()
    return [
        SeriesLocation(
            archive=archive_of(context, archive),
            retrieve_url=f"{_root(archive)}/studies/{_segment(copy['study_uid'])}/series/{_segment(copy['series_uid'])}",
            number_of_instances=copy["number_of_instances"],
            synced_at=copy["synced_at"],
        )
        for copy, archive in _located(copies, archives)
    ]


async def instance_locations(context: "Context", copies: Sequence[Row]) -> list[InstanceLocation]:
    """Every visible copy of an instance, best-ranked first."""
    archives = await context.archives()
    return [
        InstanceLocation(
            archive=archive_of(context, archive),
            retrieve_url=f"{_root(archive)}/studies/{_segment(copy['study_uid'])}/series/{_segment(copy['series_uid'])}"
            f"/instances/{_segment(copy['sop_uid'])}",
            synced_at=copy["synced_at"],
        )
        for copy, archive in _located(copies, archives)
    ]


async def conflicts(context: "Context", copies: Sequence[Row]) -> list[AttributeConflict]:
    """The attributes on which the copies' data sets disagree."""
    if len(copies) < 2:
        return []
    archives = await context.archives()
    return [
        AttributeConflict(
            keyword=keyword,
            values=[
                LocatedValue(archive=archive_of(context, archives[copy["archive_id"]]), text=text)
                for copy, text in zip(copies, texts, strict=True)
                if text is not None
            ],
        )
        for keyword, texts in disagreements([data_set(copy) for copy in copies])
    ]


def _root(archive: ArchiveRow) -> str:
    return f"/archives/{archive.code}/dicom-web"


def _segment(uid: str) -> str:
    """Of a path: a UID that breaks the rules may have any character."""
    return quote(uid, safe="")


def _located(copies: Sequence[Row], archives: Mapping[int, ArchiveRow]) -> list[tuple[Row, ArchiveRow]]:
    return [(copy, archives[copy["archive_id"]]) for copy in copies if copy["archive_id"] in archives]
