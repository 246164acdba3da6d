"""Archives that change while processes run: each follows its file and what others change."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom.data import get_testdata_file
from typer.testing import CliRunner

from api.logging import configure_logging
from cli.commands import archives as archives_command
from cli.commands import index
from cli.runtime import Runtime, opened_runtime
from cli.serving import working
from config.access_file import AccessRules
from config.archives_file import ArchiveConfig
from config.settings import Settings, load_settings
from db import definitions
from db.archives import index_states
from indexer.worker import Worker
from reads.services import Services

TABLE = '[[archive]]\ncode = "{0}"\nern = "ERN-EYE"\ntitle = "{0}"\nkind = "folder"\npath = "{0}"\n'


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    for code, name in (("one", "CT_small.dcm"), ("two", "MR_small.dcm")):
        (tmp_path / code).mkdir()
        shutil.copy(str(get_testdata_file(name)), tmp_path / code)
    file = tmp_path / "archives.toml"
    file.write_text(TABLE.format("one"), encoding="utf-8")
    return load_settings(database_url=database_url, archives=file)


def write(settings: Settings, *codes: str) -> None:
    settings.archives.write_text("".join(TABLE.format(code) for code in codes), encoding="utf-8")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[tuple[Runtime, Services]]:
    """A process as `serve` is one."""
    async with opened_runtime(settings) as runtime:
        services = await Services.open(runtime.database, runtime.archives, settings, runtime.live.rules)
        runtime.live.ruled.append(services.follow)
        runtime.live.told.append(services.directory.refresh)
        services.directory.follow = runtime.live.look
        async with runtime.keeping_up():
            yield runtime, services
        await services.close()


async def test_all_processes_follow(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(settings.archives, elsewhere)
    other = settings.model_copy(update={"archives": elsewhere / "archives.toml"})
    (elsewhere / "one").mkdir()
    monkeypatch.setattr("cli.live_archives.LOOK_EVERY", 0.1)
    async with running(settings) as (runtime, services), running(other) as (second, others):

        def codes() -> list[list[str]]:
            directories = ([row.code for row in each.directory] for each in (services, others))
            return [*directories, [*runtime.archive_ids], [*second.archive_ids]]

        first = runtime.archives["one"]
        write(settings, "one", "two")
        await until(lambda: codes() == [["one", "two"]] * 4)
        assert runtime.archives["one"].config.path == tmp_path / "one"
        assert set(runtime.projections.makers) == set(runtime.archive_ids.values())
        config = ArchiveConfig(code="three", ern="VASCERN", title="Three", kind="orthanc", url="http://h/d")
        await definitions.add(runtime.database, config, "tester")
        await until(lambda: codes() == [["one", "two", "three"]] * 4)
        write(settings, "two")
        await until(lambda: codes() == [["two", "three"]] * 4)
        assert runtime.archives.get("one") is None
        assert first.config.code == "one"


async def test_a_broken_file_changes_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.live_archives.LOOK_EVERY", 0.05)
    async with running(settings) as (runtime, _):
        settings.archives.write_text('[[archive]]\ncode = "one"\nkind = "ftp"\n', encoding="utf-8")
        await until(lambda: runtime.live.problem is not None)
        assert "archives.toml:3" in (runtime.live.problem or "")
        assert [*runtime.archive_ids] == ["one"]
        write(settings, "one", "two")
        await until(lambda: [*runtime.archive_ids] == ["one", "two"])
        assert runtime.live.problem is None


STRICT = '[policy.ERN-EYE]\nothers = "none"\nsmall_count = 25\n[groups.eye]\nERN-EYE = ["full"]\n'
LAX = '[policy.ERN-EYE]\nmembers = "counts"\n'


def write_rules(settings: Settings, rules: str) -> None:
    settings.archives.write_text(rules + TABLE.format("one"), encoding="utf-8")


async def test_policy_and_groups_are_followed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.live_archives.LOOK_EVERY", 0.05)
    monkeypatch.setattr("cli.live_archives.SETTLED_AFTER", 0.05)
    async with running(settings) as (runtime, services):
        assert runtime.live.rules == AccessRules()
        write_rules(settings, STRICT)
        await until(lambda: runtime.live.rules.policy_of("ERN-EYE").others == "none")
        assert services.small_counts.by_ern["ERN-EYE"].threshold == 25
        assert runtime.live.rules.groups == {"eye": {"ERN-EYE": ("full",)}}
        assert [*runtime.archive_ids] == ["one"]
        write_rules(settings, LAX)
        await until(lambda: runtime.live.rules.policy_of("ERN-EYE").members == "counts")
        assert services.small_counts.by_ern == {}


@pytest.mark.parametrize(
    "broken",
    [
        STRICT.replace("none", "nothing") + TABLE.format("one"),
        STRICT + TABLE.format("one").replace("folder", "ftp"),
        STRICT + "[[archive",
        None,
    ],
)
async def test_rules_of_a_broken_file_are_not_taken_over(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, broken: str | None
) -> None:
    """Nor those of none: what it said holds on, and the list of archives says what is wrong."""
    monkeypatch.setattr("cli.live_archives.LOOK_EVERY", 0.05)
    monkeypatch.setattr("cli.live_archives.SETTLED_AFTER", 0.05)
    write_rules(settings, LAX)
    async with running(settings) as (runtime, _):
        before = runtime.live.rules
        assert before != AccessRules()
        if broken is None:
            settings.archives.unlink()
        else:
            settings.archives.write_text(broken, encoding="utf-8")
        await until(lambda: runtime.live.problem is not None)
        await asyncio.sleep(0.3)
        assert (runtime.live.rules, runtime.live.problem is None) == (before, False)
        monkeypatch.setenv("ERNFED_ARCHIVES", str(settings.archives))
        listed = await asyncio.to_thread(CliRunner().invoke, archives_command.app, ["list"])
        assert (listed.exit_code, listed.output.strip()) == (2, runtime.live.problem)
        write_rules(settings, STRICT)
        await until(lambda: runtime.live.rules.policy_of("ERN-EYE").others == "none")
        assert runtime.live.problem is None


async def test_a_file_that_is_being_written_is_left_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Begun without its policy, it would open an ERN to everybody for a moment."""
    monkeypatch.setattr("cli.live_archives.LOOK_EVERY", 0.02)
    write_rules(settings, STRICT)
    async with running(settings) as (runtime, _):
        seen: list[AccessRules] = []
        runtime.live.ruled.append(seen.append)
        for number in range(12):
            settings.archives.write_text("", encoding="utf-8")
            await asyncio.sleep(0.02)
            settings.archives.write_text(TABLE.format("one") + "\n" * number, encoding="utf-8")
            await asyncio.sleep(0.02)
        write_rules(settings, STRICT.replace("25", "26"))
        await until(lambda: bool(seen))
    assert [each.small_counts for each in seen] == [{"ERN-EYE": 26}]


