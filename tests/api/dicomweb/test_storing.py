"""STOW-RS through this server into real archives: what arrived, byte for byte, is in lists at once; nobody else's."""

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any

import httpx
import pytest
from dicomweb_client import DICOMwebClient
from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian
from starlette.requests import Request
from starlette.types import Message

from access.audit_dicom import event_of, outcome_indicator
from access.scope import AccessLevel, Grant, Viewer
from api.dicomweb.spooling import CANNOT_UNDERSTAND, OTHER_STUDY, TRANSFER_SYNTAX, fill, spool
from archives.multipart import Parts
from archives.store_surely import PROCESSING_FAILURE
from archives.stow import Body, body_of
from config.archives_file import ArchiveConfig
from db.audit.lines import lines
from db.audit.log import AuditLog
from db.pool import Database
from tests.api.dicomweb.federated import EYE, RND, Federated, configs_of, index, opened
from tests.api.dicomweb.test_retrieving import DICOM, parts_of, path_of
from tests.api.export.test_endpoint import log  # noqa: F401
from tests.archives.faulty import Exchange, faulty
from tests.archives.files import ROOT, instance
from tests.orthanc import OrthancServer, running_orthanc

pytestmark = pytest.mark.orthanc
NEW = f"{ROOT}.80"
PATH = "/archives/orthanc/dicom-web/studies"
UPLOADER = Viewer(
    "uploader",
    None,
    (Grant(EYE, AccessLevel.FULL, ("full", "upload")), Grant(RND, AccessLevel.FULL, ("full", "upload"))),
)
READER = Viewer("reader", None, (Grant(EYE, AccessLevel.FULL, ("full",)),))
ELSEWHERE = Viewer("elsewhere", None, (Grant(RND, AccessLevel.FULL, ("full", "upload")),))


@pytest.fixture(scope="module")
def own_orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrthancServer]:
    with running_orthanc(tmp_path_factory.mktemp("orthanc") / "own") as server:
        yield server


@pytest.fixture(scope="module")
def own_configs(own_orthanc: OrthancServer, tmp_path_factory: pytest.TempPathFactory) -> list[ArchiveConfig]:
    return configs_of(own_orthanc.dicomweb, tmp_path_factory.mktemp("folder"))


@pytest.fixture(scope="module")
def own_url(own_configs: list[ArchiveConfig], new_database_url: Callable[[], str]) -> str:
    url = new_database_url()
    asyncio.run(index(url, own_configs))
    return url


@pytest.fixture
async def own(own_url: str, own_configs: list[ArchiveConfig]) -> AsyncIterator[Federated]:
    database = await Database.open(own_url)
    async with opened(database, own_configs) as found:
        yield found
    await database.close()


async def sent(
    client: httpx.AsyncClient, files: Sequence[bytes], path: str = PATH, **headers: str
) -> httpx.Response:
    body, kind = body_of(list(files))
    return await client.post(path, content=body, headers={"Content-Type": kind, **headers})


def named(answer: httpx.Response, tag: str) -> list[tuple[str | None, int | None]]:
    """(SOPInstanceUID, FailureReason) of a sequence."""

    def of(item: dict[str, Any], tag: str) -> Any:
        return item[tag]["Value"][0] if tag in item else None

    return [
        (of(item, "00081155"), of(item, "00081197")) for item in answer.json().get(tag, {}).get("Value", ())
    ]


STORED, FAILED, OTHERS = "00081199", "00081198", "0008119A"


async def test_to_the_byte_and_in_lists_at_once(own: Federated) -> None:
    study = f"{NEW}.1"
    files = [instance(study, series, number) for series in (1, 2) for number in range(1, 14)]
    client = own.client(UPLOADER)
    answer = await sent(client, files)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/dicom+json"
    assert "warning" not in answer.headers
    assert len(named(answer, STORED)) == 26
    assert answer.json()["00081190"]["Value"] == [f"http://ernfed.test{PATH}/{study}"]
    item = answer.json()[STORED]["Value"][0]
    assert item["00081150"]["Value"] == ["1.2.840.10008.5.1.4.1.1.2"]
    [row] = (await client.get(f"/dicom-web/studies?StudyInstanceUID={study}")).json()
    assert (row["00201206"]["Value"], row["00201208"]["Value"]) == ([2], [26])
    parts = parts_of(await client.get(path_of((study,)), headers={"Accept": DICOM}))
    assert sorted(content for _, content in parts) == sorted(files)
    one = await client.get(item["00081190"]["Value"][0], headers={"Accept": "application/dicom"})
    assert one.content in files
    again = await sent(client, [*files[:2], instance(study, 3, 1)])
    assert (again.status_code, len(named(again, STORED))) == (200, 3)
    [row] = (await client.get(f"/dicom-web/studies?StudyInstanceUID={study}")).json()
    assert row["00201208"]["Value"] == [27]


