"""The log: JSON lines or text, from structlog and the standard library, without messages of exceptions."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from api.logging import configure_logging, frames_of
from db.outage import outage_of
from tests.api.tiny import PATIENT


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _reset() -> Iterator[None]:
    yield
    structlog.reset_defaults()
    configure_logging("info", sys.__stderr__)


def fail() -> None:
    try:
        raise ValueError(PATIENT)
    except ValueError as error:
        raise RuntimeError(f"cannot read {PATIENT}") from error


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_exceptions_are_logged_without_their_messages(stream: io.StringIO) -> None:
    configure_logging("info", stream)
    try:
        fail()
    except RuntimeError as error:
        logging.getLogger("a.library").exception("it failed")
        logging.getLogger("a.library").error("again", exc_info=error)
        structlog.get_logger("ours").exception("ours.failed")
        structlog.get_logger("ours").error("ours.failed", exc_info=error)
    text = stream.getvalue()
    assert text.count("RuntimeError") == text.count("ValueError") == 4
    assert "ller" not in text


def test_json_lines_and_the_level() -> None:
    stream = io.StringIO()
    configure_logging("warning", stream)
    structlog.get_logger("ours").info("quiet")
    structlog.get_logger("ours").warning("loud", archive="vascern")
    logging.getLogger("uvicorn.access").info("GET /graphql?query=secret")
    logging.getLogger("theirs").warning("loud too")
    first, second = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (first["event"], first["archive"], first["level"], first["logger"]) == (
        "loud",
        "vascern",
        "warning",
        "ours",
    )
    assert (second["event"], second["logger"]) == ("loud too", "theirs")
    assert first["timestamp"].endswith("Z")


def test_access_lines_of_uvicorn_stay_out_at_every_level() -> None:
    stream = io.StringIO()
    configure_logging("debug", stream)
    logging.getLogger("uvicorn.access").info("GET /graphql?query=secret")
    assert stream.getvalue() == ""


def test_what_a_library_meets_in_an_outage_is_no_news(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.outage._outages", {})  # another test may have left a database for good
    stream = io.StringIO()
    configure_logging("debug", stream)
    outage = outage_of("postgresql://somebody")
    outage.met(error := ConnectionResetError())
    logging.getLogger("theirs").error("no connection", exc_info=error)
    logging.getLogger("theirs").error("another", exc_info=ValueError())
    outage._since = None
    logging.getLogger("theirs").error("no connection again", exc_info=error)
    events = [json.loads(line)["event"] for line in stream.getvalue().splitlines()]
    assert events == ["database.away", "another", "no connection again"]


def test_parsers_and_clients_quote_nothing() -> None:
    """pydicom names the value that it cannot read, and a client of archives the query that it sends."""
    stream = io.StringIO()
    configure_logging("debug", stream)
    logging.getLogger("pydicom").error("Invalid value for VR UI: %s", PATIENT)
    logging.getLogger("urllib3.connectionpool").debug("GET /studies?PatientName=%s", PATIENT)
    logging.getLogger("dicomweb_client.web").info("GET /studies?PatientName=%s", PATIENT)
    assert stream.getvalue() == ""


def test_frames_end_where_causes_go_in_circles() -> None:
    one, other = ValueError("a"), KeyError("b")
    one.__cause__, other.__cause__ = other, one
    assert frames_of(one).split() == ["ValueError", "KeyError"]