async def test_a_worker_indexes_what_was_added(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.live_archives.LOOK_EVERY", 0.05)
    monkeypatch.setattr("indexer.worker._LOOK_EVERY", 0.05)
    done: list[str] = []
    stop = asyncio.Event()
    async with running(settings) as (runtime, _):
        worker = Worker(runtime.database, runtime.archives.get, lambda result: done.append(result.code))
        task = asyncio.create_task(worker.run(stop))
        await until(lambda: "one" in done)
        write(settings, "one", "two")
        await until(lambda: "two" in done)
        stop.set()
        await task
    assert sorted(done) == ["one", "two"]


async def test_a_server_may_work_too(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.worker._LOOK_EVERY", 0.05)
    async with running(settings) as (runtime, _), working(runtime, wanted=True), asyncio.timeout(20):
        while not (await index_states(runtime.database))[runtime.archive_ids["one"]].studies:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("part", ["take_jobs", "_every"])
async def test_a_worker_that_is_killed_is_started_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], part: str
) -> None:
    """And it is said: a server beside a dead worker would look well while its index grows old."""
    monkeypatch.setattr("indexer.worker._LOOK_EVERY", 0.05)
    monkeypatch.setattr("indexer.worker._AFTER_FAILURE", 0.05)
    configure_logging("info")

    def parts() -> list[asyncio.Task[Any]]:
        return [each for each in asyncio.all_tasks() if getattr(each.get_coro(), "__name__", "") == part]

    async with running(settings) as (runtime, _), working(runtime, wanted=True), asyncio.timeout(20):
        await until(lambda: bool(parts()))
        for each in (killed := parts()):
            each.cancel()
        await asyncio.wait(killed)
        write(settings, "one", "two")
        await runtime.live.look()
        await until(lambda: "two" in runtime.archive_ids)
        while not (await index_states(runtime.database))[runtime.archive_ids["two"]].studies:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["again_after"] for line in told if line["event"] == "worker.died"] == [0.05]


def test_switching_and_removing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.database_url is not None
    monkeypatch.setenv("ERNFED_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("ERNFED_ARCHIVES", str(settings.archives))
    write(settings, "one", "two")

    def archives(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(archives_command.app, arguments)
        return done.exit_code, done.output

    def status() -> str:
        return CliRunner().invoke(index.app, ["status"]).output

    assert CliRunner().invoke(index.app, ["once"]).exit_code == 0
    assert archives("disable", "one") == (0, "one: off\n")
    assert "switched off" in status()
    assert archives("enable", "one") == (0, "one: on\n")
    assert archives("remove", "one", "--purge")[0] == 1
    assert "there are: one, two" in archives("disable", "three")[1]
    write(settings, "two")
    assert "put it into archives.toml again" in archives("enable", "one")[1]
    assert archives("remove", "one") == (0, "one: removed; its rows are kept\n")
    assert archives("remove", "one", "--purge") == (0, "one: removed, with 1 studies\n")
    assert archives("remove", "one", "--purge") == (0, "one: removed, with 0 studies\n")


NETWORK = '[[network]]\ncode = "NORDIC-LUNG"\ntitle = "Nordic"\n'


async def test_networks_are_followed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive of the API is asked while the file declares its network, and by whom the network lets see it."""
    monkeypatch.setattr("cli.live_archives.LOOK_EVERY", 0.05)
    monkeypatch.setattr("cli.live_archives.SETTLED_AFTER", 0.05)
    async with running(settings) as (runtime, services):
        assert "NORDIC-LUNG" not in services.rules.now.networks
        write_rules(settings, NETWORK)
        await until(lambda: "NORDIC-LUNG" in services.rules.now.networks)
        config = ArchiveConfig("two", "NORDIC-LUNG", "Two", "folder", path=settings.archives.parent / "two")
        await definitions.add(runtime.database, config, "admin")
        await until(lambda: [*runtime.archive_ids] == ["one", "two"])
        write_rules(settings, "")
        await until(lambda: [*runtime.archive_ids] == ["one"])
        write_rules(settings, NETWORK)
        await until(lambda: [*runtime.archive_ids] == ["one", "two"])
