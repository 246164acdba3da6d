"""Where the copies of a node are, and where they disagree. retrieveUrl is this server's own DICOMweb path, never the
archive's URL."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar
from urllib.parse import quote

import strawberry

from db.archives import ArchiveRow
from db.lists.nodes import data_set
from db.pool import Row
from model.attributes import KEY_COLUMNS, Level
from reads.named_elements import disagreements
from reads.request import Request
from resolvers.archives.archive import Archive, archive_of
from resolvers.descriptions import described

_PATH = ("studies", "series", "instances")


_ARCHIVE = "The archive that holds this copy."
_URL = "This server's DICOMweb path of this copy (PS3.18 10.4), relative to the server."
_SYNCED = "When the index last saw this copy in its archive."


@strawberry.type(description="One copy of a study.")
class StudyLocation:
    archive: Archive = described(_ARCHIVE)
    retrieve_url: str = described(_URL)
    number_of_series: int | None = described("Series of this copy.")
    number_of_instances: int | None = described("Instances of this copy.")
    synced_at: datetime = described(_SYNCED)


@strawberry.type(description="One copy of a series.")
class SeriesLocation:
    archive: Archive = described(_ARCHIVE)
    retrieve_url: str = described(_URL)
    number_of_instances: int | None = described("Instances of this copy.")
    synced_at: datetime = described(_SYNCED)


@strawberry.type(description="One copy of an instance.")
class InstanceLocation:
    archive: Archive = described(_ARCHIVE)
    retrieve_url: str = described(_URL)
    synced_at: datetime = described(_SYNCED)


Location = TypeVar("Location", StudyLocation, SeriesLocation, InstanceLocation)
_COUNTS: dict[Level, tuple[str, ...]] = {
    Level.STUDY: ("number_of_series", "number_of_instances"),
    Level.SERIES: ("number_of_instances",),
    Level.INSTANCE: (),
}


async def locations_of(
    of: type[Location], level: Level, request: Request, copies: Sequence[Row]
) -> list[Location]:
    """Every visible copy of a node, best-ranked first."""
    archives = await request.archives()
    return [
        of(
            archive=archive_of(request, archives[copy["archive_id"]]),
            retrieve_url=_url(archives[copy["archive_id"]], level, copy),
            synced_at=copy["synced_at"],
            **{name: copy[name] for name in _COUNTS[level]},
        )
        for copy in copies
        if copy["archive_id"] in archives
    ]


def _url(archive: ArchiveRow, level: Level, copy: Row) -> str:
    """A UID that breaks the rules may have any character."""
    parts = zip(_PATH, KEY_COLUMNS[level], strict=False)
    below = "/".join(f"{name}/{quote(copy[column], safe='')}" for name, column in parts)
    return f"/archives/{archive.code}/dicom-web/{below}"


@strawberry.type(description="What one archive says.")
class LocatedValue:
    archive: Archive = described("Who says so.")
    text: str | None = described("Its value.")


@strawberry.type(description="An attribute on which visible copies disagree.")
class AttributeConflict:
    keyword: str = described("The attribute's keyword; (CREATOR)ggggxxee of a private one; else GGGGEEEE.")
    values: list[LocatedValue] = described("The value of each visible copy that has one, best-ranked first.")


async def conflicts_of(request: Request, copies: Sequence[Row]) -> list[AttributeConflict]:
    """The attributes on which the copies' data sets disagree."""
    if len(copies) < 2:
        return []
    archives = await request.archives()
    return [
        AttributeConflict(
            keyword=keyword,
            values=[
                LocatedValue(archive=archive_of(request, archives[copy["archive_id"]]), text=text)
                for copy, text in zip(copies, texts, strict=True)
                if text is not None
            ],
        )
        for keyword, texts in disagreements([data_set(copy) for copy in copies])
    ]
