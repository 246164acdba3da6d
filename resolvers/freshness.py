"""How fresh an answer must be: the argument, and what it means."""

from datetime import timedelta
from enum import Enum
from typing import Annotated, Final

import strawberry

from model.errors import BadInput
from reads.freshness import Refresh
from resolvers.descriptions import argument

LEAST_MS: Final = 100
MOST_MS: Final = 30_000


@strawberry.enum(description="How fresh the answer must be.")
class FreshnessMode(Enum):
    CACHED = strawberry.enum_value("CACHED", description="Answer from the index.")
    LIVE = strawberry.enum_value(
        "LIVE",
        description="Ask the archives now, side by side, update the index, and answer from it. Archives are asked by "
        "UID, patientId, studyDate and modality, where these must hold; the index answers the rest of the filter. "
        "What is too wide to ask for is PARTIAL (TOO_WIDE). A page with a cursor takes what was asked for in the "
        "last 60 seconds.",
    )
    MAX_AGE = strawberry.enum_value(
        "MAX_AGE",
        description="The same, but ask only the archives whose last completed run is older than maxAgeSeconds; what "
        "this server has asked for since then is not asked for again.",
    )


@strawberry.input(description="How fresh the answer must be. Default: CACHED.")
class Freshness:
    mode: FreshnessMode = strawberry.field(
        description="CACHED, LIVE or MAX_AGE.", default=FreshnessMode.CACHED
    )
    max_age_seconds: int | None = strawberry.field(
        description="For MAX_AGE, and needed there: how old the index of an archive may be.", default=None
    )
    timeout_ms: int | None = strawberry.field(
        description="For LIVE and MAX_AGE: when to answer with what there is, 100 to 30000.", default=5000
    )


def refresh_of(freshness: Freshness | None) -> Refresh | None:
    """None where the index may answer as it is. Raises BadInput."""
    if freshness is None:
        return None
    age, timeout, is_age = (
        freshness.max_age_seconds,
        freshness.timeout_ms,
        freshness.mode is FreshnessMode.MAX_AGE,
    )
    if age is not None and not is_age:
        raise BadInput("freshness: maxAgeSeconds goes with the mode MAX_AGE.")
    if is_age and (age is None or age < 0):
        raise BadInput("freshness: MAX_AGE needs maxAgeSeconds, 0 or more.")
    if freshness.mode is FreshnessMode.CACHED:
        return None
    if timeout is None or not LEAST_MS <= timeout <= MOST_MS:
        raise BadInput(f"freshness: timeoutMs: {LEAST_MS} to {MOST_MS}, got {timeout}.")
    return Refresh(timeout / 1000, timedelta(seconds=age) if age is not None else None)


Fresh = Annotated[Freshness | None, argument("How fresh the answer must be; default: CACHED.")]
