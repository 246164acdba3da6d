"""A table of misbehaviour: what a caller gets, always an answer or an error with a code, always in time."""

import asyncio
import json
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from archives.client import Answer, Selection
from archives.dicomweb import DicomWebArchive
from archives.errors import ArchiveError, NotSupported, Rejected, TimedOut
from archives.meter import metered
from archives.qido import speaks_of_more
from archives.rows import STUDY_INSTANCE_UID, key, text
from config.archives_file import ArchiveConfig
from tests.archives.by_name import by_name
from tests.archives.faulty import (
    Behaviour,
    Exchange,
    Json,
    closes_in_body,
    drips,
    faulty,
    first,
    hangs_before_headers,
    hangs_in_body,
    hangs_in_headers,
    holds,
    ignores_offset,
    is_huge,
    never_ends,
    repeats_rows,
    resets,
    resets_in_body,
    says,
    studies,
    study,
)

DEADLINE = 1.0
SLACK = 0.4  # a busy machine, not the code
PAGE = 10
CONFIG = ArchiveConfig(
    "x", "ERN-EYE", "X", "dicomweb", timeout=DEADLINE, page_size=PAGE, max_connections=2, username="ann"
)
HTML = b"<!DOCTYPE html><html><body>Please log in</body></html>"
ROWS = json.dumps(studies(2)).encode()
LATIN = json.dumps(study(1, t00100010={"vr": "PN", "Value": [{"Alphabetic": "Müller"}]}), ensure_ascii=False)
WARNING = {"Warning": '299 archive "There are more results"'}
SECRET = "P77-secret"  # noqa: S105


async def ask(
    behaviour: Behaviour, selection: Selection | None = None, config: ArchiveConfig = CONFIG
) -> tuple[Answer | ArchiveError, float]:
    """The answer or the error of a study search, and how long it took."""
    with faulty(behaviour) as server:
        client = DicomWebArchive(replace(config, url=server.url, max_response=200_000), max_pages=20)
        begin = time.monotonic()
        result: Answer | ArchiveError
        try:
            result = await client.search_studies(selection or Selection(patient_id=None))
        except ArchiveError as error:
            result = error
        took = time.monotonic() - begin
        await client.close()
    return result, took


ERRORS: dict[str, tuple[Behaviour, str]] = {
    "null": (says(200, b"null"), "BAD_ANSWER"),
    "a string": (says(200, b'"ok"'), "BAD_ANSWER"),
    "a list of strings": (says(200, b'["1.2.3"]'), "BAD_ANSWER"),
    "an error object with status 200": (says(200, b'{"error": "no"}'), "BAD_ANSWER"),
    "rows without UIDs": (says(200, b'[{"00100020": {"vr": "LO"}}]'), "BAD_ANSWER"),
    "HTML": (says(200, HTML, "text/html"), "BAD_ANSWER"),
    "HTML that says it is JSON": (says(200, HTML), "BAD_ANSWER"),
    "half a JSON": (says(200, ROWS[:-30]), "BAD_ANSWER"),
    "Latin-1": (says(200, f"[{LATIN}]".encode("latin-1")), "BAD_ANSWER"),
    "UTF-16": (says(200, ROWS.decode().encode("utf-16")), "BAD_ANSWER"),
    "redirect": (says(302, b"", Location="http://127.0.0.1:9/elsewhere"), "BAD_ANSWER"),
    "400": (says(400), "REJECTED"),
    "401": (says(401), "REJECTED"),
    "404": (says(404), "REJECTED"),
    "429": (says(429), "REJECTED"),
    "500": (says(500, HTML, "text/html"), "SERVER_ERROR"),
    "503": (says(503), "SERVER_ERROR"),
    "hang before headers": (hangs_before_headers, "TIMEOUT"),
    "hang in headers": (hangs_in_headers, "TIMEOUT"),
    "hang in body": (hangs_in_body, "TIMEOUT"),
    "headers byte by byte": (drips(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 200), "TIMEOUT"),
    "body byte by byte": (drips(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b" " * 900), "TIMEOUT"),
    "huge, announced": (is_huge(announced=True), "TOO_LARGE"),
    "huge, without end": (is_huge(announced=False), "TOO_LARGE"),
    "reset": (resets, "UNREACHABLE"),
    "reset in body": (resets_in_body, "UNREACHABLE"),
    "closed in body": (closes_in_body, "UNREACHABLE"),
    "not HTTP": (lambda exchange: exchange.send(b"220 ftp.example ready\r\n\r\n"), "UNREACHABLE"),
    "an error on the second page": (first(1, holds(studies(50)), says(500)), "SERVER_ERROR"),
}


