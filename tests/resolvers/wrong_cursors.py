"""Cursors that a list of studies in its default order must refuse."""

from unittest.mock import patch

from model import cursors
from model.cursors import Cursors
from tests.resolvers.house import House

_PAGE = "{ studies(first: 2%s) { pageInfo { endCursor } } }"


async def _end(house: House, order: str = "") -> str:
    data = await house.data(_PAGE % order)
    return str(data["studies"]["pageInfo"]["endCursor"])


async def other_order(house: House) -> str:
    """Taken from the list in another order."""
    return await _end(house, ", orderBy: [{field: PATIENT_ID}]")


async def expired(house: House) -> str:
    """Given out longer ago than cursors live."""
    then = cursors._this_hour() - house.services.settings.cursor_lifetime_hours - 1
    with patch.object(cursors, "_this_hour", lambda: then):
        return await _end(house)


async def foreign(house: House) -> str:
    """Sealed with the key of another federation."""
    order = "study:STUDY_DATE-"
    position = house.services.cursors.of("local").open(order, await _end(house))
    return Cursors(Cursors.new_key(), 24).seal(order, position)


async def tampered(house: House) -> str:
    """One character changed."""
    cursor = await _end(house)
    return cursor[:10] + ("A" if cursor[10] != "A" else "B") + cursor[11:]
