"""`ernfed serve` does what its settings say of requests: cost, size, time, known operations, introspection."""

import json
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from typer.testing import CliRunner

from cli.commands.serve import app
from cli.demo.people import CLINICIAN
from config.persisted_operations import digest
from config.settings import Settings
from tests.cli.demo.test_people import runtime, settings  # noqa: F401

LIST = "query Newest { studies { nodes { id } } }"
DEAR = "query Dear { studies(first: 1000) { nodes { id } } }"


async def code(client: httpx.AsyncClient, **body: Any) -> str:
    answer = (await client.post("/graphql", json=body)).json()
    return str(answer["errors"][0]["extensions"]["code"]) if "errors" in answer else "OK"


async def test_the_settings_of_requests(settings: Settings, tmp_path: Path) -> None:  # noqa: F811
    file = tmp_path / "operations.json"
    file.write_text(json.dumps([LIST, DEAR]), encoding="utf-8")
    strict = settings.model_copy(
        update={
            "max_cost": 100,
            "max_body_bytes": 1000,
            "statement_timeout": 0.3,
            "introspection": "off",
            "persisted_operations": file,
            "operations": "persisted-for-browsers",
        }
    )
    async with runtime(strict, is_demo=True) as (client, issuer):
        assert await code(client, documentId=f"sha256:{digest(LIST)}") == "OK"
        assert await code(client, query=DEAR) == "COST_TOO_HIGH"
        assert await code(client, query="{ viewer { name } }") == "PERSISTED_OPERATION_REQUIRED"
        assert await code(client, query=LIST + " " * 1000) == "PAYLOAD_TOO_LARGE"
        assert (await client.get("/schema.graphql")).status_code == 403
        client.headers["authorization"] = f"Bearer {issuer.token_for(CLINICIAN)}"
        assert await code(client, query="{ viewer { name } }") == "OK"
        assert await code(client, query="{ __schema { queryType { name } } }") == "INTROSPECTION_OFF"
        other = await asyncpg.connect(settings.database())
        async with other.transaction():
            await other.execute("lock table study")
            assert await code(client, query=LIST) == "TIMEOUT"
        await other.close()
        assert await code(client, query=LIST) == "OK"


async def test_the_time_limit_of_a_request(settings: Settings) -> None:  # noqa: F811
    async with runtime(settings.model_copy(update={"request_timeout": 0.5}), is_demo=True) as (client, _):
        other = await asyncpg.connect(settings.database())
        async with other.transaction():
            await other.execute("lock table study")
            answer = await client.post("/graphql", json={"query": LIST})
        await other.close()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PERSISTED_OPERATIONS", "nowhere.json", "cannot read nowhere.json"),
        ("OPERATIONS", "persisted", "needs ERNFED_PERSISTED_OPERATIONS"),
        ("OPERATIONS", "some", "'persisted-for-browsers'"),
        ("INTROSPECTION", "maybe", "'signed-in'"),
        ("MAX_COST", "0", "greater than or equal to 1"),
        ("REQUEST_TIMEOUT", "0", "greater than or equal to 0.1"),
        ("MAX_BODY_BYTES", "1", "greater than or equal to 1000"),
    ],
)
def test_a_wrong_setting_stops_the_start(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in Settings.model_fields:
        monkeypatch.delenv(f"ERNFED_{each.upper()}", raising=False)
    monkeypatch.setenv(f"ERNFED_{name}", value)
    done = CliRunner().invoke(app, ["--port", "0"])
    assert done.exit_code == 1
    assert f"ERNFED_{name}" in done.stderr
    assert said in " ".join(done.stderr.split())
