"""How an archive is: the indexer's last look, and what this process has met since."""

from typing import Any

import pytest

from access.scope import AccessLevel
from archives.errors import ArchiveError, TimedOut
from tests.resolvers.runtime import Runtime

ASK = "{ archives { code health { state checkedAt latencyMs error { code message } breaker retryAt } } }"
LATE = TimedOut("a1: no complete answer inside the deadline")


async def health(runtime: Runtime, code: str = "a1") -> dict[str, Any]:
    found = (await runtime.data(ASK))["archives"]
    return next(archive["health"] for archive in found if archive["code"] == code)


async def looked(runtime: Runtime, state: str, error: str | None = None, ago: str = "1 minute") -> None:
    sql = (
        "update archive set health_state = $2, health_error_code = $3, health_error_message = $3,"
        " health_latency_ms = null, health_checked_at = now() - $4::text::interval where code = $1"
    )
    await runtime.services.owner.execute("looked", sql, "a1", state, error, ago)


def meets(runtime: Runtime, error: ArchiveError | None, times: int = 1) -> None:
    standing = runtime.services.archives["a1"].standing
    for _ in range(times):
        if error is None:
            with standing.asking(trial=True):
                pass
        else:
            with pytest.raises(ArchiveError), standing.asking():
                raise error


async def test_a_closed_breaker_leaves_the_indexers_look(shallow: Runtime) -> None:
    await looked(shallow, "UP")
    meets(shallow, LATE, 4)
    found = await health(shallow)
    assert (found["state"], found["error"], found["breaker"], found["retryAt"]) == (
        "UP",
        None,
        "CLOSED",
        None,
    )


async def test_an_open_breaker_shows_whatever_the_indexer_saw(shallow: Runtime) -> None:
    await looked(shallow, "UP", ago="-1 minute")
    meets(shallow, LATE, 5)
    found = await health(shallow)
    assert (found["state"], found["breaker"]) == ("DOWN", "OPEN")
    assert found["error"] == {"code": "TIMEOUT", "message": LATE.message}
    assert found["retryAt"] is not None
    assert found["checkedAt"] < found["retryAt"]
    assert (await health(shallow, "a0"))["breaker"] == "CLOSED"
    meets(shallow, None)
    found = await health(shallow)
    assert (found["state"], found["breaker"], found["retryAt"]) == ("UP", "CLOSED", None)


async def test_an_answer_after_the_indexers_look_says_that_it_is_back(shallow: Runtime) -> None:
    await looked(shallow, "DOWN", "UNREACHABLE")
    assert (await health(shallow))["state"] == "DOWN"
    meets(shallow, None)
    found = await health(shallow)
    assert (found["state"], found["error"]) == ("UP", None)
    await looked(shallow, "DOWN", "UNREACHABLE", ago="-1 minute")
    assert (await health(shallow))["state"] == "DOWN"


async def test_who_may_not_see_records_gets_the_code_alone(shallow: Runtime) -> None:
    meets(shallow, LATE, 5)
    shallow.access = {"a0": AccessLevel.FULL, "a1": AccessLevel.COUNTS}
    found = await health(shallow)
    assert found["error"]["code"] == "TIMEOUT"
    assert "deadline" not in found["error"]["message"]
