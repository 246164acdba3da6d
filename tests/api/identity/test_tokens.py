"""Access tokens: which are taken, and every known way to forge one."""

import base64
import hashlib
import hmac
import json
import time
import warnings
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from tests.api.identity.signing import (
    AUDIENCE,
    EC,
    ED,
    ERNS,
    ISSUER,
    RSA,
    STRANGER,
    FakeProvider,
    bearer,
    claims_of,
    token_of,
)

NOW = int(time.time())
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    SMALL = RSAKey.generate_key(1024, {"kid": "rsa-1"})


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def raw_token(header: dict[str, Any] | str, claims: dict[str, Any] | str, signature: bytes = b"") -> str:
    """Three parts, put together by hand."""
    parts = [part if isinstance(part, str) else json.dumps(part) for part in (header, claims)]
    return ".".join([*(b64(part.encode()) for part in parts), b64(signature)])


def signed_by_hand(header: str | dict[str, Any], claims: str) -> str:
    """RS256 by our own good key over exactly this text, which no library would write."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    unsigned = raw_token(header, claims).rpartition(".")[0]
    key: Any = RSA.private_key
    return f"{unsigned}.{b64(key.sign(unsigned.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def hs256_with_the_public_key(public: bytes) -> str:
    header = {"typ": "at+jwt", "alg": "HS256", "kid": "rsa-1"}
    unsigned = raw_token(header, claims_of()).rpartition(".")[0]
    return f"{unsigned}.{b64(hmac.digest(public, unsigned.encode(), hashlib.sha256))}"


def tampered() -> str:
    header, payload, signature = token_of().split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims["ern_grants"] = {ern: ["full", "admin"] for ern in ERNS}
    return f"{header}.{b64(json.dumps(claims).encode())}.{signature}"


GOOD_CLAIMS = claims_of()
GOOD_TEXT = json.dumps(GOOD_CLAIMS)
GOOD_HEADER = {"typ": "at+jwt", "alg": "RS256", "kid": "rsa-1"}

FORGED = {
    "alg none": raw_token({**GOOD_HEADER, "alg": "none"}, claims_of()),
    "alg None with a signature": raw_token({**GOOD_HEADER, "alg": "None"}, claims_of(), b"x"),
    "no alg": raw_token({"typ": "at+jwt", "kid": "rsa-1"}, claims_of(), b"x"),
    "HS256 with the public key as PEM": hs256_with_the_public_key(RSA.as_pem(private=False)),
    "HS256 with the public key as DER": hs256_with_the_public_key(RSA.as_der(private=False)),
    "HS256 with an empty key": hs256_with_the_public_key(b""),
    "HS256 with the modulus": hs256_with_the_public_key(str(RSA.as_dict(private=False)["n"]).encode()),
    "another key under a known kid": token_of(STRANGER),
    "an ES256 key with the header RS256": token_of(EC, {"kid": "rsa-1"}),
    "RS256 said, ES256 kid": token_of(RSA, {"kid": "ec-1"}),
    "RS512": token_of(RSA, {"alg": "RS512"}),
    "ES256 with a zero signature": raw_token(
        {"typ": "at+jwt", "alg": "ES256", "kid": "ec-1"}, claims_of(), bytes(64)
    ),
    "another issuer": token_of(iss="https://login.example.org/realms/other"),
    "issuer with a slash": token_of(iss=f"{ISSUER}/"),
    "no issuer": token_of(iss=...),
    "issuers in a list": token_of(iss=[ISSUER]),
    "another audience": token_of(aud="https://other.example.org"),
    "no audience": token_of(aud=...),
    "an empty audience": token_of(aud=[]),
    "an audience that begins like ours": token_of(aud=f"{AUDIENCE}.evil.example"),
    "an audience as object": token_of(aud={AUDIENCE: True}),
    "not valid yet": token_of(nbf=NOW + 100_000),
    "issued in the future": token_of(iat=NOW + 100_000),
    "no exp": token_of(exp=...),
    "exp null": token_of(exp=None),
    "exp as text": token_of(exp="9999999999"),
    "exp true": token_of(exp=True),
    "exp NaN": signed_by_hand(GOOD_HEADER, GOOD_TEXT.replace(f'"exp": {GOOD_CLAIMS["exp"]}', '"exp": NaN')),
    "exp Infinity": signed_by_hand(GOOD_HEADER, json.dumps(claims_of(exp=float("inf")))),
    "no subject": token_of(sub=...),
    "an empty subject": token_of(sub=""),
    "a subject that is a number": token_of(sub=7),
    "a subject of two lines": token_of(sub="anna\nadmin"),
    "a huge subject": token_of(sub="a" * 300),
    "kid as path": token_of(RSA, {"kid": "../../../../dev/null"}),
    "kid as SQL": token_of(RSA, {"kid": "x' UNION SELECT 'key"}),
    "kid as number": raw_token({**GOOD_HEADER, "kid": 1}, claims_of(), b"x"),
    "kid as list": raw_token({**GOOD_HEADER, "kid": ["rsa-1"]}, claims_of(), b"x"),
    "no kid and several keys that fit": "replaced in the test",
    "jku": token_of(RSA, {"jku": "https://evil.example/keys"}),
    "jku of a stranger": token_of(STRANGER, {"jku": "https://evil.example/keys", "kid": "evil"}),
    "jwk": token_of(STRANGER, {"jwk": STRANGER.as_dict(private=False)}),
    "jwk with no kid": token_of(STRANGER, {"jwk": STRANGER.as_dict(private=False), "kid": ...}),
    "x5u": token_of(RSA, {"x5u": "https://evil.example/cert"}),
    "x5c": token_of(RSA, {"x5c": ["MIIB"]}),
    "crit": signed_by_hand({**GOOD_HEADER, "crit": ["exp"], "exp": 1}, GOOD_TEXT),
    "b64 false": signed_by_hand({**GOOD_HEADER, "b64": False}, GOOD_TEXT),
    "an ID token": token_of(RSA, {"typ": "JWT"}),
    "no typ": token_of(RSA, {"typ": ...}),
    "a logout token": token_of(RSA, {"typ": "logout+jwt"}),
    "typ as list": raw_token({**GOOD_HEADER, "typ": ["at+jwt"]}, claims_of(), b"x"),
    "a claim twice": signed_by_hand(GOOD_HEADER, GOOD_TEXT[:-1] + ', "sub": "admin"}'),
    "a header twice": signed_by_hand('{"alg":"none","typ":"at+jwt","alg":"RS256","kid":"rsa-1"}', GOOD_TEXT),
    "claims that are a list": signed_by_hand(GOOD_HEADER, f"[{GOOD_TEXT}]"),
    "claims that are deep": signed_by_hand(GOOD_HEADER, "[" * 5000),
    "claims that are not JSON": signed_by_hand(GOOD_HEADER, "{"),
    "a tampered payload": tampered(),
    "a cut signature": token_of()[:-4],
    "a huge token": token_of(more="x" * 17_000),
    "two parts": ".".join(token_of().split(".")[:2]),
    "five parts": f"{token_of()}.a.b",
    "nothing": "",
    "not a token": "hello",
    "not ASCII": "é.é.é",
}  # fmt: skip


@pytest.mark.parametrize("attack", FORGED)
async def test_a_forged_token_is_refused_in_the_same_words(attack: str) -> None:
    provider = FakeProvider()
    token = FORGED[attack]
    if attack.startswith("no kid"):
        provider = FakeProvider(RSA, RSAKey.generate_key(2048, {"kid": "rsa-2"}))
        token = token_of(RSA, {"kid": ...})
    async with provider.client() as client:
        answer = await client.get("/whoami", headers={b"authorization": b"Bearer " + token.encode()})
    assert answer.status_code == 401, answer.text
    [error] = answer.json()["errors"]
    assert error == {"message": "The access token is invalid.", "extensions": {"code": "UNAUTHENTICATED"}}
    assert answer.headers["www-authenticate"] == (
        'Bearer realm="ernfed", error="invalid_token", error_description="The access token is invalid."'
    )
    assert not any("evil" in url for url in provider.asked)


@pytest.mark.parametrize("ago", [61, 3600, NOW, NOW + 1, NOW - 1.5], ids=["61 s", "1 h", "0", "-1", "1.5"])
async def test_an_expired_token_is_said_to_be(ago: float) -> None:
    exp = NOW - ago
    async with FakeProvider().client() as client:
        answer = await client.get("/whoami", headers=bearer(token_of(exp=exp)))
        forged = await client.get("/whoami", headers=bearer(token_of(STRANGER, exp=exp)))
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")
    assert "expired" in answer.json()["errors"][0]["message"]
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert "expired" not in forged.text  # who did not sign it learns nothing


GOOD = {
    "RS256": token_of(),
    "PS256": token_of(RSA, {"alg": "PS256"}),
    "ES256": token_of(EC),
    "Ed25519": token_of(ED),
    "the long type": token_of(RSA, {"typ": "application/at+jwt"}),
    "the type in capitals": token_of(RSA, {"typ": "AT+JWT"}),
    "several audiences": token_of(aud=["account", AUDIENCE]),
    "no kid and one key that fits": token_of(EC, {"kid": ...}),
    "an exp beyond floats": token_of(exp=10**400),
    "x5t": token_of(RSA, {"x5t": "dGh1bWI"}),
}


@pytest.mark.parametrize("case", GOOD)
async def test_a_good_token_is_taken(case: str) -> None:
    async with FakeProvider().client() as client:
        answer = await client.get("/whoami", headers=bearer(GOOD[case]))
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "subject": "anna",
        "name": "Anna Ek",
        "grants": {"ERN-EYE": ["FULL", "annotate"], "ERN-RND": ["PSEUDONYMISED"], "VASCERN": ["COUNTS"]},
    }


async def test_clocks_may_differ_by_a_minute() -> None:
    now = int(time.time())
    async with FakeProvider().client() as client:
        near: list[dict[str, Any]] = [{"exp": now - 30}, {"nbf": now + 30}, {"iat": now + 30}]
        far: list[dict[str, Any]] = [{"exp": now - 61}, {"nbf": now + 90}, {"iat": now + 90}]
        for change in near:
            assert (await client.get("/whoami", headers=bearer(token_of(**change)))).status_code == 200
        for change in far:
            assert (await client.get("/whoami", headers=bearer(token_of(**change)))).status_code == 401


async def test_the_old_name_of_ed25519() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        token = token_of(ED, {"alg": "EdDSA"})
    async with FakeProvider().client() as client:
        assert (await client.get("/whoami", headers=bearer(token))).status_code == 200


@pytest.mark.parametrize("kind", ["JWT", ..., "application/jwt"])
async def test_plain_tokens_by_setting_only(kind: Any) -> None:
    token = token_of(RSA, {"typ": kind})
    async with FakeProvider(plain_jwt=True).client() as client:
        assert (await client.get("/whoami", headers=bearer(token))).status_code == 200


@pytest.mark.parametrize(
    "published",
    [
        OctKey.generate_key(256, {"kid": "rsa-1"}).as_dict(private=True),
        {**RSA.as_dict(private=False), "use": "enc"},
        {**RSA.as_dict(private=False), "key_ops": ["encrypt"]},
        {**RSA.as_dict(private=False), "alg": "PS256"},
        SMALL.as_dict(private=False),
        RSA.as_dict(private=True),
        {"kty": "RSA", "kid": "rsa-1"},
        "rsa-1",
    ],
    ids=["shared", "for encryption", "not to verify", "another alg", "small", "private", "broken", "no key"],
)
async def test_keys_that_are_not_for_this(published: Any) -> None:
    provider = FakeProvider(EC)
    provider.keys.append(published)
    async with provider.client() as client:
        assert (await client.get("/whoami", headers=bearer(token_of()))).status_code == 401
        assert (await client.get("/whoami", headers=bearer(token_of(EC)))).status_code == 200


async def test_a_curve_that_is_not_the_algorithms() -> None:
    other = ECKey.generate_key("P-384", {"kid": "ec-1"})
    async with FakeProvider(other).client() as client:
        assert (await client.get("/whoami", headers=bearer(token_of(EC)))).status_code == 401
