"""The ways that data of archives comes in, each as one thing that somebody does."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from tests.faults.conftest import SICK, WELL, Ward
from tests.faults.shelf import STUDIES

_SOURCES = "complete sources { archive { code } state error { code } }"


@dataclass(frozen=True)
class Entry:
    """enter: gives 'state CODE' by archive. deadlines: most times that it waits for the archive's `timeout`, one
    after the other. well: what an archive that is well comes out as.
    """

    shown: str
    enter: Callable[[Ward], Awaitable[Mapping[str, str]]]
    deadlines: int
    well: str


async def _index_run(ward: Ward) -> dict[str, str]:
    for client in ward.clients.values():
        client.config = replace(client.config, index="series")
    results = await ward.run(SICK, WELL)
    return {code: _cell(result.state.value, result.error_code) for code, result in results.items()}


async def _series(ward: Ward) -> dict[str, str]:
    uid = STUDIES[0]
    return await _list(ward, f'series(filter: {{study: {{studyInstanceUid: {{eq: "{uid}"}}}}}})')


async def _instances(ward: Ward) -> dict[str, str]:
    uid = STUDIES[0]
    return await _list(
        ward, f'instances(filter: {{series: {{study: {{studyInstanceUid: {{eq: "{uid}"}}}}}}}})'
    )


async def _live(ward: Ward) -> dict[str, str]:
    return await _list(ward, f"studies({_now(ward)})")


async def _live_series(ward: Ward) -> dict[str, str]:
    return await _list(
        ward, f'series(filter: {{study: {{studyInstanceUid: {{eq: "{STUDIES[0]}"}}}}}}, {_now(ward)})'
    )


async def _live_instances(ward: Ward) -> dict[str, str]:
    asked = f'filter: {{series: {{study: {{studyInstanceUid: {{eq: "{STUDIES[0]}"}}}}}}}}'
    return await _list(ward, f"instances({asked}, {_now(ward)})")


def _now(ward: Ward) -> str:
    return f"freshness: {{mode: LIVE, timeoutMs: {ward.deadline * 1000:.0f}}}"


async def _list(ward: Ward, field: str) -> dict[str, str]:
    found = (await ward.runtime.data(f"{{ list: {field} {{ {_SOURCES} }} }}"))["list"]
    cells = {
        each["archive"]["code"]: _cell(each["state"], (each["error"] or {}).get("code"))
        for each in found["sources"]
    }
    assert found["complete"] is all(cell in ("CACHED", "LIVE") for cell in cells.values())
    return cells


def _cell(state: str, code: str | None) -> str:
    return state if code is None else f"{state} {code}"


# In this order: each needs what the one before it has indexed in the end.
ENTRIES: dict[str, Entry] = {
    "series": Entry("series on demand", _series, 1, "CACHED"),
    "instances": Entry("instances on demand", _instances, 1, "CACHED"),
    "live": Entry("LIVE studies", _live, 1, "LIVE"),
    "live-series": Entry("LIVE series of a study", _live_series, 1, "LIVE"),
    "live-instances": Entry("LIVE instances of a study", _live_instances, 1, "LIVE"),
    "index": Entry("index run", _index_run, 2, "completed"),
}
