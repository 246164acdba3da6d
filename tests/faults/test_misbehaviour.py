"""Each misbehaviour by each way that data comes in: the right state and code, in time, without memory; nobody
else notices, the index loses nothing that it had, and all is well again once the archive is."""

import asyncio
import time

import pytest

from tests.faults.conftest import SICK, WELL, Ward, fall_sick, opened, recover
from tests.faults.entries import ENTRIES, Entry
from tests.faults.expected import EXPECTED, RECOVERED
from tests.faults.memory import peak
from tests.faults.misbehaviours import DEADLINE, MISBEHAVIOURS, Misbehaviour
from tests.faults.table import PAGE, page

SLACK = 3.0  # a busy machine, not the code
MOST_MEMORY = 60_000_000


@pytest.mark.parametrize("name", MISBEHAVIOURS)
async def test_misbehaviour(ward_url: str, well: str, name: str) -> None:
    async with opened(ward_url, well) as ward:
        for entry, way in ENTRIES.items():
            assert await _meet(ward, MISBEHAVIOURS[name], way) == EXPECTED[name][entry], entry
            recover(ward)
            assert await _again(ward, way) == RECOVERED.get((name, entry), way.well), entry


async def _meet(ward: Ward, case: Misbehaviour, way: Entry) -> str:
    """What people get when the archive misbehaves."""
    before, others = await ward.known(SICK), await ward.known(WELL)
    fall_sick(ward, case)
    with peak() as memory:
        begin = time.monotonic()
        outcome = await way.enter(ward)
        took = time.monotonic() - begin
    assert outcome[WELL] == way.well
    assert took < way.deadlines * case.timeout * 1.1 + SLACK
    assert memory.grown < MOST_MEMORY
    after = await ward.known(SICK)
    for table, known in before.items():
        assert known <= after[table], f"{table} were lost"
    for table, known in (await ward.known(WELL)).items():
        assert others[table] <= known, f"{table} of another archive were lost"
    return outcome[SICK]


async def _again(ward: Ward, way: Entry) -> str:
    """Who asks while the last reading still hangs shares it, so that may be one more time."""
    found = (await way.enter(ward))[SICK]
    if found.endswith(" TIMEOUT"):
        await asyncio.sleep(2 * DEADLINE)
        found = (await way.enter(ward))[SICK]
    return found


def test_the_page_says_what_is_tested() -> None:
    """`python -P -m tests.faults.table` writes it."""
    assert EXPECTED.keys() == MISBEHAVIOURS.keys()
    assert PAGE.read_text(encoding="utf-8") == page()
