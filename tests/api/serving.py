"""A real server over the tiny schema: `python -m tests.api.serving` prints its URL, then serves."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import typer

from api.logging import configure_logging
from api.server import listen, run_server
from cli.runner import Stopped, run_until_stopped
from tests.api.tiny import tiny_app

ROOT = Path(__file__).parents[2]


def main() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
    configure_logging("info")
    with listen("127.0.0.1", 0) as sock:
        try:
            run_until_stopped(run_server(tiny_app(), sock, started=typer.echo))
        except Stopped:
            typer.echo("stopped")
        else:
            typer.echo("ended by itself")


@contextlib.contextmanager
def serving() -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """URL and process of a server that is there for the block. Its log is in `process.stderr`."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.api.serving"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process
        finally:
            if process.poll() is None:
                process.terminate()


if __name__ == "__main__":
    main()
