"""`ernfed upload`: files, folders and ZIPs through a real server into a real archive; bombs, tricks and refusals."""

import asyncio
import contextlib
import os
import re
import socket
import threading
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import upload_files
from cli.commands.upload import app
from tests.api.dicomweb.federated import Federated
from tests.api.dicomweb.test_retrieving import DICOM, parts_of, path_of
from tests.api.dicomweb.test_storing import UPLOADER, own, own_configs, own_orthanc, own_url  # noqa: F401
from tests.archives.faulty import Behaviour, Exchange, faulty
from tests.archives.files import ROOT, instance

runner = CliRunner()
NEW = f"{ROOT}.81"


def upload(url: str, *paths: Path, archive: str = "orthanc", **options: str) -> Result:
    more = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    return runner.invoke(app, [*map(str, paths), "--archive", archive, "--url", url, *more])


def zipped(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


@pytest.mark.orthanc
async def test_folders_and_zips_to_the_byte(own: Federated, tmp_path: Path) -> None:  # noqa: F811
    study = f"{NEW}.1"
    files = [instance(study, 1, number) for number in range(1, 31)]
    folder = tmp_path / "images"
    (folder / "deeper").mkdir(parents=True)
    for number, content in enumerate(files[:25]):
        (folder / ("deeper" if number % 2 else ".") / f"{number}").write_bytes(content)
    (folder / "README.txt").write_text("no image", encoding="utf-8")
    (folder / "loop").symlink_to(folder)
    (folder / "link").symlink_to("/etc/passwd")
    tricky = {
        "../../../out.dcm": files[25],
        "/abs\x1b[31m.dcm": files[26],
        "a.txt": b"no",
        "in.zip": b"PK\3\4",
    }
    pack = zipped(
        tmp_path / "pack.zip", tricky | {f"{n}.dcm": files[n] for n in (27, 28, 29)} | {"again": files[0]}
    )
    async with own.served(UPLOADER) as url:
        told = await asyncio.to_thread(upload, url, folder, pack)
        assert told.exit_code == 0, told.output
        assert "31 stored, 0 not stored, 4 left out" in told.output
        again = await asyncio.to_thread(upload, url, folder / "0")
        assert (again.exit_code, "1 stored" in again.output) == (0, True)
        denied = await asyncio.to_thread(upload, url, folder / "0", archive="nowhere")
        assert (denied.exit_code, "NOT_FOUND" in denied.output) == (1, True)
    assert "\x1b" not in told.output
    assert not list(tmp_path.parent.glob("out.dcm"))
    assert sorted(os.listdir(tmp_path)) == ["images", "pack.zip"]
    parts = parts_of(await own.client(UPLOADER).get(path_of((study,)), headers={"Accept": DICOM}))
    assert sorted(content for _, content in parts) == sorted(files)


@contextlib.contextmanager
def answering(*answers: Behaviour) -> Iterator[tuple[str, list[int]]]:
    """The URL of a server that gives one after the other, the last for ever; bytes of what it was sent."""
    sizes: list[int] = []

    def behave(exchange: Exchange) -> None:
        sizes.append(len(exchange.body))
        answers[min(len(sizes), len(answers)) - 1](exchange)

    with faulty(behave) as server:
        yield server.url.removesuffix("/dicom-web"), sizes


def stows(stored: Sequence[str], failed: dict[str, int], status: int = 202) -> Behaviour:
    def item(uid: str, reason: int | None = None) -> str:
        code = "" if reason is None else f',"00081197":{{"vr":"US","Value":[{reason}]}}'
        return f'{{"00081155":{{"vr":"UI","Value":["{uid}"]}}{code}}}'

    body = (
        f'{{"00081199":{{"vr":"SQ","Value":[{",".join(map(item, stored))}]}},'
        f'"00081198":{{"vr":"SQ","Value":[{",".join(item(*each) for each in failed.items())}]}}}}'
    )
    return lambda exchange: exchange.reply(status, body.encode())


@pytest.fixture
def three(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{number}.dcm" for number in (1, 2, 3)]
    for number, path in enumerate(paths, 1):
        path.write_bytes(instance(NEW, 1, number))
    return paths


def test_a_summary_by_file(three: list[Path]) -> None:
    with answering(stows([f"{NEW}.1.1"], {f"{NEW}.1.2": 0xC122})) as (url, _):
        told = upload(url, *three)
    assert told.exit_code == 1
    assert f"not stored: {three[1]}: transfer syntax not supported (0xC122)" in told.output
    assert f"not stored: {three[2]}: refused without a reason" in told.output
    assert "1 stored, 2 not stored, 0 left out" in told.output


def test_a_busy_server_is_asked_again(three: list[Path]) -> None:
    refusal = b'{"errors":[{"message":"m","extensions":{"code":"RATE_LIMITED"}}]}'

    def busy(exchange: Exchange) -> None:
        exchange.reply(429, refusal, **{"Retry-After": "0"})

    with answering(busy, stows([f"{NEW}.1.1"], {}, 200)) as (url, sizes):
        assert upload(url, three[0]).exit_code == 0
        assert len(sizes) == 2
        assert sizes[0] == sizes[1]
    with answering(busy) as (url, sizes):
        told = upload(url, three[0])
        assert (told.exit_code, len(sizes)) == (1, 3)
        assert "RATE_LIMITED: m" in told.output


def test_a_connection_that_breaks(three: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.commands.upload.AT_ONCE", 1)
    with answering(stows([f"{NEW}.1.1"], {}, 200), lambda exchange: exchange.reset()) as (url, sizes):
        told = upload(url, *three)
    assert told.exit_code == 1
    assert len(sizes) == 2
    assert "1 stored, 2 not stored, 0 left out" in told.output
    assert f"not stored: {three[2]}: not sent" in told.output


@pytest.mark.parametrize("status", [401, 403, 404, 415, 501])
def test_a_refusal_ends_it(three: list[Path], status: int) -> None:
    body = b'{"errors":[{"message":"Say who you are.","extensions":{"code":"NO"}}]}'
    with answering(lambda exchange: exchange.reply(status, body)) as (url, sizes):
        told = upload(url, *three)
    assert (told.exit_code, len(sizes)) == (1, 1)
    assert "NO: Say who you are." in told.output


def test_what_is_too_large_at_once_is_sent_in_halves(three: list[Path]) -> None:
    body = b'{"errors":[{"message":"m","extensions":{"code":"PAYLOAD_TOO_LARGE"}}]}'

    def behave(exchange: Exchange) -> None:
        uids = [f"{NEW}.1.{number}" for number in (1, 2, 3) if f"{NEW}.1.{number}".encode() in exchange.body]
        if len(uids) > 1 or uids == [f"{NEW}.1.2"]:
            exchange.reply(413, body)
        else:
            stows(uids, {}, 200)(exchange)

    with answering(behave) as (url, sizes):
        told = upload(url, *three)
    assert (told.exit_code, len(sizes)) == (1, 5)
    assert f"not stored: {three[1]}: PAYLOAD_TOO_LARGE: m" in told.output
    assert "2 stored, 1 not stored" in told.output


def test_nothing_to_send(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x", encoding="utf-8")
    for path, words in ((tmp_path, "no DICOM file below"), (tmp_path / "none", "is not there")):
        told = upload("http://127.0.0.1:1", path)
        assert (told.exit_code, words in told.output) == (1, True), told.output


def test_zips_that_mean_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_files, "MAX_UNPACKED", 50_000_000)
    monkeypatch.setattr(upload_files, "MAX_ENTRIES", 100)
    bomb = zipped(tmp_path / "bomb.zip", {"a": bytes(60_000_000)})
    zipped(tmp_path / "many.zip", {str(number): b"" for number in range(101)})
    assert bomb.stat().st_size < 100_000
    good = instance(NEW, 1, 1)
    broken = zipped(tmp_path / "broken.zip", {"a.dcm": good, "b.dcm": instance(NEW, 1, 2)})
    whole = broken.read_bytes()
    broken.write_bytes(whole[:30] + b"\xff" * 200 + whole[230:])
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    os.mkfifo(tmp_path / "pipe")
    files = upload_files.files_below([tmp_path])
    assert [each.name.rpartition(":")[2] for each in files.found] == ["b.dcm"]
    assert {Path(name.partition(".zip")[0]).name for name in files.unread} == {"bomb", "many", "broken"}
    assert {Path(name).name for name in files.left_out} == {"cut.zip", "pipe"}


def test_an_entry_that_lies_about_its_size(tmp_path: Path) -> None:
    """No more than it says is unpacked, and then it is not stored."""
    path = zipped(tmp_path / "lies.zip", {"a.dcm": instance(NEW, 1, 1) + bytes(1_000_000)})
    size = len(instance(NEW, 1, 1)) + 1_000_000
    content = path.read_bytes()
    path.write_bytes(content.replace(size.to_bytes(4, "little"), (5_000).to_bytes(4, "little")))
    with answering(stows([], {})) as (url, sizes):
        told = upload(url, path)
    assert (told.exit_code, sizes) == (1, [])
    assert re.search(r"not stored: .*lies\.zip:a\.dcm: cannot be read: broken in its ZIP", told.output)


def test_no_instance(tmp_path: Path) -> None:
    (tmp_path / "DICOMDIR").write_bytes(bytes(128) + b"DICM" + bytes(500))
    with answering(stows([], {})) as (url, sizes):
        told = upload(url, tmp_path)
    assert (told.exit_code, sizes) == (1, [])
    assert "0 stored, 0 not stored, 1 left out" in told.output


def test_a_refusal_before_all_was_sent_is_heard(tmp_path: Path) -> None:
    large = tmp_path / "large.dcm"
    large.write_bytes(instance(NEW, 1, 1) + bytes(8_000_000))

    def refuse(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(10)  # what is not read resets the connection
            body = b'{"errors":[{"message":"no","extensions":{"code":"FORBIDDEN"}}]}'
            head = f"HTTP/1.1 403 No\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=refuse, args=(listener,))
        server.start()
        told = upload(f"http://127.0.0.1:{listener.getsockname()[1]}", large)
        server.join()
    assert told.exit_code == 1
    assert "FORBIDDEN: no" in told.output