async def test_each_instance_is_judged(own: Federated) -> None:
    study = f"{NEW}.2"
    good, strange = instance(study, 1, 1), instance(f"{NEW}.3", 1, 1)
    client = own.client(UPLOADER)
    other = instance(study, 1, 1, PatientComments="another under the same UID")
    files = [good, b"no DICOM at all", strange, good, other]
    answer = await sent(client, files, f"{PATH}/{study}")
    assert answer.status_code == 202
    assert named(answer, STORED) == [(f"{study}.1.1", None)]
    assert named(answer, FAILED) == [(f"{NEW}.3.1.1", OTHER_STUDY), (f"{study}.1.1", PROCESSING_FAILURE)]
    one = await client.get(
        path_of((study, f"{study}.1", f"{study}.1.1")), headers={"Accept": "application/dicom"}
    )
    assert one.content == good
    assert named(answer, OTHERS) == [(None, CANNOT_UNDERSTAND)]
    only_bad = await sent(client, [strange], f"{PATH}/{study}")
    assert (only_bad.status_code, named(only_bad, FAILED)) == (409, [(f"{NEW}.3.1.1", OTHER_STUDY)])
    assert (await client.get(f"/dicom-web/studies?StudyInstanceUID={NEW}.3")).status_code == 204


def _in_syntax(content: bytes, uid: str) -> bytes:
    data_set = dcmread(BytesIO(content))
    data_set.file_meta.TransferSyntaxUID = uid  # type: ignore[assignment]
    written = BytesIO()
    data_set.save_as(written, enforce_file_format=False)
    return written.getvalue()


async def test_what_is_no_instance_is_not_sent(own: Federated, own_orthanc: OrthancServer) -> None:
    content = instance(f"{NEW}.4", 1, 1)
    no_syntax = content.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.9.9\0")
    assert no_syntax != content
    no_series = instance(f"{NEW}.4", 1, 2, SeriesInstanceUID="")
    deflated = _in_syntax(content, DeflatedExplicitVRLittleEndian)
    answer = await sent(own.client(UPLOADER), [no_syntax, no_series, deflated, b"", b"x" * 200])
    assert answer.status_code == 409
    assert named(answer, FAILED) == [(f"{NEW}.4.1.1", TRANSFER_SYNTAX)]
    assert len(named(answer, OTHERS)) == 4
    assert (await own.client(UPLOADER).get(f"{PATH}/{NEW}.4/series")).status_code == 204


