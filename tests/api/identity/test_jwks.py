"""The provider's keys: rotation, an unknown kid, and a provider that is down."""

import asyncio
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from api.identity.jwks import LOOK_AGAIN, MAX_STALE, TTL, KeysUnavailable
from api.identity.provider import ProviderError, discover
from tests.api.identity.signing import ISSUER, RSA, FakeProvider

NEW = RSAKey.generate_key(2048, {"kid": "rsa-2"})


async def test_one_fetch_for_many_at_once_and_then_none() -> None:
    provider = FakeProvider()
    keys = provider.provider_keys()
    found = await asyncio.gather(*(keys.find("rsa-1", "RS256") for _ in range(50)))
    assert all(found)
    assert provider.fetches == 1
    provider.time += TTL - 1
    await keys.find("rsa-1", "RS256")
    assert provider.fetches == 1


async def test_who_gives_up_does_not_spoil_it_for_others() -> None:
    provider = FakeProvider()
    keys, gate, fetch = provider.provider_keys(), asyncio.Event(), provider.fetch

    async def slow(url: str) -> dict[str, Any]:
        await gate.wait()
        return await fetch(url)

    keys._fetch = slow
    first, second = (asyncio.create_task(keys.find("rsa-1", "RS256")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    gate.set()
    assert await second
    assert provider.fetches == 1


async def test_a_new_key_is_found_at_once_and_an_old_one_goes() -> None:
    provider = FakeProvider(RSA)
    keys = provider.provider_keys()
    assert await keys.find("rsa-1", "RS256")
    provider.keys = [NEW]
    assert await keys.find("rsa-2", "RS256")
    assert await keys.find("rsa-1", "RS256") is None


async def test_a_withdrawn_key_is_gone_after_the_ttl() -> None:
    provider = FakeProvider(RSA)
    keys = provider.provider_keys()
    assert await keys.find("rsa-1", "RS256")
    provider.keys = [NEW]
    provider.time += TTL
    assert await keys.find("rsa-1", "RS256") is None


async def test_invented_kids_cost_one_fetch_a_minute() -> None:
    provider = FakeProvider()
    keys = provider.provider_keys()
    await keys.find("rsa-1", "RS256")
    for number in range(500):
        assert await keys.find(f"invented-{number}", "RS256") is None
    assert provider.fetches == 2
    provider.time += LOOK_AGAIN
    await asyncio.gather(*(keys.find(f"other-{number}", "RS256") for number in range(500)))
    assert provider.fetches == 3


async def test_a_provider_that_is_down_is_lived_with_for_a_while() -> None:
    provider = FakeProvider()
    keys = provider.provider_keys()
    assert await keys.find("rsa-1", "RS256")
    provider.down = True
    provider.time += TTL + 1
    for _ in range(100):
        assert await keys.find("rsa-1", "RS256")
    assert len(provider.asked) == 3  # discovery and keys, then one try that failed
    provider.time += MAX_STALE
    with pytest.raises(KeysUnavailable):
        await keys.find("rsa-1", "RS256")
    provider.down = False
    with pytest.raises(KeysUnavailable):  # not at every request
        await keys.find("rsa-1", "RS256")
    provider.time += 10
    assert await keys.find("rsa-1", "RS256")


async def test_an_empty_key_set_does_not_throw_away_the_last_one() -> None:
    provider = FakeProvider()
    keys = provider.provider_keys()
    await keys.find("rsa-1", "RS256")
    provider.keys = []
    provider.time += TTL
    assert await keys.find("rsa-1", "RS256")


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://evil.example"},
        {"issuer": f"{ISSUER}/"},
        {"jwks_uri": "http://login.example.org/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": ["https://x.example"]},
        {"jwks_uri": "https://user:pass@x.example/"},
        {"jwks_uri": None},
        {"token_endpoint": "http://169.254.169.254/latest"},
    ],
)
async def test_a_discovery_document_that_is_not_believed(change: dict[str, Any]) -> None:
    provider = FakeProvider()
    provider.document |= change
    with pytest.raises(ProviderError):
        await discover(ISSUER, provider.fetch)
