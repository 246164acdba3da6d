"""Exports: the same list as a query's, for those who may export, with a line in the audit trail for each page."""

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import httpx
import orjson
import pytest

from access.scope import AccessLevel, Grant, Viewer
from api.app import create_app
from api.document.persisted import Persisted
from api.document.rules import Rules
from api.export import rows as export_rows
from api.export import table as export_table
from api.export.table import COLUMNS, Table, default_columns
from db.audit.lines import lines
from db.audit.log import AUDIT_SESSION, AuditLog
from db.pool import Database
from resolvers.context import Context
from resolvers.schema import schema
from tests.resolvers.conftest import federation, loaded, runtime  # noqa: F401
from tests.resolvers.runtime import Runtime

EYE, RND, VASC = "ERN-EYE", "ERN-RND", "VASCERN"
FULL = tuple(Grant(ern, AccessLevel.FULL, ("export",)) for ern in (EYE, RND, VASC))
ANNA = Viewer("anna", None, FULL)
JSON = {"content-type": "application/json"}


@pytest.fixture
async def log(database_url: str) -> AsyncIterator[AuditLog]:
    database = await Database.open(database_url, max_size=1, session=AUDIT_SESSION)
    opened = await AuditLog.open(database)
    yield opened
    await opened.close()
    await database.close()


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_table, "PAGE", 7)


def client(runtime: Runtime, viewer: Viewer = ANNA, **changes: Any) -> httpx.AsyncClient:  # noqa: F811
    async def context(_request: object) -> Context:
        return Context.for_request(runtime.services, viewer)

    app = create_app(schema, context, readiness=runtime._ready, **changes)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ernfed.test", timeout=60)


async def export(client: httpx.AsyncClient, path: str, **body: Any) -> httpx.Response:
    return await client.post(f"/export/{path}", content=orjson.dumps(body), headers=JSON)


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


async def test_a_whole_list_in_its_order(runtime: Runtime) -> None:  # noqa: F811
    asked = await runtime.data(
        "{ studies(first: 1000) { totalCount nodes { studyInstanceUid studyDescription patientName { text }"
        " modalitiesInStudy locations { archive { code } } } } }"
    )
    answer = await export(client(runtime), "studies.csv")
    found = rows_of(answer)
    nodes = asked["studies"]["nodes"]
    assert [row["StudyInstanceUID"] for row in found] == [node["studyInstanceUid"] for node in nodes]
    assert [row["ModalitiesInStudy"] for row in found] == ["\\".join(n["modalitiesInStudy"]) for n in nodes]
    assert [row["Archives"] for row in found] == [
        "\\".join(place["archive"]["code"] for place in node["locations"]) for node in nodes
    ]
    assert [row["PatientName"] for row in found] == [
        node["patientName"]["text"] if node["patientName"] else "" for node in nodes
    ]
    assert answer.headers["x-ernfed-total-count"] == str(asked["studies"]["totalCount"]) == str(len(found))
    assert answer.headers["x-ernfed-complete"] == "true"
    assert answer.headers["x-ernfed-sources"] == "a0=CACHED, a1=CACHED, a2=CACHED"
    assert answer.headers["content-disposition"] == 'attachment; filename="studies.csv"'


async def test_lines_of_json_keep_numbers_and_nulls(runtime: Runtime) -> None:  # noqa: F811
    answer = await export(
        client(runtime), "series.ndjson", attributes=["SeriesNumber", "Modality", "Manufacturer"]
    )
    found = [orjson.loads(line) for line in answer.content.splitlines()]
    total = (await runtime.data("{ series { totalCount } }"))["series"]["totalCount"]
    assert len(found) == total > 50
    assert list(found[0]) == [*COLUMNS["series"], "Archives"]  # what is a column already is no other one
    assert {type(row["SeriesNumber"]) for row in found} <= {int, type(None)}