async def test_who_may_not(own: Federated) -> None:
    file = instance(f"{NEW}.5", 1, 1, PatientID="SECRET-1", PatientName="Secret^One")
    hidden = await sent(own.client(ELSEWHERE), [file])
    nowhere = await sent(own.client(ELSEWHERE), [file], "/archives/nowhere/dicom-web/studies")
    assert hidden.status_code == nowhere.status_code == 404
    assert hidden.content == nowhere.content
    no_verb = await sent(own.client(READER), [file])
    assert (no_verb.status_code, no_verb.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")
    folder = await sent(own.client(ELSEWHERE), [file], "/archives/folder/dicom-web/studies")
    assert folder.status_code == 501
    everywhere = await sent(own.client(UPLOADER), [file], "/dicom-web/studies")
    assert everywhere.status_code == 405
    elsewhere = await sent(own.client(UPLOADER), [file], **{"Sec-Fetch-Site": "cross-site"})
    assert elsewhere.status_code == 403
    for answer in (hidden, no_verb, folder, everywhere, elsewhere):
        assert "SECRET" not in answer.text
        assert NEW not in answer.text
        assert "127.0.0.1" not in answer.text
    assert (await own.client(UPLOADER).get(f"{PATH}/{NEW}.5/series")).status_code == 204


async def test_bounds(own: Federated) -> None:
    files = [instance(f"{NEW}.6", 1, number) for number in (1, 2, 3)]
    settings = own.services.settings
    few = replace(own.services, settings=settings.model_copy(update={"upload_instances": 2}))
    small = replace(own.services, settings=settings.model_copy(update={"upload_bytes": len(files[0])}))
    short = replace(
        own.services, settings=settings.model_copy(update={"upload_instance_bytes": len(files[0]) - 1})
    )
    for services in (few, small):
        refused = await sent(Federated(services, own.archives).client(UPLOADER), files)
        assert refused.status_code == 413, refused.text
    no_length = (
        await Federated(small, own.archives)
        .client(UPLOADER)
        .post(PATH, content=_in_pieces(files), headers={"Content-Type": 'multipart/related; boundary="b"'})
    )
    assert no_length.status_code == 413
    longer = instance(f"{NEW}.6", 1, 4, PatientComments="long" * 200)
    kept = replace(
        own.services, settings=settings.model_copy(update={"upload_instance_bytes": len(files[0])})
    )
    answer = await sent(Federated(kept, own.archives).client(UPLOADER), [longer, files[0]])
    assert (named(answer, STORED), named(answer, FAILED)) == (
        [(f"{NEW}.6.1.1", None)],
        [(f"{NEW}.6.1.4", 0xA700)],
    )
    none = await sent(Federated(short, own.archives).client(UPLOADER), files)
    assert (none.status_code, len(named(none, FAILED))) == (409, 3)


async def _in_pieces(files: Sequence[bytes]) -> AsyncIterator[bytes]:
    for file in files:
        yield b"--b\r\nContent-Type: application/dicom\r\n\r\n" + file + b"\r\n"
    yield b"--b--\r\n"


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/dicom", b"x", 415),
        ("multipart/related; type=application/dicom", b"x", 415),
        ('multipart/related; type="application/dicom+json"; boundary=b', b"--b--", 415),
        ("multipart/form-data; boundary=b", b"--b--\r\n", 415),
        ("multipart/related; boundary=b", b"", 400),
        ("multipart/related; boundary=b", b"--b--\r\n", 400),
        ("multipart/related; boundary=b", b"--b\r\nContent-Type: application/dicom\r\n\r\nDICM", 400),
        ("multipart/related; boundary=b", b"--b\r\n" + b"X: y\r\n" * 10_000, 400),
    ],
)
async def test_bodies_that_are_none(own: Federated, kind: str, body: bytes, status: int) -> None:
    answer = await own.client(UPLOADER).post(PATH, content=body, headers={"Content-Type": kind})
    assert answer.status_code == status, answer.text
    xml = await sent(own.client(UPLOADER), [b"x"], Accept="application/dicom+xml")
    assert xml.status_code == 406


