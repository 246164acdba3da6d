"""What LIVE and MAX_AGE ask for once: for several askers at a time, for later pages, for as long as it is young."""

import asyncio
from datetime import timedelta

import pytest

from tests.resolvers.live_runtime import (
    asked,
    states,
)
from tests.resolvers.runtime import Runtime

BY_PATIENT = 'patientId: {eq: "P1"}'


async def test_askers_of_the_same_share_requests(live: Runtime) -> None:
    for archive in live.archives:
        archive.delay = 0.2
    answers = await asyncio.gather(*(live.ask(asked(given=BY_PATIENT)) for _ in range(5)))
    assert all({state for state, *_ in states(answer).values()} == {"LIVE"} for answer in answers)
    assert sum(sum(answer.requests.values()) for answer in answers) == 3


async def test_an_asker_that_goes_away_leaves_it_to_the_others(live: Runtime) -> None:
    for archive in live.archives:
        archive.delay = 0.3
    first = asyncio.create_task(live.ask(asked(given=BY_PATIENT)))
    await asyncio.sleep(0.1)
    second = asyncio.create_task(live.ask(asked(given=BY_PATIENT)))
    await asyncio.sleep(0.1)
    first.cancel()
    answer = await second
    assert {state for state, *_ in states(answer).values()} == {"LIVE"}
    assert answer.requests == {}
    assert [len(archive.searches) for archive in live.archives] == [1, 1, 1]


async def test_an_archive_is_not_asked_without_end(live: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("refresh.live.MOST_AT_ONCE", 2)
    for archive in live.archives:
        archive.delay = 0.2
    queries = [asked(given=f'patientId: {{eq: "P{n}"}}') for n in range(4)]
    answers = await asyncio.gather(*map(live.ask, queries))
    codes = [states(answer)["a0"][0::2] for answer in answers]
    assert sorted(codes) == [("LIVE", None)] * 2 + [("STALE", "BUSY")] * 2


# ---- MAX_AGE, pages ----------------------------------------------------------------------------------


async def test_max_age_asks_only_the_older_ones(live: Runtime) -> None:
    owner = live.services.owner
    await owner.execute("set", "update archive set last_completed_at = now() where code = 'a0'")
    age = "MAX_AGE, maxAgeSeconds: 3600"
    answer = await live.ask(asked(given=BY_PATIENT, mode=age))
    assert [state for state, *_ in states(answer).values()] == ["CACHED", "LIVE", "LIVE"]
    assert answer.requests == {"a1": 1, "a2": 1}
    assert answer.data["studies"]["complete"] is True
    again = await live.ask(asked(given=BY_PATIENT, mode=age))
    assert (states(again), again.requests) == (states(answer), {})
    assert again.data["studies"]["sources"][1]["elapsedMs"] is None
    assert again.data["studies"]["sources"][1]["asOf"] == answer.data["studies"]["sources"][1]["asOf"]
    other = await live.ask(asked(given='patientId: {eq: "P2"}', mode=age))
    assert other.requests == {"a1": 1, "a2": 1}
    now = await live.ask(asked(given=BY_PATIENT, mode="MAX_AGE, maxAgeSeconds: 0"))
    assert now.requests == {"a0": 1, "a1": 1, "a2": 1}


async def test_later_pages_take_what_the_first_has_asked(
    live: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    select = "sources { state elapsedMs } pageInfo { endCursor hasNextPage } nodes { studyInstanceUid }"
    seen: list[str] = []
    cursor, costs = "", []
    for _ in range(4):
        after = f', after: "{cursor}"' if cursor else ""
        answer = await live.ask(asked(more=f", first: 3{after}", select=select))
        found = answer.data["studies"]
        assert {source["state"] for source in found["sources"]} == {"LIVE"}
        seen += [node["studyInstanceUid"] for node in found["nodes"]]
        cursor = found["pageInfo"]["endCursor"]
        costs.append(sum(answer.requests.values()))
    assert len(set(seen)) == len(seen) == 12
    assert costs == [3, 0, 0, 0]
    monkeypatch.setattr("reads.freshness.PAGING", timedelta(0))
    late = await live.ask(asked(more=f', first: 3, after: "{cursor}"', select=select))
    assert sum(late.requests.values()) == 3
