"""WADO-RS over real archives: what comes is what they hold, each instance once, as it is stored."""

from collections import Counter
from collections.abc import Iterable
from email import message_from_bytes
from email.policy import HTTP
from io import BytesIO
from typing import Any

import httpx
import pytest
from pydicom import Dataset, dcmread

from access.audit_dicom import event_of
from access.scope import AccessLevel
from archives.part_ten import head_of
from archives.retrieval import Retrieving, WantedObject
from db.audit.lines import lines
from db.audit.log import AuditLog
from tests.api.dicomweb.federated import (
    DOUBLED,
    IN_FOLDER,
    PARTED,
    Federated,
    grants,
    of_folder,
    of_orthanc,
)
from tests.api.export.test_endpoint import log  # noqa: F401
from tests.archives.files import CYRILLIC, SPLIT, TWO_PATIENTS

pytestmark = pytest.mark.orthanc
DICOM = 'multipart/related; type="application/dicom"; transfer-syntax=*'
OCTETS = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'


def parts_of(answer: httpx.Response) -> list[tuple[str, bytes]]:
    """(media type, content), read by another reader than ours."""
    assert answer.status_code == 200, answer.text
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    found = message_from_bytes(head + answer.content, policy=HTTP)
    boundary = found.get_boundary()
    assert answer.content.endswith(f"\r\n--{boundary}--\r\n".encode())
    parts = answer.content.split(f"--{boundary}".encode())[1:-1]
    return [_part(part) for part in parts]


def _part(part: bytes) -> tuple[str, bytes]:
    head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"Content-Type: ")
    return head.removeprefix(b"Content-Type: ").decode(), content.removesuffix(b"\r\n")


def read(content: bytes) -> Dataset:
    return dcmread(BytesIO(content))


def held(study: str | None = None) -> dict[tuple[str, str, str], bytes]:
    """Every instance by its UIDs."""
    files = {_uids(content): content for content in (*of_folder(), *of_orthanc())}
    return {uids: content for uids, content in files.items() if study in (None, uids[0])}


def _uids(content: bytes) -> tuple[str, str, str]:
    head = head_of(content, is_whole=True)
    assert head is not None
    return head.uids  # type: ignore[return-value]


def path_of(uids: Iterable[str]) -> str:
    names = ("studies", "series", "instances")
    return "/dicom-web" + "".join(f"/{name}/{uid}" for name, uid in zip(names, uids, strict=False))


async def test_every_study_to_the_byte(home: Federated) -> None:
    """Of one archive, of both, under two patients: all of it, once, each part in the transfer syntax that it says."""
    asking = home.client()
    rows = (await asking.get("/dicom-web/studies")).json()
    studies = [row["0020000D"]["Value"][0] for row in rows]
    assert {PARTED, DOUBLED, IN_FOLDER, SPLIT, TWO_PATIENTS} <= set(studies)
    assert set(studies) == {uids[0] for uids in held()}
    syntaxes = set()
    for study in studies:
        parts = parts_of(await asking.get(path_of([study]), headers={"accept": DICOM}))
        assert Counter(content for _, content in parts) == Counter(held(study).values())
        for media_type, content in parts:
            syntax = str(read(content).file_meta.TransferSyntaxUID)
            assert media_type == f"application/dicom; transfer-syntax={syntax}"
            syntaxes.add(syntax)
    assert len(syntaxes) >= 4


async def test_every_series_and_instance(home: Federated) -> None:
    asking = home.client()
    for uids, content in held().items():
        assert parts_of(await asking.get(path_of(uids)))[0][1] == content
        alone = await asking.get(path_of(uids), headers={"accept": "application/dicom"})
        assert alone.content == content
        assert alone.headers["content-type"].startswith(
            "application/dicom; transfer-syntax=1.2.840.10008.1.2"
        )
    for series in {uids[:2] for uids in held()}:
        expected = {content for uids, content in held().items() if uids[:2] == series}
        assert {content for _, content in parts_of(await asking.get(path_of(series)))} == expected


async def test_one_archive_gives_its_own(home: Federated) -> None:
    asking = home.client()
    for code, files in (("orthanc", of_orthanc()), ("folder", of_folder())):
        found = parts_of(await asking.get(f"/archives/{code}{path_of([PARTED])}"))
        assert {content for _, content in found} == {each for each in files if _uids(each)[0] == PARTED}
    for path in (path_of([IN_FOLDER]), f"{path_of([IN_FOLDER])}/metadata"):
        assert (await asking.get(f"/archives/orthanc{path}")).status_code == 404


