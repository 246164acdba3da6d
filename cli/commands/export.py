"""`ernfed export studies|series|instances`: a whole list from a running server into a file, or to standard output."""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from cli.commands.running_server import NotAnswered, access_token, json_object, posted
from cli.runner import problems_said

app = typer.Typer(subcommand_metavar="", context_settings={"allow_interspersed_args": True})

_PIECE = 64 * 1024  # an export may be larger than the memory


class What(StrEnum):
    """What can be exported."""

    STUDIES = "studies"
    SERIES = "series"
    INSTANCES = "instances"


class ExportFormat(StrEnum):
    """The format of the file."""

    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"


@app.callback(invoke_without_command=True)
def export(
    what: Annotated[What, typer.Argument(help="studies, series or instances")],
    format: Annotated[
        ExportFormat, typer.Option(help="csv, ndjson (a JSON object a line) or parquet")
    ] = ExportFormat.CSV,
    filter: Annotated[
        str, typer.Option(help="a StudyFilter, SeriesFilter or InstanceFilter, as a JSON object")
    ] = "{}",
    cohort: Annotated[str | None, typer.Option(help="only what is in this cohort, or version of one")] = None,
    archive: Annotated[list[str] | None, typer.Option(help="only this archive; may be repeated")] = None,
    attribute: Annotated[
        list[str] | None, typer.Option(help="a further column: keyword, tag or path; may be repeated")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="only this column, in this place; may be repeated")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="the file; standard output by default")] = None,
    purpose: Annotated[str | None, typer.Option(help="HL7 purpose of use, such as HRESCH")] = None,
    url: Annotated[str, typer.Option(help="the address of a running server")] = "http://127.0.0.1:8000",
    timeout: Annotated[float, typer.Option(help="seconds to wait for the next piece")] = 60.0,
    token_file: Annotated[
        Path | None, typer.Option(help="file that holds an access token, for a server that wants one")
    ] = None,
) -> None:
    """Writes all that matches; exit status 1 when something is missing, which it names."""
    with problems_said("ernfed export: "):
        body = {
            "filter": json_object("--filter", filter, '{"patientSex": {"eq": "F"}}'),
            "archives": archive or None,
            "attributes": attribute or [],
            **({"columns": column} if column else {}),
            **({"cohort": cohort} if cohort else {}),
        }
        address = f"{url.rstrip('/')}/export/{what}.{format}"
        headers = {"X-Purpose-Of-Use": purpose} if purpose else {}
        with posted(address, body, timeout, headers, access_token(token_file)) as answer:
            if answer.status != 200:
                raise NotAnswered(_refusal(answer.read()))
            with _written(output) as file:
                shutil.copyfileobj(answer, file, _PIECE)
    _say(what, answer.headers)


@contextmanager
def _written(output: Path | None) -> Iterator[IO[bytes]]:
    """A part of a file never has the file's name."""
    if output is None:
        yield sys.stdout.buffer
        return
    part = output.with_name(f"{output.name}.part")
    try:
        file = part.open("wb")
    except OSError as error:
        raise NotAnswered(f"--output {output} cannot be written: {error.strerror}") from None
    try:
        with file:
            yield file
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)


def _refusal(body: bytes) -> str:
    try:
        [error, *_] = json.loads(body)["errors"]
        return f"{error['extensions']['code']}: {error['message']}"
    except (ValueError, KeyError, TypeError):
        return "the server refused, and not in words of ernfed: is --url right?"


def _say(what: str, told: Any) -> None:
    typer.echo(f"{told['X-Ernfed-Total-Count']} {what}", err=True)
    if told["X-Ernfed-Complete"] != "true":
        typer.echo(f"not complete: {told['X-Ernfed-Sources']}", err=True)
        raise typer.Exit(1)