@pytest.mark.parametrize("name", ERRORS)
async def test_errors(name: str) -> None:
    behaviour, code = ERRORS[name]
    result, took = await ask(behaviour)
    assert isinstance(result, ArchiveError), result
    assert result.code == code, result.message
    assert took < DEADLINE * 1.1 + SLACK


def refuses_includefield(exchange: Exchange) -> None:
    if "includefield" in exchange.query:
        exchange.reply(400)
    else:
        exchange.rows(studies(3))


def ignores_pages(rows: list[Json]) -> Behaviour:
    """All rows that match, whatever `limit` and `offset` ask for."""
    return lambda exchange: ignores_only_offset(rows, len(rows))(replace(exchange, query=_keys(exchange)))


def _keys(exchange: Exchange) -> dict[str, str]:
    return {name: text for name, text in exchange.query.items() if name not in ("limit", "offset")}


def ignores_only_offset(rows: list[Json], cap: int) -> Behaviour:
    """The first rows that match, no more than `cap`."""

    def behave(exchange: Exchange) -> None:
        wanted = exchange.query.get("StudyInstanceUID")
        found = [row for row in rows if wanted in (None, row["0020000D"]["Value"][0])]  # type: ignore[index]
        exchange.rows(found[: min(exchange.limit, cap)])

    return behave


def answers(status: int, rows: list[Json], cap: int, **headers: str) -> Behaviour:
    """Pages over rows, with a status and headers whatever is on them."""

    def behave(exchange: Exchange) -> None:
        page = rows[exchange.offset :][: min(exchange.limit, cap)]
        exchange.reply(status, json.dumps(page).encode(), **headers)

    return behave


def is_partial(rows: list[Json], cap: int) -> Behaviour:
    """206 as long as there is more."""

    def behave(exchange: Exchange) -> None:
        page = rows[exchange.offset :][: min(exchange.limit, cap)]
        is_cut = exchange.offset + len(page) < len(rows)
        exchange.reply(206 if is_cut else 200, json.dumps(page).encode())

    return behave


DEPRECATED = {"Warning": '299 archive "This API is deprecated; for more information see the manual"'}
FUZZY = {
    "Warning": "299 https://archive/dicom-web: The fuzzymatching parameter is not supported. Only literal matching has "
    "been performed."
}
STALE = {"Warning": '110 archive "Response is Stale"'}


