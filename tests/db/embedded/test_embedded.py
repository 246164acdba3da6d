"""The embedded Postgres: starts, what a killed run leaves, as root and as an ordinary user."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from db.embedded import room
from db.embedded.child import processes_where
from db.embedded.postgres import EmbeddedPostgres, EmbeddedPostgresError

REPO = Path(__file__).parents[3]
NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")

HOLD = """
import sys, time
from pathlib import Path
from db.embedded.postgres import EmbeddedPostgres
postgres = EmbeddedPostgres(Path(sys.argv[1]))
print(postgres.start(), postgres.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user can enter; pytest's own are for one user only."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="ernfed-test-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def ask(url: str, query: str) -> Any:
    async def once() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(once())


def keepers_of(folder: Path) -> list[int]:
    """Every process that keeps a Postgres for this folder."""
    named = f"{folder}/postgres.users".encode()
    return processes_where(lambda process: named in (process / "cmdline").read_bytes())


def servers_of(folder: Path) -> list[int]:
    """Every Postgres process that works below this folder."""
    return processes_where(
        lambda process: (
            os.readlink(process / "cwd").startswith(str(folder.resolve()))
            and os.readlink(process / "exe").endswith("/postgres")
        )
    )


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def hold(folder: Path, *prefix: str, **env: str) -> tuple[subprocess.Popen[str], str, int]:
    """A process with a running server: (process, URL, the server's pid)."""
    process = subprocess.Popen(
        [*prefix, sys.executable, "-c", HOLD, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPO), "PYTHONDONTWRITEBYTECODE": "1", **env},
    )
    assert process.stdout is not None
    words = process.stdout.readline().split()
    assert len(words) == 2, "the server did not start"
    return process, words[0], int(words[1])


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def test_starts_twice_with_the_same_data_and_leaves_nothing(folder: Path) -> None:
    with EmbeddedPostgres(folder) as url:
        ask(url, "create table kept (n int)")
        assert ask(
            url, "select datlocprovider::text || datlocale from pg_database where datname = 'ernfed'"
        ) == ("bC.UTF-8")
        assert ask(url, "show server_encoding") == "UTF8"
        assert ask(url, "show fsync") == "on"
        assert ask(url, "show listen_addresses") == ""
        assert servers_of(folder)
    assert servers_of(folder) == []
    started = time.monotonic()
    with EmbeddedPostgres(folder) as url:
        assert ask(url, "select count(*) from kept") == 0
        assert time.monotonic() - started < 10
    assert servers_of(folder) == []


def test_another_user_does_not_get_in(folder: Path) -> None:
    with EmbeddedPostgres(folder) as url:
        secret, room = url.split("@")[0].rsplit(":", 1)[1], folder / "postgres"
        assert stat.S_IMODE(room.stat().st_mode) == 0o700
        assert stat.S_IMODE((room / "password").stat().st_mode) == 0o600
        assert stat.S_IMODE((room / "socket").stat().st_mode) == 0o700
        with pytest.raises(asyncpg.InvalidPasswordError):
            ask(url.replace(secret, "guessed"), "select 1")
        assert (room / "data" / "pg_hba.conf").read_text() == "local all all scram-sha-256\n"


def test_the_second_on_one_folder_joins(folder: Path) -> None:
    first, second = EmbeddedPostgres(folder), EmbeddedPostgres(folder)
    url = first.start()
    ask(url, "create table kept (n int)")
    assert second.start() == url
    assert second.pid == first.pid
    first.stop()
    assert ask(url, "select count(*) from kept") == 0
    second.stop()
    assert servers_of(folder) == []


def test_the_last_one_out_stops_it_whoever_started_it_and_however_they_end(folder: Path) -> None:
    starter, url, server = hold(folder)
    joiner, url_of_joiner, same = hold(folder)
    try:
        assert (url_of_joiner, same) == (url, server)
        ask(url, "create table kept (n int)")
        end(starter)  # killed
        with EmbeddedPostgres(folder) as url_of_third:
            assert url_of_third == url
        assert ask(url, "select count(*) from kept") == 0
        assert Path(f"/proc/{server}").exists()
    finally:
        end(starter)
        end(joiner)
    assert wait_until(lambda: servers_of(folder) == [])


