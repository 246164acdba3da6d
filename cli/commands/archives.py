"""`ernfed archives`: list those that there are, check that each answers, probe what each can do.

Exit status: 0 all is well, 1 an archive is down or does not answer right, 2 the file or the command is wrong.
"""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.markup import escape
from rich.table import Table

from archives.client import ArchiveClient, Health
from archives.errors import ArchiveError
from archives.registry import open_archives
from cli.commands import archives_changes
from cli.commands.archives_known import FILE, KnownArchives, known_archives
from cli.runner import run_until_stopped
from cli.tables import console, table
from config.access_file import load_access_rules
from config.archives_file import ArchiveConfig, load_archives
from config.attributes_file import load_declared
from config.settings import load_settings
from model.errors import OperatorError

T = TypeVar("T")

app = typer.Typer(
    no_args_is_help=True,
    help="The archives, of archives.toml and added over the API: list, check, probe; switch, remove.",
)
for _change in (archives_changes.enable, archives_changes.disable, archives_changes.remove):
    app.command()(_change)

ArchivesFile = Annotated[
    Path | None,
    typer.Option(
        "--archives", help="Path of archives.toml.", envvar="ERNFED_ARCHIVES", show_default="archives.toml"
    ),
]
Codes = Annotated[list[str] | None, typer.Argument(help="Codes of archives; all when none is given.")]

_COLOURS = {"UP": "green", "DEGRADED": "yellow", "DOWN": "red"}


@app.command("list")
def list_archives(archives: ArchivesFile = None) -> None:
    """Show the archives of the file and those that were added over the API; asks none of them."""
    shown = table("code", "ERN", "kind", "where", "index", "sync", "from", "title")
    for each in _known(archives):
        config = each.config
        where = str(config.path) if config.kind == "folder" else config.url or ""
        cells = (config.code, config.ern, config.kind, where, config.index, _duration(config.sync_every))
        origin = f"{each.origin}, off" if each.off else each.origin
        shown.add_row(*map(escape, (*cells, origin, config.title)))
    console().print(shown)


@app.command()
def check(codes: Codes = None, archives: ArchivesFile = None) -> None:
    """Check the file, then ask each archive whether it answers. Exit status 1 when one does not."""
    configs = _chosen(_known(archives), codes)
    results = asyncio.run(_of_each(configs, lambda client: client.health()))
    shown = table("code", "state", "latency", "problem")
    for config, health in zip(configs, results, strict=True):
        colour = _COLOURS.get(health.state, "white")
        latency = "" if health.latency_ms is None else f"{health.latency_ms:.0f} ms"
        shown.add_row(escape(config.code), f"[{colour}]{health.state}[/]", latency, escape(_problem(health)))
    console().print(shown)
    failed = [config.code for config, health in zip(configs, results, strict=True) if health.state != "UP"]
    if failed:
        _complain(f"{len(failed)} of {len(configs)} archives are not well: {', '.join(failed)}")
        raise typer.Exit(1)


@app.command()
def probe(codes: Codes = None, archives: ArchivesFile = None) -> None:
    """Find out what each archive can really do: read only, about a dozen small requests each."""
    configs = _chosen(_known(archives), codes)
    results = asyncio.run(_of_each(configs, _probe_one))
    failed = []
    for config, answers in zip(configs, results, strict=True):
        found = Table("", "", box=None, show_header=False, pad_edge=False)
        if isinstance(answers, ArchiveError):
            failed.append(config.code)
            found.add_row("error", escape(f"{answers.code}: {answers.message}"))
        else:
            for name, answer in answers.items():
                found.add_row(name, escape(answer))
        screen = console()
        screen.print(f"[bold]{escape(config.code)}[/] ({config.kind})")
        screen.print(found)
    if failed:
        _complain(f"{len(failed)} of {len(configs)} archives could not be probed: {', '.join(failed)}")
        raise typer.Exit(1)


async def _probe_one(client: ArchiveClient) -> dict[str, str] | ArchiveError:
    try:
        return await client.probe()
    except ArchiveError as error:
        return error


async def _of_each(
    configs: list[ArchiveConfig], ask: Callable[[ArchiveClient], Coroutine[Any, Any, T]]
) -> list[T]:
    """The same question to all archives at once."""
    async with open_archives(configs) as clients:
        return await asyncio.gather(*(ask(client) for client in clients))


def _known(archives: Path | None) -> list[KnownArchives]:
    """The archives of a file that is right as a whole (what serves it would keep to its last good state else), and
    those of the database, where it can be read."""
    try:
        settings = load_settings(archives=archives)
        configs = load_archives(settings.archives)
        load_access_rules(settings.archives)
        load_declared(settings.archives)
    except OperatorError as error:
        _complain(str(error))
        raise typer.Exit(2) from None
    known, problem = run_until_stopped(known_archives(settings, configs))
    if problem:
        _complain(problem)
    return known


def _chosen(known: list[KnownArchives], codes: list[str] | None) -> list[ArchiveConfig]:
    """Those that are named, else all that are not switched off over the API."""
    there = {each.config.code for each in known}
    unknown = [code for code in codes or () if code not in there]
    if unknown:
        _complain(f"no archive {', '.join(unknown)}; there are: {', '.join(sorted(there))}")
        raise typer.Exit(2)
    if codes:
        return [each.config for each in known if each.config.code in codes]
    return [each.config for each in known if each.origin == FILE or not each.off]


def _problem(health: Health) -> str:
    if health.error_code is None:
        return "" if health.state == "UP" else "slow"
    return f"{health.error_code}: {health.error_message}"


def _duration(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:g}s"


def _complain(message: str) -> None:
    typer.echo(message, err=True)
