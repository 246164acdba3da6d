"""How a run tells what it does while it does it; who shows it is the caller's business."""

from typing import Protocol


class Progress(Protocol):
    """Called after each step of a run. total: studies, None while it is not known."""

    def __call__(self, code: str, done: int, total: int | None, message: str) -> None: ...


def silent(code: str, done: int, total: int | None, message: str) -> None:
    """Shows nothing."""