async def test_a_client_that_breaks_off_has_sent_nothing(own: Federated) -> None:
    file = instance(f"{NEW}.7", 1, 1)
    head = b"--b\r\nContent-Type: application/dicom\r\n\r\n"
    body = head + file + b"\r\n" + head + file[:5000]
    async with own.served(UPLOADER) as url:
        at = httpx.URL(url)
        _reader, writer = await asyncio.open_connection(at.host, at.port)
        writer.write(
            f"POST {PATH} HTTP/1.1\r\nHost: {at.host}\r\nContent-Length: {len(body) * 2}\r\n"
            'Content-Type: multipart/related; type="application/dicom"; boundary=b\r\n\r\n'.encode()
            + body
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    assert (await own.client(UPLOADER).get(f"{PATH}/{NEW}.7/series")).status_code == 204


async def test_lines_of_the_audit_trail(own: Federated, log: AuditLog) -> None:  # noqa: F811
    file = instance(f"{NEW}.8", 1, 1, PatientID="AUDITED")
    assert (await sent(own.client(UPLOADER, audit=log), [file, b"x" * 200])).status_code == 202
    assert (await sent(own.client(READER, audit=log), [file])).status_code == 403
    await log._queue.join()  # nobody waits for the line of a refusal
    said = [line.said async for line in lines(log._database)]
    found = [
        (one["subject"], one["outcome"], one["studies"], one["patients"], one["archives"]) for one in said
    ]
    assert found == [
        ("uploader", "BEGUN", 1, 1, ["orthanc"]),
        ("uploader", "PARTIAL", 1, 1, ["orthanc"]),
        ("anonymous", "FORBIDDEN", 0, 0, []),
    ]
    assert {one["endpoint"] for one in said} == {"POST /archives/{code}/dicom-web/studies"}
    assert event_of(said[0]["endpoint"]) == ("110107", "Import", "C")
    assert outcome_indicator("BEGUN") == "0"
    assert "AUDITED" not in json.dumps(said)


async def test_an_archive_that_fails(own: Federated, own_url: str, own_configs: list[ArchiveConfig]) -> None:
    """409 with the reason in a header, and its own words are not passed on; left alone: 503."""
    file = instance(f"{NEW}.9", 1, 1)

    def refuses(exchange: Exchange) -> None:
        if exchange.method == "POST":
            exchange.reply(409, b"Doe^Jane is locked at 10.0.0.1", "text/plain", Warning='299 x "Doe^Jane"')
        else:
            exchange.rows([])

    with faulty(refuses) as server:
        configs = [replace(own_configs[0], kind="dicomweb", url=server.url), own_configs[1]]
        database = await Database.open(own_url)
        async with opened(database, configs) as federated:
            client = federated.client(UPLOADER)
            answer = await sent(client, [file])
            assert (answer.status_code, named(answer, FAILED)) == (
                409,
                [(f"{NEW}.9.1.1", PROCESSING_FAILURE)],
            )
            assert "Doe" not in answer.text + str(answer.headers)
        await database.close()
    with faulty(lambda exchange: exchange.reply(503)) as server:
        configs = [replace(own_configs[0], kind="dicomweb", url=server.url), own_configs[1]]
        database = await Database.open(own_url)
        async with opened(database, configs) as federated:
            client = federated.client(UPLOADER)
            statuses = [(await sent(client, [file])).status_code for _ in range(8)]
            assert (statuses[0], statuses[-1]) == (409, 503)
        await database.close()


async def test_a_pseudonymised_viewer_learns_nothing_by_sending(
    own_url: str, own_configs: list[ArchiveConfig]
) -> None:
    """What the archive does not name, and has, is said to be there to who sees it as stored only."""
    study = f"{NEW}.10"
    row = {"0020000D": study, "0020000E": f"{study}.1", "00080018": f"{study}.1.1"}

    def silent(exchange: Exchange) -> None:
        if exchange.method == "POST":
            exchange.reply(202)
        else:
            exchange.rows([{tag: {"vr": "UI", "Value": [uid]} for tag, uid in row.items()}])

    statuses = []
    with faulty(silent) as server:
        configs = [replace(own_configs[0], kind="dicomweb", url=server.url), own_configs[1]]
        for access in (AccessLevel.FULL, AccessLevel.PSEUDONYMISED, AccessLevel.COUNTS):
            database = await Database.open(own_url)
            async with opened(database, configs) as federated:
                viewer = Viewer("some", None, (Grant(EYE, access, ("upload",)),))
                statuses.append((await sent(federated.client(viewer), [instance(study, 1, 1)])).status_code)
            await database.close()
    assert statuses[0] in (200, 202)
    assert statuses[1:] == [409, 409]


async def test_an_upload_takes_no_memory(own: Federated) -> None:
    """64 MB in one instance, between two that it does not spoil."""
    small, piece, size = instance(f"{NEW}.11", 1, 1), bytes(64 * 1024), 64 * 1024**2
    head = b"--b\r\nContent-Type: application/dicom\r\n\r\n"
    large = instance(f"{NEW}.11", 1, 2)
    pieces = [head + small + b"\r\n" + head + large, *[piece] * (size // len(piece))]
    pieces += [b"\r\n" + head + instance(f"{NEW}.11", 1, 3) + b"\r\n--b--\r\n"]
    waiting = iter(pieces)

    async def receive() -> Message:
        part = next(waiting, None)
        return {"type": "http.request", "body": part or b"", "more_body": part is not None}

    request = Request({"type": "http", "method": "POST", "headers": []}, receive)
    with spool(own.services.settings, None) as found:
        tracemalloc.start()
        await fill(found, request, Parts("b"))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert [each.size for each in found.instances] == [len(small), len(large) + size, len(small)]
        body = Body(found.instances)
        assert len(body) > size
        first = body.read(100_000)
        assert small in first
        while read := body.read(1024**2):
            assert len(read) <= 1024**2
    assert most < 24 * 1024**2


async def test_dicomweb_client(own: Federated) -> None:
    study = f"{NEW}.12"
    files = [dcmread(BytesIO(instance(study, 1, number))) for number in (1, 2)]
    async with own.served(UPLOADER) as url:
        web = DICOMwebClient(f"{url}/archives/orthanc/dicom-web")
        told = await asyncio.to_thread(web.store_instances, files, study)
        found = await asyncio.to_thread(web.search_for_instances, study)
    assert [item.ReferencedSOPInstanceUID for item in told.ReferencedSOPSequence] == [
        f"{study}.1.1",
        f"{study}.1.2",
    ]
    assert told.RetrieveURL.endswith(f"{PATH}/{study}")  # it names the server without its port
    assert len(found) == 2
