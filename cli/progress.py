"""Index runs on the screen: bars where standard error is a terminal, else a line now and then."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

_LINE_EVERY = 5.0  # seconds


class IndexProgress:
    """A context manager; itself the indexer's progress callback."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._tasks: dict[str, TaskID] = {}
        self._told: dict[str, float] = {}
        self._bars = Progress(
            TextColumn("{task.fields[code]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("studies · {task.description}"),
            TimeElapsedColumn(),
            console=self._console,
        )

    def __enter__(self) -> "IndexProgress":
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

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
            self._console.print(f"{code}: {message}, {done}{of} studies", markup=False, highlight=False)
