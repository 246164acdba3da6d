"""Running a command until a signal ends it, and saying why it ends.

What is to be closed stands in `async with` or `finally`.
"""

import asyncio
import signal
import sys
from collections.abc import Coroutine, Sequence
from typing import Any

import structlog
import typer
import uvloop

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_until_stopped(work: Coroutine[Any, Any, None]) -> bool:
    """Runs `work` to its end; True when SIGINT, SIGTERM or SIGHUP ended it instead.

    Each signal cancels the task once more: the first asks for an orderly end, a second hurries it.
    Left to themselves SIGTERM would kill the process before its children are ended, and uvicorn would
    raise both signals again after its own clean-up. A signal that is ignored (nohup) stays ignored.
    """
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    heeded = [number for number in _SIGNALS if before[number] != signal.SIG_IGN]
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_until_stopped(work, heeded))
    finally:
        for number in heeded:
            signal.signal(number, before[number])


def tell_problem(command: str, error: Exception, *, logged: bool = False) -> None:
    """Why a command ends. logged: it is one whose standard error is a log, where that is read by programs."""
    if logged and not sys.stderr.isatty():
        structlog.get_logger(f"cli.{command}").error(f"ernfed {command} ends", problem=str(error))
    else:
        typer.echo(f"ernfed {command}: {error}", err=True)


async def _until_stopped(work: Coroutine[Any, Any, None], heeded: Sequence[signal.Signals]) -> bool:
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(work)
    for number in heeded:
        loop.add_signal_handler(number, task.cancel)
    await asyncio.wait([task])
    if task.cancelled():
        return True
    task.result()
    return False