def test_users_that_come_and_go_at_once_have_one_server_and_leave_none(folder: Path) -> None:
    failures: list[BaseException] = []

    def use() -> None:
        try:
            for _ in range(4):
                with EmbeddedPostgres(folder) as url:
                    assert ask(url, "select 1") == 1
        except BaseException as error:
            failures.append(error)

    users = [threading.Thread(target=use) for _ in range(4)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert failures == []
    assert servers_of(folder) == []


def test_a_killed_keeper_takes_the_server_with_it_and_the_next_starts_another(folder: Path) -> None:
    first = EmbeddedPostgres(folder)
    url = first.start()
    ask(url, "create table kept (n int)")
    [keeper] = keepers_of(folder)
    os.kill(keeper, signal.SIGKILL)
    assert wait_until(lambda: keepers_of(folder) == [])
    with EmbeddedPostgres(folder) as url_of_second:
        assert url_of_second == url  # so that the pools of the first go on
        assert ask(url, "select count(*) from kept") == 0
        first.stop()
        assert ask(url, "select count(*) from kept") == 0
    assert servers_of(folder) == []


def test_signals_for_a_whole_service_do_not_stop_it_under_its_users(folder: Path) -> None:
    with EmbeddedPostgres(folder) as url:
        [keeper] = keepers_of(folder)
        os.kill(keeper, signal.SIGTERM)
        assert ask(url, "select 1") == 1


def test_stop_without_start_and_twice(folder: Path) -> None:
    postgres = EmbeddedPostgres(folder)
    postgres.stop()
    postgres.start()
    with pytest.raises(EmbeddedPostgresError, match="running already"):
        postgres.start()
    postgres.stop()
    postgres.stop()
    assert postgres.pid is None


def test_dies_with_a_killed_parent_and_starts_again(folder: Path) -> None:
    process, url, _ = hold(folder)
    ask(url, "create table kept (n int)")
    end(process)
    # At once, while the old server may still be shutting down.
    with EmbeddedPostgres(folder) as url:
        assert ask(url, "select count(*) from kept") == 0
    assert servers_of(folder) == []


def test_dies_with_a_killed_parent_by_itself(folder: Path) -> None:
    process, _, _ = hold(folder)
    end(process)
    assert wait_until(lambda: servers_of(folder) == [])


def test_a_killed_server_is_recovered_with_a_stale_lock_file(folder: Path) -> None:
    postgres = EmbeddedPostgres(folder)
    url = postgres.start()
    ask(url, "create table kept (n int)")
    assert postgres.pid is not None
    os.kill(postgres.pid, signal.SIGKILL)
    assert wait_until(lambda: postgres.pid is None)
    postgres.stop()
    stale = folder / "postgres" / "data" / "postmaster.pid"
    assert stale.exists()
    # That pid is another's by now: ours, who must survive it.
    lines = stale.read_text().splitlines()
    stale.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    with EmbeddedPostgres(folder) as url:
        assert ask(url, "select count(*) from kept") == 0


def test_a_killed_initdb_is_done_again(folder: Path) -> None:
    half = folder / "postgres" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(folder) as url:
        assert ask(url, "select 1") == 1


def test_a_path_too_long_for_a_socket(folder: Path) -> None:
    long = folder / ("x" * 120) / "ä b"
    with EmbeddedPostgres(long) as url:
        assert ask(url, "select 1") == 1
        sockets = Path((long / "postgres" / "socket-at").read_text())
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert not sockets.exists()


def test_a_folder_that_cannot_be_written_is_named(folder: Path) -> None:
    (folder / "file").touch()
    with pytest.raises(EmbeddedPostgresError, match="file"):
        EmbeddedPostgres(folder / "file" / "data").start()


def test_a_cluster_of_another_version_is_named(folder: Path) -> None:
    with EmbeddedPostgres(folder):
        pass
    (folder / "postgres" / "data" / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedPostgresError, match="made by Postgres 17"):
        EmbeddedPostgres(folder).start()


@pytest.mark.parametrize("lang", ["xx_YY", "de_DE.UTF-8"])
def test_a_locale_that_was_never_generated(folder: Path, lang: str) -> None:
    process, url, _ = hold(folder, LANG=lang, LC_ALL=lang)
    try:
        assert ask(url, "select upper('λ')") == "Λ"
    finally:
        end(process)
    assert wait_until(lambda: servers_of(folder) == [])


@as_root
def test_as_root_the_server_is_nobody_we_know(folder: Path) -> None:
    postgres = EmbeddedPostgres(folder)
    postgres.start()
    try:
        status = Path(f"/proc/{postgres.pid}/status").read_text()
        uids = next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1:]
        assert len(set(uids)) == 1
        assert int(uids[0]) not in (0, NOBODY)
        assert f":{uids[0]}:" not in Path("/etc/passwd").read_text()
    finally:
        postgres.stop()


