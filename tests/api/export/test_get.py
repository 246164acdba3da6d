"""GET of an export, as `pd.read_parquet(url)` and its like ask: the same file, the same rights, lines and bounds."""

import asyncio
from typing import Any
from urllib.parse import urlencode

import duckdb
import httpx
import pytest
from starlette.types import Message
from structlog.testing import capture_logs

from access.scope import Viewer
from api.export.wanted import MAX_QUERY
from db.audit.lines import lines
from db.audit.log import AuditLog
from db.pool import Database
from tests.api.export.test_endpoint import ANNA, client, export, log, rows_of, small_pages  # noqa: F401
from tests.api.graphql.subscribing import serving
from tests.api.identity.test_cross_site import signed_in
from tests.db.writing.ingesting import store
from tests.resolvers.cohort_home import MR, OWNER, Home
from tests.resolvers.conftest import beginning, federation, home, loaded, runtime  # noqa: F401
from tests.resolvers.following import with_projections
from tests.resolvers.runtime import Runtime
from tests.rows import study

SAME: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    ("studies.csv", {}, []),
    (
        "studies.parquet",
        {"filter": {"patientSex": {"eq": "F"}}, "archives": ["a0", "a1"], "attributes": ["PatientAge"]},
        [("filter", '{"patientSex": {"eq": "F"}}'), ("archives", "a0,a1"), ("attributes", "PatientAge")],
    ),
    (
        "series.ndjson",
        {"columns": ["Modality", "(A, B)0009xx01", "SeriesNumber"]},
        [("columns", "Modality,(A, B)0009xx01"), ("columns", "SeriesNumber")],
    ),
    ("instances.csv", {"archives": ["a2"]}, [("archives", "a2")]),
]


@pytest.mark.parametrize(("path", "body", "query"), SAME)
async def test_the_same_as_a_post(
    runtime: Runtime,  # noqa: F811
    path: str,
    body: dict[str, Any],
    query: Any,
) -> None:
    asking = client(runtime)
    posted = await export(asking, path, **body)
    got = await asking.get(f"/export/{path}", params=query)
    assert (got.status_code, got.content) == (200, posted.content)
    for name in ("content-type", "content-disposition", "x-ernfed-total-count", "x-ernfed-sources"):
        assert got.headers[name] == posted.headers[name]
    assert got.headers["cache-control"] == "no-store"


async def test_instances_are_those_of_the_list(runtime: Runtime) -> None:  # noqa: F811
    asked = await runtime.data(
        '{ instances(first: 1000, archives: ["a0"]) { totalCount nodes { sopInstanceUid rows'
        " series { seriesInstanceUid study { studyInstanceUid } } } } }"
    )
    found = rows_of(await client(runtime).get("/export/instances.csv", params={"archives": "a0"}))
    names = ("SOPInstanceUID", "Rows", "SeriesInstanceUID", "StudyInstanceUID")
    assert [tuple(row[name] for name in names) for row in found] == [
        (
            node["sopInstanceUid"],
            "" if node["rows"] is None else str(node["rows"]),
            node["series"]["seriesInstanceUid"],
            node["series"]["study"]["studyInstanceUid"],
        )
        for node in asked["instances"]["nodes"]
    ]
    assert len(found) == asked["instances"]["totalCount"] > 50


@pytest.mark.parametrize("of", ["studies", "series", "instances"])
async def test_a_cohort(home: Home, of: str) -> None:  # noqa: F811
    from tests.api.export.test_cohorts import exporter

    id, _ = await home.frozen(OWNER, MR)
    asking = client(home.runtime, exporter(OWNER))
    found = rows_of(await asking.get(f"/export/{of}.csv", params={"cohort": id}))
    assert {row["StudyInstanceUID"] for row in found} <= await home.uids(OWNER, id)
    assert len({row["StudyInstanceUID"] for row in found}) > 5
    given = {"cohort": id, "archives": "a0", "filter": "{}"}
    fewer = rows_of(await asking.get(f"/export/{of}.csv", params=given))
    assert 0 < len(fewer) < len(found)
    assert (await asking.get(f"/export/{of}.csv", params={"cohort": "x"})).status_code == 404


