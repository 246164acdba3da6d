"""Archives that hold a few instances, behind each kind of client."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from archives.client import ArchiveClient
from archives.registry import open_archive
from config.archives_file import ArchiveConfig
from tests.archives.faulty import Exchange, Json, faulty
from tests.archives.files import instance
from tests.faults.shelf import asked_rows, behaves

# (StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID, PatientID, IssuerOfPatientID, Modality)
Held = tuple[str, str, str, str, str, str]
TAGS = {
    "0020000D": "UI",
    "0020000E": "UI",
    "00080018": "UI",
    "00100020": "LO",
    "00100021": "LO",
    "00080060": "CS",
}


def _rows(held: list[Held]) -> dict[str, list[Json]]:
    """As a server tells them, with what it counts below."""
    of_study = {study: [each for each in held if each[:1] == study] for study in {each[:1] for each in held}}
    of_series = {
        series: [each for each in held if each[:2] == series] for series in {each[:2] for each in held}
    }
    studies: list[Json] = []
    for study, patient, issuer in dict.fromkeys((each[0], each[3], each[4]) for each in held):
        below = of_study[study,]
        row = _row("0020000D", study) | _row("00100020", patient) | _row("00100021", issuer)
        row["00080061"] = {"vr": "CS", "Value": sorted({each[5] for each in below})}
        row["00201206"] = {"vr": "IS", "Value": [len({each[:2] for each in below})]}
        studies.append(row | {"00201208": {"vr": "IS", "Value": [len(below)]}})
    series = [
        _row("0020000D", study)
        | _row("0020000E", uid)
        | _row("00080060", below[0][5])
        | {"00201209": {"vr": "IS", "Value": [len(below)]}}
        for (study, uid), below in of_series.items()
    ]
    instances = [
        {tag: value for name, each in zip(TAGS, one, strict=True) for tag, value in _row(name, each).items()}
        for one in held
    ]
    return {"studies": studies, "series": series, "instances": instances}


def _row(tag: str, value: str) -> Json:
    return {tag: {"vr": TAGS[tag], "Value": [value]}}


@asynccontextmanager
async def served(config: ArchiveConfig, held: Iterable[Held], _folder: Path) -> AsyncIterator[ArchiveClient]:
    """Behind QIDO-RS, with routes at the top."""
    rows = _rows(list(held))

    def behave(exchange: Exchange) -> None:
        behaves(exchange, asked_rows(exchange, rows))

    with faulty(behave) as server:
        client = open_archive(replace(config, kind="dicomweb", url=server.url))
        yield client
        await client.close()


@asynccontextmanager
async def in_folder(
    config: ArchiveConfig, held: Iterable[Held], folder: Path
) -> AsyncIterator[ArchiveClient]:
    """As files."""
    for number, (study, series, sop, patient, issuer, modality) in enumerate(held):
        content = instance(
            study,
            SeriesInstanceUID=series,
            SOPInstanceUID=sop,
            PatientID=patient,
            IssuerOfPatientID=issuer,
            Modality=modality,
        )
        (folder / f"{number}.dcm").write_bytes(content)
    client = open_archive(replace(config, kind="folder", path=folder))
    yield client
    await client.close()