@pytest.mark.parametrize("of", ["studies", "series"])
async def test_parquet_has_the_rows_of_the_lines(runtime: Runtime, tmp_path: Path, of: str) -> None:  # noqa: F811
    """With dates, times and numbers of their own types; read by another program."""
    given = {"attributes": ["PatientAge", "Manufacturer"]}
    answer = await export(client(runtime), f"{of}.parquet", **given)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/vnd.apache.parquet")
    path = tmp_path / "a.parquet"
    path.write_bytes(answer.content)
    found = duckdb.from_parquet(str(path))
    lines_of_json = (await export(client(runtime), f"{of}.ndjson", **given)).content.splitlines()
    expected = [orjson.loads(line) for line in lines_of_json]
    assert found.columns == list(expected[0])
    read = [
        {
            name: value if isinstance(value, int | float | list | None) else str(value)
            for name, value in zip(found.columns, row, strict=True)
        }
        for row in found.fetchall()
    ]
    assert read == expected != []
    types = dict(zip(found.columns, map(str, found.types), strict=True))
    day, count = (
        ("StudyDate", "NumberOfStudyRelatedSeries") if of == "studies" else ("SeriesDate", "SeriesNumber")
    )
    assert (types[day], types[count], types["Archives"]) == ("DATE", "BIGINT", "VARCHAR[]")
    assert int(answer.headers["x-ernfed-total-count"]) == len(read)


async def test_filters_archives_and_any_attribute(runtime: Runtime) -> None:  # noqa: F811
    given = {"modalitiesInStudy": {"any": ["MR"]}}
    answer = await export(
        client(runtime), "studies.csv", filter=given, archives=["a1"], attributes=["PatientAge", "00081030"]
    )
    query = 'query ($f: StudyFilter) { studies(first: 1000, filter: $f, archives: ["a1"]) { nodes { studyInstanceUid'
    asked = await runtime.data(query + ' attributes(keywords: ["00081030"]) { text } } } }', {"f": given})
    expected = [
        (node["studyInstanceUid"], "".join(each["text"] or "" for each in node["attributes"]))
        for node in asked["studies"]["nodes"]
    ]
    assert [
        (row["StudyInstanceUID"], row["00081030"].removeprefix("'")) for row in rows_of(answer)
    ] == expected
    assert expected


@pytest.mark.parametrize(
    ("viewer", "status", "code"),
    [
        (Viewer("x", None, ()), 403, "FORBIDDEN"),
        (Viewer("x", None, (Grant(EYE, AccessLevel.FULL, ("admin", "annotate")),)), 403, "FORBIDDEN"),
        (Viewer("x", None, (Grant(EYE, AccessLevel.COUNTS, ("export",)),)), 403, "FORBIDDEN"),
    ],
)
async def test_who_may_not_export(runtime: Runtime, viewer: Viewer, status: int, code: str) -> None:  # noqa: F811
    answer = await export(client(runtime, viewer), "studies.csv")
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (status, code)


async def test_only_what_one_may_export(runtime: Runtime) -> None:  # noqa: F811
    """Full access to another ERN, without the verb for it, gives nothing of it."""
    viewer = replace(ANNA, grants=(FULL[0], replace(FULL[1], verbs=("annotate",))))
    found = rows_of(await export(client(runtime, viewer), "studies.csv"))
    assert found
    assert {row["Archives"] for row in found} == {"a0"}
    named = await export(client(runtime, viewer), "studies.csv", archives=["a1"])
    nothing = await export(client(runtime, viewer), "studies.csv", archives=["a9"])
    assert named.status_code == nothing.status_code == 404
    assert named.text.replace("a1", "a9") == nothing.text


BAD = [
    (b"{", 400, "BAD_REQUEST"),
    (b"[]", 400, "BAD_REQUEST"),
    (b'{"column": []}', 400, "BAD_REQUEST"),
    (b'{"columns": "Modality"}', 400, "BAD_REQUEST"),
    (b'{"columns": ["NoSuchKeyword"]}', 400, "BAD_INPUT"),
    (orjson.dumps({"columns": [f"{n:08X}" for n in range(31)]}), 400, "BAD_REQUEST"),
    (b'{"cohort": 1}', 400, "BAD_REQUEST"),
    (b'{"attributes": "PatientAge"}', 400, "BAD_REQUEST"),
    (b'{"attributes": [1]}', 400, "BAD_REQUEST"),
    (orjson.dumps({"attributes": [f"{n:08X}" for n in range(31)]}), 400, "BAD_REQUEST"),
    (b'{"attributes": ["NoSuchKeyword"]}', 400, "BAD_INPUT"),
    (b'{"filter": {"nope": 1}}', 400, "BAD_INPUT"),
    (b'{"filter": []}', 400, "BAD_INPUT"),
    (b'{"filter": {"studyDate": {"eq": "yesterday"}}}', 400, "BAD_INPUT"),
    (b'{"archives": ["a9"]}', 404, "NOT_FOUND"),
    (b'{"archives": "a9"}', 404, "NOT_FOUND"),
    (b'{"archives": {}}', 400, "BAD_INPUT"),
    (b"x" * 1_000_001, 413, "PAYLOAD_TOO_LARGE"),
]


