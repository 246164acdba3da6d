"""`ernfed serve`: the API on a database and archives that are there already."""

from typing import Annotated

import typer

from api.logging import configure_logging
from api.server import is_loopback, listen
from cli.runner import run_service
from cli.serving import serve_on
from config.identity import provider_of
from config.settings import Settings, SettingsError, load_settings

app = typer.Typer(subcommand_metavar="")


@app.callback(invoke_without_command=True)
def serve(
    host: Annotated[
        str | None, typer.Option(help="address to listen on; loopback only (ERNFED_HOST, 127.0.0.1)")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="port to listen on; 0 takes a free one (ERNFED_PORT, 8000)")
    ] = None,
    worker: Annotated[
        bool,
        typer.Option("--worker/--no-worker", help="also work on what is due, as `ernfed index watch` does"),
    ] = False,
) -> None:
    """Serves the API until Ctrl-C or SIGTERM."""
    configure_logging("info")
    run_service("serve", _serve(host, port, worker=worker))


async def _serve(host: str | None, port: int | None, *, worker: bool) -> None:
    settings = load_settings(host=host, port=port)
    configure_logging(settings.log_level)
    refuse_strangers(settings)
    with listen(settings.host, settings.port) as sock:
        await serve_on(sock, settings, _announce, worker=worker)


def refuse_strangers(settings: Settings) -> None:
    """Raises SettingsError for an address that others can reach where nobody is asked who they are."""
    if provider_of(settings) is None and not is_loopback(settings.host):
        raise SettingsError(
            f"ERNFED_HOST: {settings.host} can be reached by others, and without ERNFED_AUTH_ISSUER everyone "
            "there would see every patient. Listen on 127.0.0.1."
        )


def _announce(url: str) -> None:
    typer.echo(f"ernfed serves {url}/ (the API: {url}/graphql). Stop it with Ctrl-C.")
