"""How long an archive is left in peace between two runs."""

import random

# Seconds after a failed run: a restart is missed by little, and one that is down for days is not asked all the time.
_FIRST_BACK_OFF = 5.0
_MAX_BACK_OFF = 300.0
_JITTER = 0.1  # a share either way: archives of one rhythm do not stay in step


def pause(rest: float, failures: int) -> float:
    """Seconds to wait: the rest of the rhythm, or the back-off after so many failures in a row; ± 10 %."""
    if failures:  # beyond ten the power is larger than any back-off
        rest = min(_MAX_BACK_OFF / (1 + _JITTER), _FIRST_BACK_OFF * 2.0 ** min(failures - 1, 10))
    return max(rest, 0.0) * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311
