"""How runs end: what was read, what is missing."""

import time
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from indexer.work import Tally


class RunState(StrEnum):
    """How a run ended. skipped: another indexer has this archive now."""

    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run did. A completed run with an error_code (PARTIAL) lacks something that it names.

    studies, series, instances: records read from the archive; removed: studies. changed: whether the index is
    another one than before. as_of: all that the archive held then is in the index; None where it is not known.
    """

    code: str
    state: RunState
    full: bool = False
    reconciled: bool = False
    studies: int = 0
    series: int = 0
    instances: int = 0
    rejected: int = 0
    removed: int = 0
    changed: bool = False
    seconds: float = 0.0
    error_code: str | None = None
    error_message: str | None = None
    as_of: datetime | None = None

    @property
    def all_done(self) -> bool:
        """True when all that was asked for was done."""
        return self.state is RunState.COMPLETED and self.error_code is None


def warning_of(tally: Tally) -> tuple[str, str] | None:
    """Code and message of what a run that was completed lacks."""
    if not tally.shortfalls:
        return None
    more = f" (and {len(tally.shortfalls) - 1} more)" if len(tally.shortfalls) > 1 else ""
    return "PARTIAL", f"{tally.shortfalls[0]}{more}"


def result_of(
    code: str,
    started: float,
    tally: Tally,
    error: tuple[str, str] | None,
    *,
    failed: bool = False,
    full: bool = False,
    reconciled: bool = False,
) -> RunResult:
    """Of a run that began at `started` (time.monotonic). error: code and message."""
    return RunResult(
        code=code,
        state=RunState.FAILED if failed else RunState.COMPLETED,
        full=full,
        reconciled=reconciled,
        studies=tally.studies,
        series=tally.series,
        instances=tally.instances,
        rejected=tally.rejected,
        removed=tally.removed,
        changed=tally.changed,
        seconds=round(time.monotonic() - started, 3),
        error_code=error[0] if error else None,
        error_message=error[1] if error else None,
    )
