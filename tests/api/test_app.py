"""Everything around /graphql: headers, health, metrics, the page, the time limit."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from api import app as app_module
from api.graphql.sdl import sdl
from api.server import LOOPBACK_NAMES
from archives.errors import TimedOut
from archives.registry import Archives
from config.archives_file import ArchiveConfig
from db.indexing.jobs import JobState
from tests.api.identity.signing_in import serving
from tests.api.tiny import schema, tiny_app
from tests.resolvers.memory_archive import MemoryArchive

STATIC = Path(app_module.__file__).parent / "static"


def client_of(**changes: object) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(tiny_app(**changes))
    return httpx.AsyncClient(transport=transport, base_url="http://ernfed.test")


@pytest.mark.parametrize("path", ["/", "/livez", "/readyz", "/metrics", "/schema.graphql", "/nothing"])
async def test_every_answer_has_the_security_headers(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cache-control"] in ("no-store", "no-cache")
    assert re.fullmatch(r"[0-9a-f]{16}", headers["x-request-id"])
    assert "server" not in headers


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("proxy-7f3a.1", True),
        ("short", False),
        ("a" * 65, False),
        ("Müller-Jürgen", False),
        ("a b c d e", False),
    ],
)
async def test_the_correlation_id_of_a_proxy_is_kept(
    client: httpx.AsyncClient, given: str, kept: bool
) -> None:
    answer = await client.get("/livez", headers={b"x-request-id": given.encode()})
    assert (answer.headers["x-request-id"] == given) is kept


@pytest.mark.parametrize("path", ["/nothing", "/graphql/more", "/static/", "/static/../app.py", "/static/x"])
async def test_an_unknown_path_is_a_json_404(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    assert path not in answer.text


async def test_a_wrong_method_is_a_json_405(client: httpx.AsyncClient) -> None:
    answer = await client.post("/livez")
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (
        405,
        "METHOD_NOT_ALLOWED",
    )
    assert "GET" in answer.headers["allow"]


async def test_readiness_says_what_is_wrong() -> None:
    async def database_down() -> Mapping[str, str]:
        return {"database": "does not answer"}

    async def broken() -> Mapping[str, str]:
        raise RuntimeError("password of postgresql://")

    async with client_of() as client:
        assert (await client.get("/readyz")).status_code == 200
        assert (await client.get("/livez")).json() == {"status": "ok"}
    async with client_of(readiness=database_down) as client:
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["problems"]) == (503, {"database": "does not answer"})
        assert (await client.get("/livez")).status_code == 200
    async with client_of(readiness=broken) as client:
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert "postgresql" not in answer.text


async def test_metrics_count_operations_by_type_and_outcome(client: httpx.AsyncClient) -> None:
    for query in (
        "query NameOfAStranger { hello }",
        "mutation { change }",
        '{ fails(how: "input") hello }',
        '{ fails(how: "otherwise") }',
        "{ nope }",
        "{",
    ):
        await client.post("/graphql", json={"query": query})
    text = (await client.get("/metrics")).text
    for operation, outcome, count in (
        ("query", "ok", 1),
        ("mutation", "ok", 1),
        ("query", "partial", 1),
        ("query", "failed", 1),
        ("query", "refused", 1),
        ("unknown", "refused", 1),
    ):
        labels = f'{{operation="{operation}",outcome="{outcome}"}}'
        assert f"ernfed_graphql_operation_seconds_count{labels} {count:.1f}" in text
    assert 'ernfed_http_requests_total{method="POST",route="/graphql",status="200"} 6.0' in text
    assert "NameOfAStranger" not in text


async def test_strangers_make_no_new_labels(client: httpx.AsyncClient) -> None:
    await client.request("BREW", "/patient/Mueller")
    text = (await client.get("/metrics")).text
    assert 'ernfed_http_requests_total{method="other",route="(none)",status="404"} 1.0' in text
    assert "Mueller" not in text


async def test_each_application_has_its_own_registry() -> None:
    async with client_of() as one, client_of() as other:
        await one.get("/livez")
        assert 'route="/livez"' not in (await other.get("/metrics")).text


async def test_metrics_tell_how_each_archive_stands() -> None:
    config = ArchiveConfig("eye", "ERN-EYE", "Eye", "dicomweb", "http://127.0.0.1:9", breaker_failures=2)
    archive = MemoryArchive(config)
    with archive.standing.asking():
        archive.standing.requests += 2
    archive.standing.retries += 1
    for _ in range(2):
        with pytest.raises(TimedOut), archive.standing.asking():
            raise TimedOut("eye: no complete answer inside the deadline")
    async with client_of(archives=Archives([archive])) as client:
        text = (await client.get("/metrics")).text
        for line in (
            'ernfed_archive_breaker_state{archive="eye",state="open"} 1.0',
            'ernfed_archive_breaker_state{archive="eye",state="closed"} 0.0',
            'ernfed_archive_requests_total{archive="eye"} 2.0',
            'ernfed_archive_retries_total{archive="eye"} 1.0',
            'ernfed_archive_errors_total{archive="eye",code="TIMEOUT"} 2.0',
            'ernfed_archive_seconds_count{archive="eye"} 3.0',
        ):
            assert line in text
        with archive.standing.asking(trial=True):
            pass
        text = (await client.get("/metrics")).text
        assert 'ernfed_archive_breaker_state{archive="eye",state="closed"} 1.0' in text


async def test_metrics_tell_how_the_index_keeps_up() -> None:
    states = {
        "eye": JobState(failures=2, lag_seconds=12.5, overdue_seconds=3.0),
        "new": JobState(failures=0, overdue_seconds=-20.0),
    }

    async def jobs() -> dict[str, JobState]:
        if not states:
            raise OSError("the database is away")
        return states

    async with client_of(jobs=jobs) as client:
        text = (await client.get("/metrics")).text
        for line in (
            'ernfed_archive_lag_seconds{archive="eye"} 12.5',
            'ernfed_archive_overdue_seconds{archive="eye"} 3.0',
            'ernfed_archive_overdue_seconds{archive="new"} 0.0',
            'ernfed_archive_failed_runs{archive="eye"} 2.0',
        ):
            assert line in text
        assert 'lag_seconds{archive="new"}' not in text
        states.clear()
        answer = await client.get("/metrics")
        assert answer.status_code == 200
        assert 'archive="eye"' not in answer.text


async def test_the_schema_is_served_as_text(client: httpx.AsyncClient) -> None:
    answer = await client.get("/schema.graphql")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text == sdl(schema)
    assert answer.text.endswith("\n")
    assert not answer.text.endswith("\n\n")


async def test_the_page_needs_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    page = (await client.get("/")).text
    for path in re.findall(r'(?:src|href)="([^"#]+)"', page):
        assert (await client.get(path)).status_code == 200
    for file in STATIC.iterdir():
        text = file.read_text(encoding="utf-8").replace('"http://www.w3.org/2000/svg"', "")  # a name
        assert not re.search(r"https?://|//cdn|@import|\bon\w+=|innerHTML|\bstyle=", text), file.name


async def test_the_page_shows_the_way_in_where_there_is_one(client: httpx.AsyncClient) -> None:
    assert "<body>" in (await client.get("/")).text
    async with serving() as served, served.browser() as browser:
        assert "<body data-sign-in>" in (await browser.get("/")).text
    assert "dataset" in (STATIC / "index.js").read_text(encoding="utf-8")


async def test_a_slow_answer_is_cut_off() -> None:
    async with client_of(request_timeout=0.05) as client:
        answer = await client.post("/graphql", json={"query": "{ sleeps(seconds: 5) }"})
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (503, "TIMEOUT")
        assert answer.headers["x-request-id"]
        assert (await client.post("/graphql", json={"query": "{ hello }"})).status_code == 200
        text = (await client.get("/metrics")).text
    assert 'ernfed_graphql_operation_seconds_count{operation="query",outcome="cut_off"} 1.0' in text
    assert (
        'ernfed_graphql_operation_seconds_bucket{le="0.025",operation="query",outcome="cut_off"} 0.0' in text
    )


async def test_a_stream_may_last_longer_than_the_time_limit() -> None:
    async with client_of(request_timeout=0.05) as client:
        answer = await client.post(
            "/graphql", json={"query": "{ sleeps(seconds: 0.2) }"}, headers={"accept": "text/event-stream"}
        )
    assert "awake" in answer.text


async def test_a_timeout_of_a_route_itself_is_not_taken_for_ours() -> None:
    async def route(_request: object) -> PlainTextResponse:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(5)
        return PlainTextResponse("")

    async with client_of(routes=(Route("/slow", route),)) as client:
        answer = await client.get("/slow")
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (500, "INTERNAL")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("[::1]:8000", 200),
        ("rebound.example.org", 421),
        ("127.0.0.1.example.org:8000", 421),
        ("[::1", 421),
        ("", 421),
    ],
)
async def test_a_page_elsewhere_cannot_point_its_name_here(host: str, status: int) -> None:
    async with client_of(hosts=LOOPBACK_NAMES) as client:
        answer = await client.post("/graphql", json={"query": "{ hello }"}, headers={"host": host})
    assert answer.status_code == status
    assert answer.headers["x-request-id"]
