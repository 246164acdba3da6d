"""Who waits for a statement of a viewer: when nobody does any more, it is cancelled, and its place is free.

Fields of a request share what they read, in tasks that outlive a field which is cancelled
(resolvers/records/loaders.py): to cancel the request alone would leave its statements running until they end by
themselves.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any


class Caller:
    """A request, or an operation of a WebSocket."""

    def __init__(self) -> None:
        self._reading: set[asyncio.Task[Any]] = set()
        self._gone = False

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Around a statement, from before it has a connection."""
        task = asyncio.current_task()
        if self._gone or task is None:
            raise asyncio.CancelledError
        self._reading.add(task)
        try:
            yield
        finally:
            self._reading.discard(task)

    def leave(self) -> None:
        """Cancels what is read for it; nothing is read for it from now on."""
        self._gone = True
        for task in list(self._reading):
            task.cancel()


_caller: ContextVar[Caller | None] = ContextVar("db_caller", default=None)


@contextmanager
def calling() -> Iterator[None]:
    """Statements of this task and of those that it starts are for one caller, who leaves when the block ends."""
    caller = Caller()
    token = _caller.set(caller)
    try:
        yield
    finally:
        _caller.reset(token)
        caller.leave()


@contextmanager
def for_caller() -> Iterator[None]:
    """Around a statement: it ends when its caller leaves, by CancelledError. Without a caller it is as it is."""
    caller = _caller.get()
    if caller is None:
        yield
        return
    with caller.reading():
        yield
