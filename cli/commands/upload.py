"""`ernfed upload PATH… --archive CODE`: DICOM files, folders and ZIPs into an archive, through a running server."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer

from archives.client import Spooled
from archives.stow import Body, judge
from cli.commands.running_server import NotAnswered, access_token, sent
from cli.progress import UploadProgress
from cli.runner import problems_said
from cli.upload_files import DicomFile, files_below, spooled

app = typer.Typer(subcommand_metavar="", context_settings={"allow_interspersed_args": True})

AT_ONCE: Final = 100
BYTES_AT_ONCE: Final = 64 * 1024**2
"""Of one request: for each the server looks at the archive once, and the bar moves."""
_TRIES: Final = 3
_LONGEST_WAIT: Final = 60.0
_ANSWERS: Final = frozenset({200, 202, 409})
_BUSY: Final = frozenset({429, 503})
_NOT_SENT: Final = "not sent: the connection to the server broke before"
_NO_INSTANCE: Final = "no image: it does not say which study, series and instance it is"


@dataclass(slots=True)
class Fates:
    """stored: how many files. failed: name → why."""

    stored: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


@app.callback(invoke_without_command=True)
def upload(
    paths: Annotated[list[Path], typer.Argument(help="DICOM files, folders of them, ZIPs")],
    archive: Annotated[str, typer.Option(help="code of the archive that shall have them")],
    url: Annotated[str, typer.Option(help="the address of a running server")] = "http://127.0.0.1:8000",
    purpose: Annotated[str | None, typer.Option(help="HL7 purpose of use, such as TREAT")] = None,
    timeout: Annotated[float, typer.Option(help="seconds to wait for the answer to some files")] = 600.0,
    token_file: Annotated[
        Path | None, typer.Option(help="file that holds an access token, for a server that wants one")
    ] = None,
) -> None:
    """Sends every DICOM file below the paths; exit status 1 unless all of them are stored. What is none is named and
    left out. What was sent before may be sent again."""
    with problems_said("ernfed upload: "):
        files = files_below(paths)
        for name, why in (*files.left_out.items(), *files.unread.items()):
            typer.echo(f"left out: {name}: {why}", err=True)
        if not files.found:
            raise NotAnswered("there is no DICOM file below these paths.")
        address = f"{url.rstrip('/')}/archives/{quote(archive, safe='')}/dicom-web/studies"
        headers = {"X-Purpose-Of-Use": purpose} if purpose else {}
        sender = _Sender(address, timeout, headers, access_token(token_file))
        with UploadProgress(len(files.found), sum(each.size for each in files.found)) as progress:
            for batch in _batches(files.found):
                sender.send(batch)
                progress(len(batch), sum(each.size for each in batch))
    fates = sender.fates
    for name, why in fates.left_out.items():
        typer.echo(f"left out: {name}: {why}", err=True)
    for name, why in fates.failed.items():
        typer.echo(f"not stored: {name}: {why}", err=True)
    left_out = len(files.left_out) + len(files.unread) + len(fates.left_out)
    typer.echo(f"{fates.stored} stored, {len(fates.failed)} not stored, {left_out} left out")
    if fates.failed or files.unread or not fates.stored:
        raise typer.Exit(1)


def _batches(files: Sequence[DicomFile]) -> Iterator[list[DicomFile]]:
    batch: list[DicomFile] = []
    size = 0
    for each in files:
        if batch and (len(batch) == AT_ONCE or size + each.size > BYTES_AT_ONCE):
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += each.size
    if batch:
        yield batch


@dataclass(slots=True)
class _Sender:
    address: str
    timeout: float
    headers: dict[str, str]
    token: str | None
    fates: Fates = field(default_factory=Fates)
    _is_broken: bool = False

    def send(self, batch: Sequence[DicomFile]) -> None:
        """Raises NotAnswered for what is so for all files: a right that is lacking, an archive that there is not."""
        if self._is_broken:
            self.fates.failed |= dict.fromkeys((each.name for each in batch), _NOT_SENT)
            return
        with ExitStack() as until_sent:
            opened: list[tuple[str, Spooled]] = []
            for each in batch:
                try:
                    instance = spooled(until_sent.enter_context(each.open()))
                except OSError as error:
                    self.fates.failed[each.name] = f"cannot be read: {error.strerror}"
                    continue
                if instance is None:
                    self.fates.left_out[each.name] = _NO_INSTANCE
                else:
                    opened.append((each.name, instance))
            if opened:
                self._judge(opened)

    def _judge(self, opened: Sequence[tuple[str, Spooled]]) -> None:
        uids = [instance.uids[-1] for _, instance in opened]
        try:
            status, answer = self._answered([instance for _, instance in opened])
        except NotAnswered as error:
            self._is_broken = True
            self.fates.failed |= dict.fromkeys((name for name, _ in opened), str(error))
            return
        if status not in _ANSWERS:
            why = _refusal(answer)
            if status == 413 and len(opened) > 1:
                half = len(opened) // 2
                self._judge(opened[:half])
                self._judge(opened[half:])
                return
            if status == 413 or status in _BUSY:
                self.fates.failed |= dict.fromkeys((name for name, _ in opened), why)
                return
            raise NotAnswered(why)
        result = judge(answer, uids)
        stored, reasons = set(result.stored), dict(result.failed)
        for (name, _), uid in zip(opened, uids, strict=True):
            if uid in stored and uid not in reasons:
                self.fates.stored += 1
            else:
                self.fates.failed[name] = reasons.get(uid, "the server does not say")

    def _answered(self, instances: Sequence[Spooled]) -> tuple[int, Any]:
        """Of a server that is busy it is asked again, when it says so. Raises NotAnswered."""
        for number in range(_TRIES):
            body = Body(instances)
            headers = {
                **self.headers,
                "Content-Type": body.content_type,
                "Content-Length": str(len(body)),
                "Accept": "application/dicom+json",
            }
            with sent(self.address, body, self.timeout, headers, self.token) as answer:
                status, text = int(answer.status or 0), answer.read()
                wait = answer.headers.get("Retry-After", "")
            if status not in _BUSY or number == _TRIES - 1:
                break
            time.sleep(min(float(wait) if wait.isdecimal() else 1.0, _LONGEST_WAIT))
        try:
            return status, json.loads(text)
        except ValueError:
            raise NotAnswered(
                f"{self.address} answered, but not with JSON: is --url the address of ernfed?"
            ) from None


def _refusal(answer: Any) -> str:
    try:
        [error, *_] = answer["errors"]
        return f"{error['extensions']['code']}: {error['message']}"
    except (ValueError, KeyError, TypeError):
        return "the server refused, and not in words of ernfed: is --url right?"
