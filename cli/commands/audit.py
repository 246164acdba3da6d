"""`ernfed audit`: whether the audit log is whole, its export, and who saw a record."""

import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import orjson
import typer

from access.audit import AuditLine
from access.audit_dicom import audit_message
from access.audit_fhir import audit_event
from cli.runner import run
from cli.runtime import database_url_of, leave_line, opened_database
from config.networks_file import load_networks
from config.settings import load_settings
from db.audit.lines import lines, walk, who_saw_patient, who_saw_study
from db.audit.past_pseudonyms import past_pseudonyms
from model.errors import OperatorError

app = typer.Typer(no_args_is_help=True)

_DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
_Digest = Annotated[
    str | None, typer.Option(help="a head digest printed earlier: it must still be in the chain")
]
_After = Annotated[str | None, typer.Option(help="digest of the last line that retention removed")]


class AuditFormat(StrEnum):
    """What an export is written in."""

    DICOM = "dicom"
    FHIR = "fhir"


@app.command()
def verify(expect: _Digest = None, after: _After = None) -> None:
    """Walks the whole chain; exit status 1 where it breaks. Keep the printed head elsewhere for --expect."""
    run("audit", _verify(_digest("--expect", expect), _digest("--after", after)))


@app.command()
def export(
    format: Annotated[AuditFormat, typer.Option(help="dicom: PS3.15 A.5 XML; fhir: R4 AuditEvent NDJSON")],
    since: Annotated[datetime | None, typer.Option(formats=_DATES, help="UTC, inclusive")] = None,
    until: Annotated[datetime | None, typer.Option(formats=_DATES, help="UTC, exclusive")] = None,
) -> None:
    """Prints one message a line. That it was exported becomes a line of the log."""
    run("audit", _export(format, _utc(since), _utc(until)))


@app.command("who-saw")
def who_saw(
    study: Annotated[str | None, typer.Option(help="StudyInstanceUID")] = None,
    patient: Annotated[str | None, typer.Option(help="PatientID")] = None,
    issuer: Annotated[str | None, typer.Option(help="IssuerOfPatientID; without it: any")] = None,
) -> None:
    """Prints who was shown a study or a patient, also by a pseudonym. That it was asked becomes a line."""
    run("audit", _who_saw(study, patient, issuer))


async def _verify(expect: bytes | None, after: bytes | None) -> None:
    async with database_url_of(load_settings()) as url, opened_database(url) as database:
        chain = await walk(database, after=after, expect=expect)
    if chain.flaw is not None:
        raise OperatorError(f"BROKEN: {chain.flaw}. {chain.lines} lines before it are whole.")
    typer.echo(f"OK: {chain.lines} lines. Head: {chain.head.hex()}")
    if chain.anchored is not None:
        typer.echo(f"The expected digest is that of line {chain.anchored}.")


async def _export(format: AuditFormat, since: datetime | None, until: datetime | None) -> None:
    settings = load_settings()
    async with database_url_of(settings) as url, opened_database(url) as database:
        # Using the audit log is an event of its own (PS3.15 A.5.3.2).
        await leave_line(settings, url, f"ernfed audit export --format {format}")
        async for line in lines(database, since, until):
            text = (
                audit_message(line)
                if format is AuditFormat.DICOM
                else orjson.dumps(audit_event(line)).decode()
            )
            sys.stdout.write(text + "\n")


async def _who_saw(study: str | None, patient: str | None, issuer: str | None) -> None:
    if (study is None) == (patient is None):
        raise OperatorError("give either --study UID or --patient ID [--issuer ISSUER]")
    settings = load_settings()
    async with database_url_of(settings) as url, opened_database(url) as database:
        await leave_line(settings, url, "ernfed audit who-saw")
        networks = load_networks(settings.archives)
        past = await past_pseudonyms(database, settings.pseudonym_keys_file, networks)
        if study is not None:
            found = await who_saw_study(database, study, past)
        else:
            found = await who_saw_patient(database, patient or "", issuer, past)
    for line in found:
        typer.echo(_told(line))
    typer.echo(f"{len(found)} accesses", err=True)


def _told(line: AuditLine) -> str:
    said = line.said
    what = said["operation"] or f"sha256:{(said['document'] or '')[:12]}"
    words = (said["at"], said["subject"], said["purpose"] or "-", said["endpoint"], what, said["outcome"])
    return "\t".join([*words, f"line {line.number}"])


def _digest(option: str, text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != 32:
        raise typer.BadParameter(
            "a digest is 64 hexadecimal digits, as `verify` prints it", param_hint=option
        )
    return value


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None
