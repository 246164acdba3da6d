"""`ernfed demo`: everything on this machine, in order, and all of it gone at the end. Pieces: cli/demo/."""

import contextlib
import os
import socket
import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from api.logging import configure_logging
from api.server import listen
from cli.demo import service
from cli.demo.alone import alone_in
from cli.demo.archives import DemoArchives
from cli.demo.orthanc import HOW_TO_GET, OrthancError, find_orthanc
from cli.demo.people import demo_issuer
from cli.demo.samples import ARCHIVES
from cli.demo.signals import Signals, signals_stop
from cli.demo.words import Words
from cli.runner import Stopped
from cli.viewer_build import ViewerNotBuilt, build_viewer
from config.settings import Settings
from config.viewer import DEFAULT_FOLDER, viewer_folder
from db.embedded.postgres import EmbeddedPostgres
from model.errors import OperatorError

app = typer.Typer(subcommand_metavar="")

_DATA_DIR = Path(__file__).parents[2] / ".ernfed" / "demo"


@app.callback(invoke_without_command=True)
def demo(
    port: Annotated[int, typer.Option(min=0, max=65535, help="port to serve on; 0 takes a free one")] = 8000,
    data_dir: Annotated[
        Path, typer.Option(help="where database, archives and samples are kept (about 300 MB)")
    ] = _DATA_DIR,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="open the explorer")] = True,
    orthanc: Annotated[
        bool | None,
        typer.Option(
            "--orthanc/--no-orthanc", help="real Orthanc servers, or folders of files; unset: what is there"
        ),
    ] = None,
    people: Annotated[
        bool,
        typer.Option("--people/--no-people", help="access tokens of three people, to see what each may see"),
    ] = True,
) -> None:
    """Postgres, four sample archives, the index and the server, on this machine only. Ctrl-C ends it all."""
    words = Words()
    configure_logging("warning")  # a line a request would bury what is said here
    try:
        with signals_stop() as signals, contextlib.ExitStack() as stack:
            if orthanc and find_orthanc() is None:
                raise OrthancError(
                    f"--orthanc: Orthanc and its DICOMweb plugin are not installed: {HOW_TO_GET}"
                )
            # The port first: nothing is started when it is another's.
            listening = stack.enter_context(listen("127.0.0.1", port))
            folder = data_dir.absolute()
            stack.enter_context(alone_in(folder))
            database_url, archives = _prepare(stack, words, folder, orthanc)
            settings = service.settings_for(database_url, archives.file, folder, listening.getsockname()[1])
            with words.step("database schema") as told:
                told.append(signals.run(service.migrate_index(database_url)))
            with words.counted("index") as (progress, told):
                told += signals.run(service.index_archives(settings, progress))
            _build_viewer(signals, words, settings)
            _serve(signals, words, settings, listening, str(archives.file), browser=browser, people=people)
    except Stopped as stopped:
        words.line("stopped before it was ready")
        raise typer.Exit(int(stopped.code or 1)) from None
    except OperatorError as error:
        words.line(f"ernfed demo: {error}")
        raise typer.Exit(1) from None
    words.line("stopped")


def _prepare(
    stack: contextlib.ExitStack, words: Words, folder: Path, orthanc: bool | None
) -> tuple[str, DemoArchives]:
    """Postgres and the archives, filled; `stack` stops them. Returns the database's URL and the archives."""
    postgres = EmbeddedPostgres(folder)
    with words.step("Postgres"):
        stack.callback(postgres.stop)
        database_url = postgres.start()
    archives = stack.enter_context(DemoArchives(folder, orthanc=orthanc))
    with words.step(f"{len(ARCHIVES)} archives") as told:
        archives.start()
        told.append("real Orthanc servers" if archives.real else "folders of files")
    if not archives.real and orthanc is None:
        words.line(f"   (for real Orthanc servers: {HOW_TO_GET})")
    with words.counted("sample data") as (progress, told):
        loaded = archives.load(progress)
        told.append(f"{loaded.files} files")
        if loaded.refused:
            told.append(f"{len(loaded.refused)} of them refused by their archive")
        if loaded.left_out:
            told.append(f"{loaded.left_out} files of the packages left out (copies, or not valid DICOM)")
    return database_url, archives


def _build_viewer(signals: Signals, words: Words, settings: Settings) -> None:
    """Where npm is, the first time; the demo goes on without it."""
    if settings.viewer_dir is not None:
        return
    with words.step("viewer") as told:
        try:
            signals.run(build_viewer(DEFAULT_FOLDER, lambda line: words.line(f"   {line}")))
        except ViewerNotBuilt as error:
            told.append(f"none, {str(error).splitlines()[-1]}")


def _serve(
    signals: Signals,
    words: Words,
    settings: Settings,
    listening: socket.socket,
    archives_file: str,
    *,
    browser: bool,
    people: bool,
) -> None:
    """Until a signal: the normal end of a demo that serves, hence no error."""

    def ready(url: str) -> None:
        words.ready(url, archives_file, viewer=viewer_folder(settings) is not None)
        if people:
            issuer = demo_issuer(url, settings.data_dir)
            words.people(url, [(one.role, issuer.token_for(one)) for one in issuer.people])
        words.how_to_stop()
        if browser:
            _open(url)

    with contextlib.suppress(Stopped):
        signals.run(service.serve(settings, listening, ready))


def _open(url: str) -> None:
    """Only where there is a desktop: a browser in the terminal would take it over."""
    desktop = sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if desktop and sys.stdout.isatty() and os.geteuid() != 0:
        webbrowser.open(url)
