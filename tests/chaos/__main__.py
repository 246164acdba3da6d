"""`python -m tests.chaos --seconds 120`: the whole chaos, on an embedded Postgres, and its figures."""

import asyncio
import random
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from db.embedded.postgres import EmbeddedPostgres
from tests.chaos.run import run_chaos


def main(
    seconds: Annotated[float, typer.Option(help="how long to change, stop and kill")] = 120.0,
    seed: Annotated[int | None, typer.Option(help="of the random choices; any when not given")] = None,
    deletions: Annotated[int, typer.Option(help="deletions whose time is taken at the end")] = 20,
    keep: Annotated[Path | None, typer.Option(help="folder for archives and logs, kept afterwards")] = None,
) -> None:
    """Exit status 0 when the index equals the archives at the end."""
    chosen = random.randrange(10**6) if seed is None else seed
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="ernfed-chaos-") as made:
        Path(made).chmod(0o755)
        folder = keep or Path(made)
        folder.mkdir(exist_ok=True)
        with EmbeddedPostgres(folder / "postgres") as url:
            report = asyncio.run(run_chaos(folder, url, seconds, chosen, deletions))
    typer.echo(str(report))
    if report.differing or report.events[1] or report.total[0] != report.total[1]:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