async def test_retrieve_urls_are_served(home: Federated) -> None:
    """Those of GraphQL, of searches and of metadata."""
    asking = home.client()
    query = "{ studies(first: 50) { nodes { locations { retrieveUrl numberOfInstances } } } }"
    nodes = (await asking.post("/graphql", json={"query": query})).json()["data"]["studies"]["nodes"]
    places = [place for node in nodes for place in node["locations"]]
    assert len(places) > 10
    for place in places:
        assert len(parts_of(await asking.get(place["retrieveUrl"]))) == place["numberOfInstances"]
    for row in (await asking.get("/dicom-web/instances?limit=5")).json():
        url = row["00081190"]["Value"][0]
        assert url.startswith("http://ernfed.test/dicom-web/studies/")
        (data_set,) = (await asking.get(f"{url}/metadata")).json()
        assert data_set["00081190"]["Value"] == [url]
        assert len(parts_of(await asking.get(url))) == 1


async def test_metadata_is_that_of_the_files(home: Federated) -> None:
    """Of a study, of a series, of an instance; no URL names an archive, and those of bulk data are served."""
    asking, seen = home.client(), 0
    for study in {uids[0] for uids in held()}:
        answer = await asking.get(f"{path_of([study])}/metadata")
        found = {_key(row): row for row in answer.json()}
        assert found.keys() == held(study).keys()
        for uids, row in found.items():
            told = read(held()[uids])
            assert row["00080016"]["Value"] == [told.SOPClassUID]
            assert row["00080005"]["Value"] == ["ISO_IR 192"]
            if "PatientName" in told and "00100010" in row:
                assert (
                    row["00100010"].get("Value", [{}])[0].get("Alphabetic", "") == told.PatientName.alphabetic
                )
            if (uri := row.get("7FE00010", {}).get("BulkDataURI")) is not None and not _is_compressed(told):
                assert uri == f"http://ernfed.test{path_of(uids)}/bulk/7fe00010"
                bulk = await asking.get(uri, headers={"accept": "application/octet-stream"})
                assert bulk.content.rstrip(b"\0") == told.PixelData.rstrip(b"\0")
                assert parts_of(await asking.get(uri, headers={"accept": OCTETS}))[0][1] == bulk.content
                seen += 1
        assert b"127.0.0.1" not in answer.content
    assert seen > 3
    uids = next(iter(held(SPLIT)))
    (one,) = (await asking.get(f"{path_of(uids)}/metadata")).json()
    of_series = (await asking.get(f"{path_of(uids[:2])}/metadata")).json()
    assert one in of_series
    xml = await asking.get(
        f"{path_of(uids)}/metadata", headers={"accept": 'multipart/related; type="application/dicom+xml"'}
    )
    assert xml.content.count(b"<NativeDicomModel") == 1


