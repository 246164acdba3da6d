"""`ernfed migrate`: brings the database to this version's schema."""

import asyncio
from contextlib import AsyncExitStack

import typer

from cli.runtime import database_url_of
from config.settings import Settings, SettingsError, load_settings
from db.embedded.postgres import EmbeddedPostgresError
from db.migrate import MigrationError, migrate
from db.pool import Database, DatabaseUnreachable

app = typer.Typer()


@app.callback(invoke_without_command=True)
def migrate_database() -> None:
    """Applies the migrations that the database lacks; safe to run side by side and again."""
    try:
        applied = asyncio.run(_migrate(load_settings()))
    except (SettingsError, EmbeddedPostgresError, MigrationError, DatabaseUnreachable) as error:
        typer.echo(f"ernfed migrate: {error}", err=True)
        raise typer.Exit(1) from None
    for name in applied:
        typer.echo(f"applied {name}")
    if not applied:
        typer.echo("up to date")


async def _migrate(settings: Settings) -> list[str]:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(database_url_of(settings))
        # Says in words why a database cannot be reached.
        database = await Database.open(url)
        stack.push_async_callback(database.close)
        return await migrate(url)
