"""The demo's three calls into the rest of ernfed: migrate, index, serve."""

import socket
from collections.abc import Callable
from pathlib import Path

from api.server import url_of
from cli.demo.consents import tell_consents
from cli.demo.people import demo_issuer
from cli.runtime import opened_runtime
from cli.serving import serve_on
from config.settings import Settings, load_settings
from db.migrate import migrate
from indexer.results import RunResult
from indexer.run import index_once


def settings_for(database_url: str, archives_file: Path, data_dir: Path, port: int) -> Settings:
    """The settings of a server with this database and these archives, on loopback and for everyone there."""
    return load_settings(
        database_url=database_url, archives=archives_file, data_dir=data_dir, host="127.0.0.1", port=port
    )


async def migrate_index(database_url: str) -> str:
    """Brings the database to this version's schema; what was done, in words."""
    applied = await migrate(database_url)
    return f"{len(applied)} migrations" if applied else "up to date"


async def index_archives(settings: Settings, progress: Callable[[int, int], None]) -> list[str]:
    """One indexing run over all archives: what was done, and a line for each archive that has a problem."""
    steps: dict[str, tuple[int, int]] = {}

    def show(code: str, done: int, total: int | None, message: str) -> None:
        steps[code] = (done, total or done)
        progress(sum(step[0] for step in steps.values()), sum(step[1] for step in steps.values()))

    async with opened_runtime(settings) as runtime:
        results = await index_once(runtime.database, runtime.archives, progress=show)
        consents = await tell_consents(runtime.database)
    return [
        _summary(results),
        *([consents] if consents else []),
        *(_problem(result) for result in results if not result.all_done),
    ]


async def serve(settings: Settings, listening: socket.socket, ready: Callable[[str], None]) -> None:
    """Serves and keeps the index fresh until it is cancelled; `ready` gets the URL when requests are taken."""
    issuer = demo_issuer(url_of(listening), settings.data_dir)
    await serve_on(listening, settings, ready, issuer, worker=True)


def _summary(results: list[RunResult]) -> str:
    studies, series, instances = (
        sum(getattr(result, level) for result in results) for level in ("studies", "series", "instances")
    )
    if not studies:
        return "nothing new"
    return f"{studies} studies, {series} series, {instances} instances read"


def _problem(result: RunResult) -> str:
    return f"{result.code}: {result.error_code} {result.error_message or ''}".strip()
