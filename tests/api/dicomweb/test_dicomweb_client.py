"""Every reading method of dicomweb-client against a real server over real archives."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from dicomweb_client import DICOMwebClient

from tests.api.dicomweb.federated import IN_FOLDER, PARTED, Federated
from tests.api.dicomweb.test_retrieving import held, read
from tests.archives.files import SPLIT

pytestmark = pytest.mark.orthanc
S, SE, SOP = next(iter(held(SPLIT)))
URI = "{root}/studies/" + f"{S}/series/{SE}/instances/{SOP}/bulk/7fe00010"

Call = Callable[[DICOMwebClient], Any]
METHODS: dict[str, tuple[Call, Callable[[Any], Any], Any]] = {
    "search_for_studies": (lambda web: web.search_for_studies(search_filters={"StudyInstanceUID": PARTED}), len, 1),
    "search_for_studies, all": (
        lambda web: web.search_for_studies(limit=3, get_remaining=True), len, len({uids[0] for uids in held()}),
    ),
    "search_for_studies, fuzzy": (
        lambda web: web.search_for_studies(search_filters={"PatientName": "Do Jane"}, fuzzymatching=True),
        lambda rows: [row["0020000D"]["Value"] for row in rows], [[IN_FOLDER]],
    ),
    "search_for_series": (lambda web: web.search_for_series(PARTED), len, 3),
    "search_for_series, everywhere": (
        lambda web: web.search_for_series(search_filters={"Modality": "OT"}, fields=["Manufacturer"]),
        lambda rows: any("Value" in row.get("00080070", {}) for row in rows), True,
    ),
    "search_for_instances": (lambda web: web.search_for_instances(PARTED, f"{PARTED}.2"), len, 2),
    "search_for_instances, of a study": (lambda web: web.search_for_instances(PARTED), len, 4),
    "search_for_instances, everywhere": (lambda web: web.search_for_instances(limit=5), len, 5),
    "retrieve_study": (lambda web: web.retrieve_study(PARTED), len, 4),
    "iter_study": (lambda web: list(web.iter_study(PARTED)), len, 4),
    "retrieve_study_metadata": (lambda web: web.retrieve_study_metadata(PARTED), len, 4),
    "retrieve_series": (lambda web: web.retrieve_series(PARTED, f"{PARTED}.2"), len, 2),
    "iter_series": (lambda web: list(web.iter_series(PARTED, f"{PARTED}.2")), len, 2),
    "retrieve_series_metadata": (lambda web: web.retrieve_series_metadata(PARTED, f"{PARTED}.2"), len, 2),
    "retrieve_series_rendered": (
        lambda web: web.retrieve_series_rendered(S, SE, media_types=("image/png",)), lambda found: found[1:4], b"PNG",
    ),
    "retrieve_instance": (
        lambda web: web.retrieve_instance(S, SE, SOP), lambda found: found == read(held()[S, SE, SOP]), True,
    ),
    "retrieve_instance, explicit": (
        lambda web: web.retrieve_instance(S, SE, SOP, media_types=(("application/dicom", "1.2.840.10008.1.2.1"),)),
        lambda found: found == read(held()[S, SE, SOP]), True,
    ),
    "retrieve_instance_metadata": (
        lambda web: web.retrieve_instance_metadata(S, SE, SOP), lambda found: found["00080018"]["Value"], [SOP],
    ),
    "retrieve_instance_rendered": (
        lambda web: web.retrieve_instance_rendered(S, SE, SOP, media_types=("image/jpeg",)),
        lambda found: found[:2], b"\xff\xd8",
    ),
    "retrieve_instance_frames": (
        lambda web: web.retrieve_instance_frames(S, SE, SOP, [1]),
        lambda found: found == [read(held()[S, SE, SOP]).PixelData], True,
    ),
    "iter_instance_frames": (
        lambda web: list(web.iter_instance_frames(S, SE, SOP, [1])),
        lambda found: found == [read(held()[S, SE, SOP]).PixelData], True,
    ),
    "retrieve_instance_frames_rendered": (
        lambda web: web.retrieve_instance_frames_rendered(S, SE, SOP, [1], media_types=("image/jpeg",)),
        lambda found: found[:2], b"\xff\xd8",
    ),
    "retrieve_bulkdata": (
        lambda web: web.retrieve_bulkdata(URI.format(root=web.base_url)),
        lambda found: found == [read(held()[S, SE, SOP]).PixelData], True,
    ),
    "iter_bulkdata": (
        lambda web: list(web.iter_bulkdata(URI.format(root=web.base_url))),
        lambda found: found == [read(held()[S, SE, SOP]).PixelData], True,
    ),
}  # fmt: skip


async def test_every_reading_method(home: Federated, capsys: pytest.CaptureFixture[str]) -> None:
    reading = {name for name in dir(DICOMwebClient) if name.startswith(("search_", "retrieve_", "iter_"))}
    assert {name.partition(",")[0] for name in METHODS} == reading
    table, wrong = [], []
    async with home.served() as url:
        web = DICOMwebClient(f"{url}/dicom-web")
        web.set_http_retry_params(retry=False)
        for name, (call, told, expected) in METHODS.items():
            try:
                found = told(await asyncio.to_thread(call, web))
            except Exception as error:  # the table names it
                found = f"{type(error).__name__}: {str(error)[:150]}"
            table.append(f"{name:40} {found!r:60.60}")
            if found != expected:
                wrong.append((name, found, expected))
    with capsys.disabled():
        print("\n" + "\n".join(table))  # noqa: T201
    assert wrong == []
