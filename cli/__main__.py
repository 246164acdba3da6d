"""`ernfed` (python -m cli): one line a command; each command's code is the module of its name."""

import contextlib
import importlib
import signal
import sys
from collections.abc import Iterator

import typer

from api.logging import configure_logging
from config.settings import SettingsError, load_settings

COMMANDS = {
    "demo": "everything on this machine: Postgres, sample archives, index, server",
    "serve": "serve the API",
    "index": "fill the index: once, watch, reconcile, status",
    "backup": "the whole database into a file",
    "restore": "a backup into an empty database",
    "migrate": "bring the database to this version's schema",
    "archives": "the archives: list, check, probe, enable, disable, remove",
    "attributes": "attributes declared in archives.toml, and their indexes: list, apply",
    "audit": "the audit log: verify, export, who-saw",
    "consent": "consents of patients: import, list",
    "pseudonyms": "pseudonymised rows: status, rotate",
    "statistics": "what statistics are answered from: verify, rebuild",
    "query": "run a GraphQL query from a file or standard input",
    "export": "all studies, series or instances that match, as CSV, lines of JSON or Parquet",
    "upload": "DICOM files, folders and ZIPs into an archive",
    "schema": "print schema.graphql",
    "viewer": "build the viewer of images, with npm",
}


def build(asked: str | None = None) -> typer.Typer:
    """The command tree; a command's module is `cli/commands/<name>.py` with a Typer called `app`.

    asked: the only command whose module is read, which takes seconds for all; of the others there are names.
    """
    root = typer.Typer(
        name="ernfed",
        help="One GraphQL API over many DICOMweb archives.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    root.callback()(_log_to_standard_error)
    for name, summary in COMMANDS.items():
        known = asked is None or asked == name
        app = importlib.import_module(f"cli.commands.{name}").app if known else typer.Typer()
        root.add_typer(app, name=name, help=summary)
    return root


def _log_to_standard_error() -> None:
    """Before any command begins: what is not configured logs to standard output, which is for what a command prints.

    Warnings only, unless a level is set; `serve` and `index watch`, whose log is read by programs, set their own.
    """
    try:
        settings = load_settings()
    except SettingsError:  # the command says so
        level = "warning"
    else:
        level = settings.log_level if "log_level" in settings.model_fields_set else "warning"
    configure_logging(level, text=True)


def main() -> None:
    """Entry point; exit status 0 only when all that was asked for was done."""
    with _dying_quietly():
        commands = build(next(iter(sys.argv[1:]), ""))
    commands(args=sys.argv[1:], prog_name="ernfed")


@contextlib.contextmanager
def _dying_quietly() -> Iterator[None]:
    """Nothing is started yet while the modules are read: Ctrl-C ends the process, without a traceback."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, before)


if __name__ == "__main__":
    main()
