"""A client that speaks to the tiny application in this process."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.api.tiny import tiny_app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(tiny_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://ernfed.test") as opened:
        yield opened