@pytest.mark.parametrize(("body", "status", "code"), BAD, ids=[str(case[0][:40]) for case in BAD])
async def test_bad_requests(runtime: Runtime, body: bytes, status: int, code: str) -> None:  # noqa: F811
    answer = await client(runtime).post("/export/studies.csv", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (status, code)


async def test_other_methods_types_and_paths(runtime: Runtime) -> None:  # noqa: F811
    asking = client(runtime)
    assert (await asking.head("/export/studies.csv")).status_code == 405
    assert (await asking.put("/export/studies.csv")).status_code == 405
    assert (await asking.post("/export/studies.csv", data={"filter": "{}"})).status_code == 415
    assert (await export(asking, "studies.xlsx")).status_code == 404
    assert (await export(asking, "patients.csv")).status_code == 404


async def test_a_server_of_known_operations_exports_all_the_same(runtime: Runtime) -> None:  # noqa: F811
    strict = client(runtime, rules=Rules(persisted=Persisted("persisted")))
    refused = await strict.post("/graphql", json={"query": "{ studies { totalCount } }"})
    assert refused.json()["errors"][0]["extensions"]["code"] == "PERSISTED_OPERATION_REQUIRED"
    assert len(rows_of(await export(strict, "studies.csv"))) > 10


async def test_each_page_leaves_a_line(runtime: Runtime, log: AuditLog) -> None:  # noqa: F811
    asking = client(runtime, audit=log)
    answer = await asking.post(
        "/export/studies.csv",
        content=b"{}",
        headers=JSON | {"x-purpose-of-use": "HRESCH", "x-request-id": "proxy-01"},
    )
    await export(asking, "studies.csv", archives=["a9"])
    await log.close()
    said = [line.said async for line in lines(log._database)]
    pages, refused = said[:-1], said[-1]
    count = len(rows_of(answer))
    assert len(pages) == -(-count // 7)
    assert sum(line["studies"] for line in pages) == count
    assert {
        (line["subject"], line["purpose"], line["endpoint"], line["outcome"], line["request"])
        for line in pages
    } == {("anna", "HRESCH", "/export/studies.csv", "OK", "proxy-01")}
    assert (refused["outcome"], refused["studies"]) == ("NOT_FOUND", 0)


async def test_without_its_line_no_page_leaves(
    runtime: Runtime,  # noqa: F811
    log: AuditLog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The connection is closed in the middle, so that nobody takes a part for the whole."""
    from db.audit.log import AuditUnavailable

    written = 0
    write = log.write

    async def fail_later(record: Any) -> None:
        nonlocal written
        written += 1
        if written > 2:
            raise AuditUnavailable
        await write(record)

    monkeypatch.setattr(log, "write", fail_later)
    with pytest.raises(AssertionError):  # httpx's word for an answer without an end
        await export(client(runtime, audit=log), "studies.csv")
    assert written == 3
    refused = await export(client(runtime, audit=log), "studies.csv")
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (
        503,
        "AUDIT_UNAVAILABLE",
    )


async def test_too_many_exports_wait(runtime: Runtime) -> None:  # noqa: F811
    answer = await export(client(runtime, limiter=lambda _person, _weight: 3.2), "studies.csv")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "4")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_is_a_formula(text: str) -> None:
    columns = Table("studies", default_columns("studies", ())).columns
    row = [[text], *[[]] * (len(columns) - 1)]
    [read] = csv.reader(io.StringIO(export_rows.file_of(columns, "csv").rows([row]).decode(), newline=""))
    assert read[0] == f"'{text}"
    assert orjson.loads(export_rows.file_of(columns, "ndjson").rows([row]))["StudyInstanceUID"] == text
