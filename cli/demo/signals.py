"""Signals that end the demo: they become an exception, so that `finally` stops what was started."""

import contextlib
import os
import signal
from collections.abc import Coroutine, Iterator
from types import FrameType
from typing import Any, TypeVar

from cli.runner import SIGNALS, Stopped, run_until_stopped

T = TypeVar("T")
_PATIENCE = 3  # signals: Orthanc and Postgres need a moment to end, impatience is not an order to lose data


class Signals:
    """What SIGINT, SIGTERM and SIGHUP (a closed terminal) do while the demo runs."""

    def __init__(self) -> None:
        self._heard = 0

    def arm(self) -> None:
        """The first signal raises Stopped; the next are ignored while we clean up; the fourth ends us."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._handle)
        # Whoever has SIGTERM at that moment: an event loop has its own way.
        signal.signal(signal.SIGHUP, lambda number, frame: signal.raise_signal(signal.SIGTERM))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`. Raises Stopped, after `work` was cancelled and has cleaned up."""
        try:
            return run_until_stopped(work)
        except Stopped:
            self._heard += 1
            raise Stopped(128 + signal.SIGTERM) from None
        finally:
            self.arm()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._heard += 1
        if self._heard == 1:
            raise Stopped(128 + number)
        if self._heard > _PATIENCE:
            os._exit(128 + number)  # the kernel ends our children with us


@contextlib.contextmanager
def signals_stop() -> Iterator[Signals]:
    """Inside the block signals stop the demo; after it they do what they did before."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    signals = Signals()
    signals.arm()
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