def _key(row: dict[str, Any]) -> tuple[str, str, str]:
    study, series, sop = (row[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018"))
    return study, series, sop


def _is_compressed(data_set: Dataset) -> bool:
    return data_set.file_meta.TransferSyntaxUID.is_encapsulated


async def test_frames(home: Federated) -> None:
    asking, seen = home.client(), set()
    for uids, content in held().items():
        data_set = read(content)
        if "PixelData" not in data_set:
            continue
        answer = await asking.get(f"{path_of(uids)}/frames/1", headers={"accept": OCTETS})
        ((media_type, frame),) = parts_of(answer)
        syntax = str(data_set.file_meta.TransferSyntaxUID)
        assert media_type.endswith(f"; transfer-syntax={syntax}"), (media_type, syntax)
        assert answer.headers["content-type"].startswith(
            f'multipart/related; type="{media_type.partition(";")[0]}"'
        )
        seen.add(media_type.partition(";")[0])
        if not _is_compressed(data_set):
            assert frame.rstrip(b"\0") == data_set.PixelData.rstrip(b"\0")
        assert (await asking.get(f"{path_of(uids)}/frames/2", headers={"accept": OCTETS})).status_code == 404
    assert {
        "application/octet-stream",
        "image/jp2",
        "image/dicom-rle",
    } <= seen  # big endian too, which Orthanc refuses
    alone = await asking.get(f"{path_of(next(iter(held(IN_FOLDER))))}/frames/1",
                             headers={"accept": "application/octet-stream"})  # fmt: skip
    assert alone.headers["content-type"] == "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"


async def test_pictures_are_those_of_the_archive(home: Federated) -> None:
    asking, (uids, *_) = home.client(), held(SPLIT)
    for path in ("/rendered", "/thumbnail", "/frames/1/rendered", "/frames/1/thumbnail"):
        picture = await asking.get(path_of(uids) + path, headers={"accept": "image/*"})
        assert (picture.headers["content-type"], picture.content[:3]) == ("image/jpeg", b"\xff\xd8\xff")
    png = await asking.get(f"{path_of(uids)}/rendered?viewport=64,64", headers={"accept": "image/png"})
    assert png.content[1:4] == b"PNG"
    assert (await asking.get(f"{path_of([SPLIT])}/thumbnail")).status_code == 200
    in_folder = await asking.get(f"{path_of(next(iter(held(IN_FOLDER))))}/rendered")
    assert in_folder.status_code == 406
    assert "folder NOT_SUPPORTED" in in_folder.text


BAD: list[tuple[str, str | None, int]] = [
    ("", "image/jpeg", 406),
    ("", "nonsense", 400),
    ("", 'multipart/related; type="application/dicom"; transfer-syntax=x%0d%0aEvil: 1', 400),
    ("/metadata", "text/html", 406),
    ("/frames/0", None, 400),
    ("/frames/1,2,x", None, 400),
    ("/frames/" + ",".join(["1"] * 101), None, 400),
    ("/frames/1", "text/html", 406),
    ("/rendered", "text/html", 406),
    ("/rendered?viewport=1%0d%0a", None, 400),
    ("/rendered?window=a", None, 400),
    ("/rendered?url=http://evil.example/", None, 400),
    ("/bulk/%2e%2e/%2e%2e/system", None, 400),
    ("/bulk/a%3fb", None, 400),
    ("/bulk/a%20b", None, 400),
    ("/bulk/" + "a" * 300, None, 400),
]


@pytest.mark.parametrize(("path", "accept", "status"), BAD)
async def test_what_is_refused(home: Federated, path: str, accept: str | None, status: int) -> None:
    uids = next(iter(held(SPLIT)))
    answer = await home.client().get(path_of(uids) + path, headers={"accept": accept} if accept else {})
    assert (answer.status_code, set(answer.json())) == (status, {"errors"})
    assert "evil" not in answer.text.lower()


@pytest.mark.parametrize("uid", ["1.2.3", "a*b", "1.2.3%0d%0a", "..%5c..", "x" * 200, "%00"])
async def test_uids_that_name_nothing(home: Federated, uid: str) -> None:
    asking = home.client()
    for path in ("", "/metadata", "/rendered", f"/series/{uid}", f"/series/{uid}/instances/{uid}/frames/1"):
        answer = await asking.get(f"/dicom-web/studies/{uid}{path}")
        assert answer.status_code in (400, 404), answer.text


async def test_a_syntax_that_is_asked_for(home: Federated) -> None:
    """That one or nothing: what the archive transcodes is taken, unless it made another instance of it."""
    asking = home.client()
    rle = next(uids for uids, content in held().items() if _syntax(content) == "1.2.840.10008.1.2.5")
    explicit = f"{DICOM.partition('; transfer')[0]}; transfer-syntax=1.2.840.10008.1.2.1"
    ((media_type, content),) = parts_of(await asking.get(path_of(rle), headers={"accept": explicit}))
    assert media_type == "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"
    assert _uids(content) == rle
    lossy = explicit.replace("1.2.1", "1.2.4.50").replace("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.50")
    assert (await asking.get(path_of(rle), headers={"accept": lossy})).status_code in (406, 503)
    folder = next(iter(held(IN_FOLDER)))
    assert (await asking.get(path_of(folder), headers={"accept": lossy})).status_code == 406
    jp2 = next(uids for uids, each in held().items() if _syntax(each) == "1.2.840.10008.1.2.4.91")
    for _ in range(8):  # that it cannot decode this one does not make it sick
        assert (await asking.get(path_of(jp2), headers={"accept": explicit})).status_code == 406
    assert len(parts_of(await asking.get(path_of(jp2)))) == 1


def _syntax(content: bytes) -> str:
    head = head_of(content, is_whole=True)
    return head.transfer_syntax if head else ""


async def test_pseudonyms_in_both_directions(home: Federated) -> None:
    """UIDs of searches open the metadata, whose UIDs are found by searches; pixels and real UIDs are not for them."""
    viewer = grants(eye=AccessLevel.PSEUDONYMISED, rnd=AccessLevel.PSEUDONYMISED)
    asking = home.client(viewer)
    rows = (await asking.get("/dicom-web/studies")).json()
    assert len(rows) > 10
    for row in rows:
        study = row["0020000D"]["Value"][0]
        answer = await asking.get(f"{path_of([study])}/metadata")
        data_sets = answer.json()
        assert len(data_sets) == row["00201208"]["Value"][0]
        assert row["00100020"].get("Value") in [each.get("00100020", {}).get("Value") for each in data_sets]
        for data_set in data_sets:
            uids = _key(data_set)
            assert uids[0] == study
            assert "BulkDataURI" not in str(data_set)
            listed = (await asking.get(f"{path_of(uids[:2])}/instances?SOPInstanceUID={uids[2]}")).json()
            assert [_key(each) for each in listed] == [uids]
        (one,) = (await asking.get(f"{path_of(uids)}/metadata")).json()
        assert one == data_sets[-1]
        for path in ("", "/rendered", "/thumbnail"):
            refused = await asking.get(path_of([study]) + path)
            assert (refused.status_code, "access `full`" in refused.text) == (403, True)
        for path in ("", "/frames/1", "/frames/1/rendered", "/bulk/7fe00010", "/rendered"):
            assert (await asking.get(path_of(uids) + path)).status_code == 403
        for word in (b"Doe", b"Somewhere", b"CompressedSamples", b"127.0.0.1"):
            assert word not in answer.content
    for study in {uids[0] for uids in held()}:
        for path in ("", "/metadata"):
            assert (await asking.get(path_of([study]) + path)).status_code == 404


async def test_nothing_for_counts_nor_for_others(home: Federated) -> None:
    """To the letter what is answered where there is nothing."""
    people = (grants(eye=AccessLevel.COUNTS, rnd=AccessLevel.COUNTS), grants(rnd=AccessLevel.FULL), grants())
    hidden = [next(iter(held(SPLIT))), next(iter(held(CYRILLIC)))]
    for person in people:
        asking = home.client(person)
        for uids in hidden:
            for path in ("", "/metadata", "/rendered", "/thumbnail"):
                for depth in (1, 2, 3):
                    there = await asking.get(path_of(uids[:depth]) + path)
                    absent = await asking.get(path_of(("1.2.3", "1.2.3.4", "1.2.3.4.5")[:depth]) + path)
                    assert (there.status_code, there.content) == (404, absent.content)
    part = parts_of(await home.client(grants(rnd=AccessLevel.FULL)).get(path_of([PARTED])))
    assert {content for _, content in part} == {each for each in of_folder() if _uids(each)[0] == PARTED}


async def test_lines_of_the_audit_trail(home: Federated, log: AuditLog) -> None:  # noqa: F811
    asking = home.client(audit=log)
    await asking.get(path_of([IN_FOLDER]), headers={"x-purpose-of-use": "TREAT"})
    await asking.get(path_of(["1.2.3"]))
    await asking.get(f"{path_of(next(iter(held(IN_FOLDER))))}/frames/0")
    await log.close()
    said = [line.said async for line in lines(log._database)]
    assert [(line["endpoint"], line["outcome"], line["studies"]) for line in said] == [
        ("/dicom-web/studies/{study}", "OK", 1),
        ("/dicom-web/studies/{study}", "OK", 0),
        ("/dicom-web/studies/{study}/series/{series}/instances/{instance}/frames/{frames}", "BAD_REQUEST", 0),
    ]
    assert (said[0]["archives"], said[0]["purpose"]) == (["folder"], "TREAT")
    assert event_of(said[0]["endpoint"])[1] == "DICOM Instances Transferred"
    assert event_of("/archives/{code}/dicom-web/studies/{study}/series")[1] == "Query"


async def test_archives_say_what_wanted_means(home: Federated) -> None:
    """A client of archives gives a Begin before each content, and nothing for what it does not have."""
    for client in home.archives:
        assert isinstance(client, Retrieving)
        events = client.retrieve(WantedObject((DOUBLED,), (DICOM, "*/*")))
        found = [event async for event in events]
        assert [type(event).__name__ for event in found] == ["Begin", "bytes"]


async def test_pieces_count_as_less_than_a_request(home: Federated) -> None:
    """A viewer asks frame by frame: a series of some hundred images is not too many requests."""
    weights: list[float] = []

    def limiter(_who: str, weight: float) -> float:
        weights.append(weight)
        return 0

    of_instance = f"/dicom-web/studies/{IN_FOLDER}/series/{IN_FOLDER}.1/instances/{IN_FOLDER}.1.1"
    async with home.client(limiter=limiter) as client:
        for path in (
            of_instance,
            f"{of_instance}/metadata",
            f"{of_instance}/frames/1",
            f"{of_instance}/rendered",
        ):
            await client.get(path)
    assert weights == [1, 1, 0.05, 1]
