"""Cursors that a list of studies in its default order must refuse."""

from unittest.mock import patch

from model import cursors
from model.cursors import Cursors
from tests.resolvers.runtime import Runtime

_PAGE = "{ studies(first: 2%s) { pageInfo { endCursor } } }"


async def _end(runtime: Runtime, order: str = "") -> str:
    data = await runtime.data(_PAGE % order)
    return str(data["studies"]["pageInfo"]["endCursor"])


async def other_order(runtime: Runtime) -> str:
    """Taken from the list in another order."""
    return await _end(runtime, ", orderBy: [{field: PATIENT_ID}]")


async def expired(runtime: Runtime) -> str:
    """Given out longer ago than cursors live."""
    then = cursors._this_hour() - runtime.services.settings.cursor_lifetime_hours - 1
    with patch.object(cursors, "_this_hour", lambda: then):
        return await _end(runtime)


async def foreign(runtime: Runtime) -> str:
    """Sealed with the key of another federation."""
    order = "study:STUDY_DATE-"
    position = runtime.services.cursors.of("local").open(order, await _end(runtime))
    return Cursors(Cursors.new_key(), 24).seal(order, position)


async def tampered(runtime: Runtime) -> str:
    """One character changed."""
    cursor = await _end(runtime)
    return cursor[:10] + ("A" if cursor[10] != "A" else "B") + cursor[11:]