BAD: list[tuple[str, int, str]] = [
    ("filter=%7B", 400, "BAD_REQUEST"),
    ("filter=%5B%5D", 400, "BAD_INPUT"),
    ("filter=%7B%7D&filter=%7B%7D", 400, "BAD_REQUEST"),
    ("nope=1", 400, "BAD_REQUEST"),
    ("attributes=NoSuchKeyword", 400, "BAD_INPUT"),
    ("archives=a9", 404, "NOT_FOUND"),
    ("access_token=x", 400, "BAD_REQUEST"),
    (urlencode({"archives": "a" * MAX_QUERY}), 414, "URI_TOO_LONG"),
]


@pytest.mark.parametrize(("query", "status", "code"), BAD, ids=[case[0][:30] for case in BAD])
async def test_bad_queries(runtime: Runtime, query: str, status: int, code: str) -> None:  # noqa: F811
    answer = await client(runtime).get(f"/export/studies.csv?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)]
)
async def test_a_page_elsewhere_starts_no_export(runtime: Runtime, site: str, status: int) -> None:  # noqa: F811
    """Where nobody has to say who they are, a link elsewhere would do."""
    answer = await client(runtime).get("/export/studies.csv", headers={"sec-fetch-site": site})
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["errors"][0]["extensions"]["code"] == "CROSS_SITE"


async def test_rights_and_lines_are_those_of_a_post(runtime: Runtime, log: AuditLog) -> None:  # noqa: F811
    nobody = await client(runtime, Viewer("x", None, ())).get("/export/studies.csv")
    assert nobody.status_code == 403
    asking = client(runtime, audit=log)
    answer = await asking.get("/export/studies.csv", headers={"x-purpose-of-use": "HRESCH"})
    await asking.get("/export/studies.csv?archives=a9")
    assert (await asking.get("/export/studies.csv", headers={"x-purpose-of-use": "no"})).status_code == 400
    await log.close()
    said = [line.said async for line in lines(log._database)]
    assert sum(line["studies"] for line in said) == len(rows_of(answer))
    assert {(line["purpose"], line["endpoint"]) for line in said[:-2]} == {("HRESCH", "/export/studies.csv")}
    assert [line["outcome"] for line in said[-2:]] == ["NOT_FOUND", "BAD_INPUT"]


async def test_a_url_is_read_as_others_read_it(database: Database, tmp_path: Any) -> None:
    """Over a socket, without any header of ours."""
    await with_projections(database)
    await store(database, 1, [study(f"1.{n}") for n in range(9)])
    async with serving(database) as server, httpx.AsyncClient() as http:
        answer = await http.get(f"{server.url}/export/studies.parquet?columns=StudyInstanceUID,StudyDate")
        (tmp_path / "a.parquet").write_bytes(answer.content)
    assert duckdb.from_parquet(str(tmp_path / "a.parquet")).aggregate("count(*)").fetchall() == [(9,)]


async def test_a_reader_that_takes_nothing_is_given_up(runtime: Runtime) -> None:  # noqa: F811
    """The request ends, though its client neither takes the first bytes of the file nor ever says a word."""
    app, offered = client(runtime, send_patience=0.05)._transport.app, []  # type: ignore[attr-defined]
    asked, never = iter([{"type": "http.request"}]), asyncio.Event()

    async def receive() -> Message:
        if (message := next(asked, None)) is None:
            await never.wait()
        return message or {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        offered.append(message["type"])
        if message["type"] == "http.response.body":
            await never.wait()

    path = "/export/studies.csv"
    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
    with capture_logs() as logged:
        await asyncio.wait_for(app(scope, receive, send), timeout=60)
    assert offered == ["http.response.start", "http.response.body"]
    assert "answer.not_taken" in [line["event"] for line in logged]


@pytest.mark.parametrize(
    "headers",
    [{}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "none"}, {"origin": "https://evil.example"}],
)
async def test_a_cookie_speaks_for_our_own_page_only(headers: dict[str, str]) -> None:
    answer = await signed_in().get("/export/studies.csv", headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (403, "CROSS_SITE")
