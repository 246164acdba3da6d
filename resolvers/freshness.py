"""How fresh an answer must be. This version answers from the index; it refuses what it cannot do yet."""

from enum import Enum

import strawberry

from model.errors import BadInput


@strawberry.enum(description="How fresh the answer must be.")
class FreshnessMode(Enum):
    CACHED = strawberry.enum_value("CACHED", description="Answer from the index.")
    LIVE = strawberry.enum_value(
        "LIVE", description="Ask the archives now, and update the index. Not in this version: BAD_INPUT."
    )
    MAX_AGE = strawberry.enum_value(
        "MAX_AGE",
        description="Ask only the archives whose index is older. Not in this version: BAD_INPUT.",
    )


@strawberry.input(description="How fresh the answer must be. Default: CACHED.")
class Freshness:
    mode: FreshnessMode = strawberry.field(
        description="CACHED, LIVE or MAX_AGE.", default=FreshnessMode.CACHED
    )
    max_age_seconds: int | None = strawberry.field(
        description="For MAX_AGE: how old the index of an archive may be.", default=None
    )
    timeout_ms: int | None = strawberry.field(
        description="For LIVE and MAX_AGE: when to answer with what there is.", default=5000
    )


def require_cached(freshness: Freshness | None) -> None:
    """Raises BadInput for what is not CACHED: an answer from the index must not pass for a live one."""
    if freshness is not None and freshness.mode is not FreshnessMode.CACHED:
        raise BadInput(
            f"freshness: {freshness.mode.value} is not available in this version; "
            "use CACHED and read `sources.asOf`."
        )
