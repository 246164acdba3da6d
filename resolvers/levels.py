"""The words of archives.toml that are enums of the schema: levels, and kinds of archives. Written as there."""

from enum import Enum
from typing import Any

import strawberry


def _value(name: str, description: str) -> Any:
    return strawberry.enum_value(name, description=description)


@strawberry.enum(name="Level", description="Information level of the Study Root model (PS3.4 C.6.2).")
class LevelName(Enum):
    study = _value("study", "Study.")
    series = _value("series", "Series.")
    instance = _value("instance", "SOP instance.")


@strawberry.enum(description="What an archive speaks.")
class ArchiveKind(Enum):
    orthanc = _value("orthanc", "Orthanc with its DICOMweb plugin: its own REST API helps.")
    dicomweb = _value("dicomweb", "Any other DICOMweb server.")
    folder = _value("folder", "A folder of DICOM files on the server's disk.")