# (rows that come out, whether the answer is complete)
ANSWERS: dict[str, tuple[Behaviour, int, bool]] = {
    "204": (says(204), 0, True),
    "empty body": (says(200), 0, True),
    "empty list": (says(200, b"[]"), 0, True),
    "one data set instead of a list": (says(200, json.dumps(study(1)).encode()), 1, True),
    "wrong content type": (says(200, ROWS, "text/plain"), 2, True),
    "pages": (holds(studies(25)), 25, True),
    "pages, the last one full": (holds(studies(30)), 30, True),
    "offset ignored, all on the first page": (ignores_offset(studies(7), cap=7), 7, True),
    "offset ignored, first page full": (ignores_offset(studies(50), cap=PAGE), 10, False),
    "everything ignored, more rows than the limit": (ignores_offset(studies(37), cap=37), 37, True),
    "everything ignored, fewer rows than the limit": (ignores_offset(studies(9), cap=9), 9, True),
    "pages ignored, more rows than the limit": (ignores_pages(studies(37)), 37, True),
    "everything ignored, one row": (ignores_offset(studies(1), cap=1), 1, True),
    "everything ignored, and a Warning of more": (ignores_offset(studies(37), cap=37, **WARNING), 37, False),
    "offset ignored, a short page": (ignores_only_offset(studies(50), cap=7), 7, False),
    "endless pages": (never_ends, 0, False),
    "pages that overlap": (repeats_rows(studies(25), overlap=3), 25, False),
    "a row twice on a page": (says(200, json.dumps(studies(2) + studies(2)).encode()), 2, True),
    "a row without its UID": (says(200, json.dumps([*studies(2), {}]).encode()), 2, True),
    "a cap that warns and goes on": (holds(studies(25), cap=4, **WARNING), 25, True),
    "a cap that warns and does not": (ignores_offset(studies(25), cap=4, **WARNING), 4, False),
    "206 while there is more": (is_partial(studies(25), cap=4), 25, True),
    "206, and nothing comes after it": (first(1, answers(206, studies(4), 100), says(204)), 4, False),
    "206, and the same again": (says(206, ROWS), 2, False),
    "206, and no rows": (says(206, b"[]"), 0, False),
    "a Warning of more, and nothing comes after it": (answers(200, studies(4), 100, **WARNING), 4, False),
    "a Warning of a deprecated API": (answers(200, studies(4), 100, **DEPRECATED), 4, True),
    "a Warning of fuzzymatching": (answers(200, studies(25), 100, **FUZZY), 25, True),
    "a Warning of a stale answer": (answers(204, [], 100, **STALE), 0, True),
    "a Warning of a deprecated API over a cap": (answers(200, studies(25), 4, **DEPRECATED), 25, True),
    "a Warning of a deprecated API, everything ignored": (
        ignores_offset(studies(37), 37, **DEPRECATED),
        37,
        True,
    ),
    "a lost connection, then well": (first(1, resets, holds(studies(3))), 3, True),
    "503, then well": (first(1, says(503), holds(studies(3))), 3, True),
    "includefield refused": (refuses_includefield, 3, True),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_answers(name: str) -> None:
    behaviour, rows, complete = ANSWERS[name]
    result, took = await ask(behaviour)
    assert isinstance(result, Answer), result
    assert (len(result.rows), result.complete) == (rows, complete), result.incomplete_because
    assert complete is (result.incomplete_because is None)
    assert took < DEADLINE * 1.1 + SLACK


@pytest.mark.parametrize(
    ("warning", "of_more"),
    [
        ('299 archive:8080 "There are 17 additional results that can be requested"', True),
        ("Warning: 299 {+service}: There are 3 additional results that can be requested", True),
        ("299 {+service}: There are additional results that can be requested.", True),
        ("299 archive There are more results", True),
        ('299 archive "The number of results exceeded the maximum supported by the server"', True),
        ('299 archive "Results were truncated"', True),
        ('110 archive "Response is Stale", 299 archive "There are 2 further matches"', True),
        ('299 archive "There are 0 additional results that can be requested"', False),
        ('299 archive "There are no more results"', False),
        (FUZZY["Warning"], False),
        (DEPRECATED["Warning"], False),
        (STALE["Warning"], False),
        ('214 proxy "Transformation Applied"', False),
    ],
)
def test_warnings_that_speak_of_more_results(warning: str, of_more: bool) -> None:
    assert speaks_of_more(warning) is of_more


@pytest.mark.parametrize("cap", [4, 7, 12, 20, 25, 37, 64])
async def test_a_cap_that_says_nothing_is_noticed(cap: int) -> None:
    """page_size 1000, whatever number the archive sends at a time."""
    result, _ = await ask(holds(studies(65), cap=cap), config=replace(CONFIG, page_size=1000))
    assert isinstance(result, Answer)
    assert len(result.rows) == 65
    assert result.complete


async def test_pages_that_end_anywhere_are_read_to_the_end() -> None:
    """The archive cuts by bytes, so that a short page comes after a shorter one."""
    sizes = [7, 3, 9, 2, 4, 40]

    def behave(exchange: Exchange) -> None:
        size = sizes[min(exchange.number - 1, len(sizes) - 1)]
        exchange.rows(studies(65)[exchange.offset :][: min(size, exchange.limit)])

    result, _ = await ask(behave, config=replace(CONFIG, page_size=1000))
    assert isinstance(result, Answer)
    assert (len(result.rows), result.complete) == (65, True)


async def test_rows_that_were_not_asked_for_are_dropped() -> None:
    """The archive ignores every key and sends all it has."""
    result, _ = await ask(says(200, json.dumps(studies(9)).encode()), Selection(study_uids=["1.2.3.4"]))
    assert isinstance(result, Answer)
    assert [text(row, STUDY_INSTANCE_UID) for row in result.rows] == ["1.2.3.4"]


async def test_urls_of_the_archive_are_not_passed_on() -> None:
    row = study(1, t00081190={"vr": "UR", "Value": ["http://inside/x"]})
    result, _ = await ask(says(200, json.dumps([row]).encode()))
    assert "inside" not in str(result)


async def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    client = DicomWebArchive(replace(CONFIG, url=f"http://127.0.0.1:{port}/dicom-web"))
    with pytest.raises(ArchiveError) as caught:
        await client.search_studies(Selection())
    assert caught.value.code == "UNREACHABLE"
    assert (await client.health()).state == "DOWN"
    await client.close()


@pytest.mark.parametrize("name", ["HTML", "404", "500", "reset", "redirect", "hang in body", "Latin-1"])
async def test_messages_carry_no_query(name: str) -> None:
    result, _ = await ask(ERRORS[name][0], Selection(patient_id=SECRET))
    assert isinstance(result, ArchiveError)
    for private in (SECRET, "http", "127.0.0.1", "ann", "Müller"):
        assert private not in result.message
    assert result.message.startswith("x: ")


async def test_a_cancelled_search_frees_its_threads_and_connections() -> None:
    """All connections hang; the caller gives up long before the deadline; the archive then recovers."""
    behaviour = first(2, hangs_before_headers, holds(studies(3)))
    with faulty(behaviour) as server:
        client = DicomWebArchive(replace(CONFIG, url=server.url, timeout=30.0))
        searches = [asyncio.create_task(client.search_studies(Selection())) for _ in range(2)]
        while len(server.asked) < 2:  # noqa: ASYNC110 (the server has no loop to signal with)
            await asyncio.sleep(0.01)
        for search in searches:
            search.cancel()
        async with asyncio.timeout(2):
            assert len((await client.search_studies(Selection())).rows) == 3
        await client.close()


async def test_many_askers_of_a_hung_archive_all_end_in_time() -> None:
    with faulty(hangs_before_headers) as server:
        client = DicomWebArchive(replace(CONFIG, url=server.url))
        begin = time.monotonic()
        searches = (client.search_studies(Selection(study_uids=["1.2.3"])) for _ in range(30))
        results = await asyncio.gather(*searches, return_exceptions=True)
        assert time.monotonic() - begin < DEADLINE * 1.1 + SLACK
        assert {type(result) for result in results} == {TimedOut}
        await client.close()


async def test_an_archive_without_uid_lists_is_asked_one_by_one() -> None:
    def behave(exchange: Exchange) -> None:
        wanted = exchange.query.get("StudyInstanceUID")
        exchange.rows([row for row in studies(5) if wanted in (None, row["0020000D"]["Value"][0])])  # type: ignore[index]

    with faulty(behave) as server:
        client = by_name(DicomWebArchive(replace(CONFIG, url=server.url)))
        wanted = [f"1.2.3.{number}" for number in range(1, 5)]
        with metered() as meter:
            answer = await client.search_studies(Selection(study_uids=wanted))
        assert len(answer.rows) == 4
        assert client.abilities.uid_list is False
        assert meter.total == answer.requests == 2 + 4  # two to find out, and that only once
        assert (await client.search_studies(Selection(study_uids=wanted))).requests == 4
        await client.close()


async def test_an_archive_without_top_level_routes() -> None:
    def behave(exchange: Exchange) -> None:
        uid = {"vr": "UI", "Value": ["1.2.3.1.7"]}
        if exchange.path.endswith("/studies/1.2.3.1/series"):
            exchange.rows([{"0020000E": uid}])  # rows below a study need not repeat its UID
        elif exchange.path.endswith("/studies/1.2.3.1/series/1.2.3.1.7/instances"):
            exchange.rows([{"00080018": {"vr": "UI", "Value": ["1.2.3.1.7.1"]}}])
        elif exchange.path.endswith("/studies"):
            exchange.rows(studies(2))
        else:
            exchange.reply(404)

    with faulty(behave) as server:
        client = DicomWebArchive(replace(CONFIG, url=server.url))
        answer = await client.search_series(Selection(study_uids=["1.2.3.1"], series_uids=["1.2.3.1.7"]))
        assert [text(row, STUDY_INSTANCE_UID) for row in answer.rows] == ["1.2.3.1"]
        answer = await client.search_instances(Selection(study_uids=["1.2.3.1", "1.2.3.9"]))
        assert [key("instances", row) for row in answer.rows] == [("1.2.3.1.7.1", "1.2.3.1.7", "1.2.3.1")]
        asked = len(server.asked)
        assert (await client.search_series(Selection(study_uids=["1.2.3.9"]))).rows == []
        assert len(server.asked) == asked + 2  # the route is known by now; is the study really not there?
        with pytest.raises(Rejected):  # it is there, so no answer is not "no series"
            await client.search_series(Selection(study_uids=["1.2.3.2"]))
        with pytest.raises(NotSupported, match="x: has no top-level /series route"):
            await client.search_series(Selection(series_uids=["1.2.3.1.7"]))
        await client.close()


@pytest.mark.parametrize(
    ("behaviour", "state"),
    [
        (holds(studies(3)), "UP"),
        (says(503), "DEGRADED"),
        (says(429), "DEGRADED"),
        (says(401), "DOWN"),
        (says(200, HTML, "text/html"), "DOWN"),
        (hangs_in_body, "DOWN"),
    ],
)
async def test_health(behaviour: Behaviour, state: str) -> None:
    with faulty(behaviour) as server:
        client = DicomWebArchive(replace(CONFIG, url=server.url))
        health = await client.health()
        await client.close()
    assert health.state == state
    assert (health.error_code is None) is (state == "UP")


@pytest.mark.parametrize("status", [200, 202, 400, 409])
async def test_store_is_judged_by_its_sequences(status: int) -> None:
    def item(uid: str, **more: object) -> dict[str, object]:
        return {"00081155": {"vr": "UI", "Value": [uid]}} | more

    answer = {
        "00081199": {"vr": "SQ", "Value": [item("1.1")]},
        "00081198": {"vr": "SQ", "Value": [item("1.2", **{"00081197": {"vr": "US", "Value": [0xA700]}})]},
    }
    with faulty(says(status, json.dumps(answer).encode())) as server:
        client = DicomWebArchive(replace(CONFIG, url=server.url))
        result = await client.store([b"one", b"two"])
        await client.close()
        assert len(server.asked) == 1
    assert result.stored == ["1.1"]
    assert result.failed == [("1.2", "out of resources (0xA700)")]


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (says(200, b""), "BAD_ANSWER"),
        (says(200, HTML), "BAD_ANSWER"),
        (says(401), "REJECTED"),
        (says(503), "SERVER_ERROR"),
        (resets, "UNREACHABLE"),
        (hangs_before_headers, "TIMEOUT"),
    ],
)
async def test_store_without_a_result_is_an_error_and_not_repeated(behaviour: Behaviour, code: str) -> None:
    with faulty(behaviour) as server:
        client = DicomWebArchive(replace(CONFIG, url=server.url))
        with pytest.raises(ArchiveError) as caught:
            await client.store([b"one"])
        await client.close()
        assert caught.value.code == code
        assert len(server.asked) == 1


