"""`ernfed migrate`: brings the database to this version's schema."""

import typer

from cli.runner import run
from cli.runtime import reachable_url
from config.settings import load_settings
from db.migrate import migrate

app = typer.Typer()


@app.callback(invoke_without_command=True)
def migrate_database() -> None:
    """Applies the migrations that the database lacks; safe to run side by side and again."""
    applied = run("migrate", _migrate())
    for name in applied:
        typer.echo(f"applied {name}")
    if not applied:
        typer.echo("up to date")


async def _migrate() -> list[str]:
    async with reachable_url(load_settings()) as url:
        return await migrate(url)