@as_root
def test_as_root_below_a_closed_folder(folder: Path) -> None:
    closed = folder / "root"
    closed.mkdir(mode=0o700)
    with EmbeddedPostgres(closed / "data") as url:
        assert ask(url, "select 1") == 1
        elsewhere = Path((closed / "data" / "postgres-is-at").read_text().strip())
        assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o700
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    shutil.rmtree(elsewhere)


@as_root
def test_as_root_with_binaries_that_only_root_can_reach(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = room.find_binaries().parents[1]
    packages = folder / "root" / "site-packages"
    packages.parent.mkdir(mode=0o700)
    for name in (installed.name, f"{installed.name}.libs"):
        shutil.copytree(installed.parent / name, packages / name)
    monkeypatch.setattr(room, "ROOMS", folder / "rooms")
    binaries = packages / installed.name / "pginstall" / "bin"
    monkeypatch.setattr(room, "find_binaries", lambda: binaries)
    for _ in range(2):
        with EmbeddedPostgres(folder / "data") as url:
            assert ask(url, "select 1") == 1
    assert len(list((folder / "rooms").iterdir())) == 1


@as_root
def test_as_root_rooms_of_temporary_folders_that_are_gone_are_removed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "ROOMS", folder / "rooms")
    closed = folder / "root"
    closed.mkdir(mode=0o700)
    for name in ("first", "second", "second"):
        with EmbeddedPostgres(closed / name):
            pass
        if name == "first":
            shutil.rmtree(closed / name)
    assert len(list((folder / "rooms").glob("postgres-*"))) == 1


@as_root
def test_as_an_ordinary_user_and_then_as_root(folder: Path) -> None:
    os.chown(folder, NOBODY, NOBODY)
    become = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    # Through a shell, for setpriv itself still has root's way into folders.
    tried = subprocess.run([*become, "/bin/sh", "-c", '"$0" -c ""', sys.executable], check=False)
    if tried.returncode != 0:
        pytest.skip(f"{sys.executable} is a Python that only root can run")
    for _ in range(2):
        process, url, server = hold(folder, *become)
        try:
            assert ask(url, "select 1") == 1
            assert Path(f"/proc/{server}").stat().st_uid == NOBODY
        finally:
            end(process)
        assert wait_until(lambda: servers_of(folder) == [])
        with EmbeddedPostgres(folder) as url:  # root takes the owner of what is there
            assert ask(url, "select 1") == 1
        assert (folder / "postgres" / "data").stat().st_uid == NOBODY


@as_root
def test_root_joins_an_ordinary_user_and_no_other_does(folder: Path) -> None:
    os.chown(folder, NOBODY, NOBODY)
    folder.chmod(0o700)  # as a home is: root goes to the server that is there, not to one of its own
    become = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    tried = subprocess.run([*become, "/bin/sh", "-c", '"$0" -c ""', sys.executable], check=False)
    if tried.returncode != 0:
        pytest.skip(f"{sys.executable} is a Python that only root can run")
    process, url, server = hold(folder, *become)
    try:
        with EmbeddedPostgres(folder) as url_of_root:
            assert url_of_root == url
            assert ask(url, "select 1") == 1
        assert Path(f"/proc/{server}").exists()
        folder.chmod(0o777)
        stranger = ("setpriv", "--reuid=65533", "--regid=65533", "--clear-groups")
        refused = subprocess.run(
            [*stranger, sys.executable, "-c", HOLD, str(folder)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(REPO), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        assert refused.returncode == 1
        assert f"belongs to user id {NOBODY}" in refused.stderr
    finally:
        end(process)
    assert wait_until(lambda: servers_of(folder) == [])