def _finds_nothing(exchange: Exchange) -> None:
    exchange.reply(404 if exchange.path.endswith("/metadata") else 204)


async def test_an_archive_that_gives_no_metadata_says_so() -> None:
    def behave(exchange: Exchange) -> None:
        if exchange.path.endswith("/metadata"):
            exchange.reply(404)
        elif exchange.path.endswith("/series"):
            exchange.rows([{"0020000E": {"vr": "UI", "Value": ["1.2.3"]}}])
        else:
            exchange.rows([{"00080018": {"vr": "UI", "Value": ["1.2.3.4"]}}])

    with faulty(behave) as server:
        client = DicomWebArchive(replace(CONFIG, url=server.url))
        for uids in (("1.2",), ("1.2", "1.2.3"), ("1.2", "1.2.3", "1.2.3.4")):
            with pytest.raises(NotSupported, match="x: gives no whole data sets"):
                await client.metadata(*uids)
        await client.close()


async def test_metadata_faults() -> None:
    async def outcome(behaviour: Behaviour, *uids: str) -> object:
        with faulty(behaviour) as server:
            client = DicomWebArchive(replace(CONFIG, url=server.url))
            try:
                return await client.metadata(*uids)
            except ArchiveError as error:
                return error.code
            finally:
                await client.close()

    for uids in (("1.2",), ("1.2", "1.2.3"), ("1.2", "1.2.3", "1.2.3.4")):
        assert await outcome(says(404), *uids) == "REJECTED"  # nor does it say that nothing is there
        assert await outcome(_finds_nothing, *uids) == []
        assert await outcome(says(204), *uids) == []
        assert await outcome(says(200, b"null"), *uids) == "BAD_ANSWER"
        assert await outcome(says(401), *uids) == "REJECTED"


