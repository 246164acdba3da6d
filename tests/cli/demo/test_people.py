"""Who is who on a running server: with an issuer, and in the demo."""

import asyncio
import contextlib
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from api.server import listen, url_of
from cli.demo.issuer import DemoIssuer, key_at
from cli.demo.people import CLINICIAN, OFFICER, RESEARCHER, demo_issuer
from cli.serving import serve_on
from config.settings import Settings, load_settings

QUERY = {"query": "{ viewer { subject name grants { ern access verbs } } archives { code } }"}
ERNS = ("ERN-EYE", "ERN-RND", "VASCERN", "ERN-EURACAN")


@pytest.fixture
def settings(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a runtime with an empty archive for each ERN of the demo."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ERNFED_{name.upper()}", raising=False)
    tables = []
    for ern in ERNS:
        (tmp_path / ern).mkdir()
        names = f'code = "{ern.lower()}"\nern = "{ern}"\ntitle = "{ern}"'
        tables.append(f'[[archive]]\n{names}\nkind = "folder"\npath = "{ern}"\n')
    (tmp_path / "archives.toml").write_text("\n".join(tables), encoding="utf-8")
    return load_settings(database_url=database_url, archives=tmp_path / "archives.toml", data_dir=tmp_path)


@contextlib.asynccontextmanager
async def runtime(
    settings: Settings, *, is_demo: bool
) -> AsyncIterator[tuple[httpx.AsyncClient, DemoIssuer]]:
    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    with listen("127.0.0.1", 0) as sock:
        issuer = demo_issuer(url_of(sock), settings.data_dir)
        serving = asyncio.create_task(
            serve_on(sock, settings, started.set_result, issuer if is_demo else None)
        )
        try:
            both: set[asyncio.Future[Any]] = {serving, started}
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if serving in done:
                await serving
            async with httpx.AsyncClient(base_url=await started, timeout=20) as client:
                yield client, issuer
        finally:
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving


async def ask(client: httpx.AsyncClient, token: str | None = None) -> Any:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    answer = await client.post("/graphql", json=QUERY, headers=headers)
    assert answer.status_code == 200, answer.text
    assert "errors" not in answer.json()
    return answer.json()["data"]


def grants(data: Any) -> dict[str, list[str]]:
    return {grant["ern"]: [grant["access"], *grant["verbs"]] for grant in data["viewer"]["grants"]}


async def test_three_people_and_whoever_is_here(settings: Settings) -> None:
    async with runtime(settings, is_demo=True) as (client, issuer):
        here = await ask(client)
        assert here["viewer"]["subject"] == "local"
        assert {words[0] for words in grants(here).values()} == {"FULL"}
        clinician = await ask(client, issuer.token_for(CLINICIAN))
        assert clinician["viewer"]["name"] == CLINICIAN.name
        assert grants(clinician) == {
            "ERN-EYE": ["FULL", "annotate", "upload"],
            **{ern: ["COUNTS"] for ern in ERNS if ern != "ERN-EYE"},
        }
        researcher = grants(await ask(client, issuer.token_for(RESEARCHER)))
        assert researcher == {ern: ["PSEUDONYMISED", "export"] for ern in ERNS}
        officer = grants(await ask(client, issuer.token_for(OFFICER)))
        assert officer == {ern: ["COUNTS", "admin"] for ern in ERNS}
        wrong = await client.post("/graphql", json=QUERY, headers={"authorization": "Bearer x"})
        assert wrong.status_code == 401


async def test_the_policy_of_archives_toml(settings: Settings) -> None:
    with settings.archives.open("a", encoding="utf-8") as file:
        file.write('\n[policy]\nothers = "none"\n[policy.ERN-EYE]\nmembers = "pseudonymised"\n')
    async with runtime(settings, is_demo=True) as (client, issuer):
        clinician = grants(await ask(client, issuer.token_for(CLINICIAN)))
    assert clinician == {"ERN-EYE": ["PSEUDONYMISED", "annotate", "upload"]}


async def test_with_an_issuer_nobody_is_let_in_without_a_token(settings: Settings) -> None:
    """The demo of one server is the issuer of another."""
    async with runtime(settings, is_demo=True) as (demo, issuer):
        told = {"auth_issuer": issuer.issuer, "auth_audience": "ernfed-demo"}
        async with runtime(settings.model_copy(update=told), is_demo=False) as (client, _):
            for path in ("/graphql", "/metrics", "/schema.graphql", "/dicom-web/studies"):
                assert (await client.get(path)).status_code == 401
            for path in ("/", "/livez", "/readyz"):
                assert (await client.get(path)).status_code == 200
            clinician = await ask(client, issuer.token_for(CLINICIAN))
            assert clinician["viewer"]["subject"] == "demo-clinician"
            assert (await client.get("/livez", headers={"host": "ernfed.example.org"})).status_code == 200
        assert (await demo.get("/livez", headers={"host": "ernfed.example.org"})).status_code == 421


async def test_an_issuer_that_does_not_answer_is_said_at_the_start(settings: Settings) -> None:
    def said(logs: Any) -> list[tuple[str, str]]:
        return [(log["issuer"], log["problem"]) for log in logs if log["event"] == "auth.issuer_not_ready"]

    async with runtime(settings, is_demo=True) as (_, issuer):
        told = {"auth_issuer": issuer.issuer, "auth_audience": "ernfed-demo"}
        with capture_logs() as logs:
            async with runtime(settings.model_copy(update=told), is_demo=False):
                assert said(logs) == []
    with capture_logs() as logs:
        async with runtime(settings.model_copy(update=told), is_demo=False) as (client, _):
            [(named, problem)] = said(logs)
            assert named == issuer.issuer
            assert "does not answer" in problem
            assert (await client.get("/livez")).status_code == 200
    told["auth_issuer"] += "/other"
    async with runtime(settings, is_demo=True):
        with capture_logs() as logs:
            async with runtime(settings.model_copy(update=told), is_demo=False):
                assert len(said(logs)) == 1


async def test_a_mistake_in_the_policy_stops_the_start(settings: Settings) -> None:
    from config.archives_file import ArchivesFileError

    with settings.archives.open("a", encoding="utf-8") as file:
        file.write('\n[policy]\nothers = "some"\n')
    with pytest.raises(ArchivesFileError, match=r"policy\.others"):
        async with runtime(settings, is_demo=True):
            pass


def test_the_key_stays_and_is_the_owners(tmp_path: Path) -> None:
    file = tmp_path / "more" / "issuer-key.pem"
    first = key_at(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert key_at(file).as_dict() == first.as_dict()
    assert [each.name for each in file.parent.iterdir()] == ["issuer-key.pem"]
