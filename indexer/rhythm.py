"""How long an archive is left in peace between two runs."""

import random

_MAX_BACK_OFF = 300.0
_FIRST_BACK_OFF = 5.0
_JITTER = 0.1


def pause(rest: float, failures: int) -> float:
    """Seconds to wait: the rest of the rhythm, or the back-off after so many failures in a row; ± 10 %."""
    if failures:
        rest = min(_MAX_BACK_OFF / (1 + _JITTER), _FIRST_BACK_OFF * 2.0 ** min(failures - 1, 10))
    return max(rest, 0.0) * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311
