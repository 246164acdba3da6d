"""Running a command until a signal ends it, and saying why it ends.

What is to be closed stands in `async with` or `finally`.
"""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import structlog
import typer
import uvloop

from model.errors import OperatorError

T = TypeVar("T")

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_log = structlog.get_logger(__name__)


class WrongUse(OperatorError):
    """The command line asks for what there is not."""


class Stopped(SystemExit):
    """A signal asks to end. Who is stopped has not done what was asked for: left alone it is the exit status.

    A SystemExit, because event loops swallow what is neither that nor Ctrl-C.
    """


def run(command: str, work: Coroutine[Any, Any, T], *, stopped: str | None = None) -> T:
    """The result of `work`. What an operator can mend is said, with exit status 1, or 2 for wrong use.

    stopped: what is said when a signal ends it, with exit status 130.
    """
    try:
        with problems_said(f"ernfed {command}: "):
            return run_until_stopped(work)
    except Stopped:
        if stopped is not None:
            typer.echo(f"ernfed {command}: stopped, {stopped}", err=True)
        raise


@contextmanager
def problems_said(before: str = "") -> Iterator[None]:
    """What an operator can mend ends the command, with a sentence after these words."""
    try:
        yield
    except OperatorError as error:
        typer.echo(f"{before}{error}", err=True)
        raise typer.Exit(2 if isinstance(error, WrongUse) else 1) from None


def run_service(command: str, work: Coroutine[Any, Any, None]) -> None:
    """Until a signal, which is the normal end of a service. Its standard error is a log that programs read, except
    on a terminal: so is what an operator can mend."""
    try:
        run_until_stopped(work)
    except Stopped:
        return
    except OperatorError as error:
        if sys.stderr.isatty():
            typer.echo(f"ernfed {command}: {error}", err=True)
        else:
            structlog.get_logger(f"cli.{command}").error(f"ernfed {command} ends", problem=str(error))
        raise typer.Exit(1) from None


def run_until_stopped(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`. Raises Stopped when SIGINT, SIGTERM or SIGHUP ended it instead.

    Each signal cancels the task once more: the first asks for an orderly end, a second hurries it.
    Left to themselves SIGTERM would kill the process before its children are ended, and uvicorn would
    raise both signals again after its own clean-up. A signal that is ignored (nohup) stays ignored.
    """
    before = {number: signal.getsignal(number) for number in SIGNALS}
    heeded = [number for number in SIGNALS if before[number] != signal.SIG_IGN]
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            task = runner.run(_ended(work, heeded))
    finally:
        for number in heeded:
            signal.signal(number, before[number])
    if task.cancelled():
        raise Stopped(128 + signal.SIGINT)  # as shells say it, whichever signal it was
    return task.result()


async def _ended(work: Coroutine[Any, Any, T], heeded: Sequence[signal.Signals]) -> asyncio.Task[T]:
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(work)
    for number in heeded:
        loop.add_signal_handler(number, task.cancel)
    await asyncio.wait([task])
    return task


@asynccontextmanager
async def beside(name: str, work: Coroutine[Any, Any, object]) -> AsyncIterator[None]:
    """`work` goes on while the block runs, and is cancelled at its end. That it failed is logged as `name`.failed."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        if isinstance(outcome, Exception):
            _log.error(f"{name}.failed", error=type(outcome).__name__)
