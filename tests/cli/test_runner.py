"""A command that a signal ends closes what it opened, and leaves signals as they were."""

import asyncio
import os
import signal
from types import FrameType

import pytest

from cli.runner import Stopped, run_until_stopped


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_unwinds_and_handlers_are_restored(number: signal.Signals) -> None:
    def mine(_number: int, _frame: FrameType | None) -> None:
        """Another handler, as the demo has."""

    told: list[str] = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), number)
            await asyncio.sleep(10)
        finally:
            await asyncio.sleep(0)
            told.append("closed")

    before = signal.signal(number, mine)
    try:
        with pytest.raises(Stopped) as stopped:
            run_until_stopped(work())
        assert stopped.value.code == 130
        assert signal.getsignal(number) is mine
    finally:
        signal.signal(number, before)
    assert told == ["closed"]


def test_an_ignored_signal_stays_ignored() -> None:
    async def work() -> str:
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0.05)
        return "done"

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert run_until_stopped(work()) == "done"
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_failure_is_raised() -> None:
    async def work() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        run_until_stopped(work())