async def test_queries_are_written_so_that_any_server_reads_them() -> None:
    with faulty(holds(studies(3))) as server:
        client = DicomWebArchive(replace(CONFIG, url=server.url))
        await client.search_studies(Selection(study_uids=["1.2.3.1", "1.2.3.2"], patient_id="A B+C"))
        await client.close()
    assert "PatientID=A%20B%2BC" in server.asked[-1]
    assert "StudyInstanceUID=1.2.3." in server.asked[-1]
    assert any("StudyInstanceUID=1.2.3.1,1.2.3.2" in asked for asked in server.asked)


async def test_a_silent_cap_is_probed() -> None:
    with faulty(holds(studies(30), cap=12)) as server:
        client = DicomWebArchive(replace(CONFIG, url=server.url))
        answers = await client.probe()
        await client.close()
    assert answers["cap"] == "12 rows an answer, and there are more"
    assert answers["offset"] == "yes"
    assert answers["change_feed"] == "no"


async def test_a_closed_client_says_so() -> None:
    client = DicomWebArchive(replace(CONFIG, url="http://127.0.0.1:9/dicom-web"))
    await client.close()
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: client.search_studies(Selection()),
        lambda: client.metadata("1.2.3"),
    ]
    for call in calls:
        with pytest.raises(ArchiveError):
            await call()


async def test_a_rejected_answer_tells_its_status() -> None:
    result, _ = await ask(says(403))
    assert isinstance(result, Rejected)
    assert result.status == 403
