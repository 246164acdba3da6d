"""How far a command is: what moves where standard error is a terminal, else a line now and then."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.status import Status

_LINE_EVERY = 5.0  # seconds


class _Screen:
    """A context manager. moving: what a terminal shows while the block runs."""

    def __init__(self, console: Console, moving: Progress | Status) -> None:
        self._console, self._moving = console, moving

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._moving.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._moving.stop()

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False)


class IndexProgress(_Screen):
    """A bar an archive; itself the indexer's progress callback."""

    def __init__(self, console: Console | None = None) -> None:
        console = console or Console(stderr=True)
        self._tasks: dict[str, TaskID] = {}
        self._told: dict[str, float] = {}
        self._bars = Progress(
            TextColumn("{task.fields[code]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("studies · {task.description}"),
            TimeElapsedColumn(),
            console=console,
        )
        super().__init__(console, self._bars)

    def __call__(self, code: str, done: int, total: int | None, message: str) -> None:
        if self._console.is_terminal:
            if code not in self._tasks:
                self._tasks[code] = self._bars.add_task(message, code=code, total=total)
            self._bars.update(self._tasks[code], completed=done, total=total, description=message)
            return
        now = time.monotonic()
        if now - self._told.get(code, now - _LINE_EVERY) >= _LINE_EVERY:
            self._told[code] = now
            of = "" if total is None else f" of {total}"
            self._line(f"{code}: {message}, {done}{of} studies")


class UploadProgress(_Screen):
    """One bar, by bytes; called with how many files, and bytes, are done with."""

    def __init__(self, files: int, size: int, console: Console | None = None) -> None:
        console = console or Console(stderr=True)
        self._files, self._done, self._told = files, 0, time.monotonic()
        self._bar = Progress(
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TextColumn("{task.description}"),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._bar.add_task(self._words(), total=size)
        super().__init__(console, self._bar)

    def __call__(self, files: int, size: int) -> None:
        self._done += files
        self._bar.update(self._task, advance=size, description=self._words())
        if not self._console.is_terminal and time.monotonic() - self._told >= _LINE_EVERY:
            self._told = time.monotonic()
            self._line(self._words())

    def _words(self) -> str:
        return f"{self._done} of {self._files} files"


class Steps(_Screen):
    """A line that changes; called with what is being done."""

    def __init__(self, console: Console | None = None) -> None:
        console = console or Console(stderr=True)
        self._status = Status("", console=console)
        self._told = time.monotonic()
        super().__init__(console, self._status)

    def __call__(self, doing: str) -> None:
        if self._console.is_terminal:
            self._status.update(doing)
        elif time.monotonic() - self._told >= _LINE_EVERY:
            self._told = time.monotonic()
            self._line(doing)
