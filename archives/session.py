"""The guard between dicomweb-client and the network: a requests session that trusts no answer.

Every request has a deadline and a size cap, follows no redirect, keeps no cookies, and either returns a
whole body or raises an ArchiveError. What DICOM says in the body is not judged here.
"""

import codecs
import json
import os
import re
import socket
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, cast
from urllib.parse import quote

import orjson
import requests
from urllib3.exceptions import HTTPError as TransportError
from urllib3.exceptions import ProtocolError

from archives.connection import Call, CuttableAdapter, PiecewiseBody, current_call
from archives.errors import ArchiveError, BadAnswer, Rejected, ServerFailed, TimedOut, TooLarge, Unreachable

CHUNK = 64 * 1024
PIECE = 256 * 1024
"""Of an answer that is passed on."""

# What a query is to carry encoded, whatever the library makes of it: characters that no UID has stand for it.
ENCODED_COMMA = "\x1d"
ENCODED_DOT = "\x1e"
# dicomweb-client encodes the commas of a UID list: servers are to decode them, and some do not.
_UID_KEY = re.compile(r"(?<=InstanceUID=)[^&]*")
_PLAIN_UIDS = re.compile(r"(?:[0-9A-Za-z._~-]|%2C)+\Z")


# Numbers that JSON has not, and many servers write.
_NO_NUMBERS = (b"NaN", b"Infinity")
# What orjson says of numbers that are too large for it, and of "\\ud800".
_NOT_FOR_ORJSON = ("infinity", "surrogate in string")
# An integer that may have more than 64 bits, or text that looks like it: a second look costs little.
_MANY_DIGITS = re.compile(rb"[\[,:]\s*-?[0-9]{19,}\s*[\],}]")
_HALF = re.compile(r"[\ud800-\udfff]")
_ORJSON_READS = range(-(2**63), 2**64)


class Answered(requests.Response):
    """A response whose body is read; its JSON is strict UTF-8 and never guessed, but for a BOM, NaN, Infinity and
    halves of characters. An integer of more than 64 bits is its digits: as a float it would be another number."""

    def json(self, **_: Any) -> Any:
        body = self.content.removeprefix(codecs.BOM_UTF8)
        try:
            found = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            if any(word in error.msg for word in _NOT_FOR_ORJSON) or any(
                word in body for word in _NO_NUMBERS
            ):
                with suppress(ValueError, RecursionError):
                    return _exactly(body)
            raise BadAnswer(_why_not_json(self, error)) from None
        if _MANY_DIGITS.search(body):
            with suppress(ValueError, RecursionError):  # deeper than this parser goes
                return _exactly(body)
        return found


def _exactly(body: bytes) -> Any:
    """Raises ValueError, RecursionError."""
    found = json.loads(body.decode(), parse_int=_integer)
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a half of a character is in no text
        return json.loads(_HALF.sub("\ufffd", json.dumps(found, ensure_ascii=False)))
    return found


def _integer(digits: str) -> int | str:
    if len(digits) <= 18:
        return int(digits)
    # as int() reads it: digits without end are text, too
    return number if len(digits) <= 21 and (number := int(digits)) in _ORJSON_READS else digits


class GuardedSession(requests.Session):
    """Used from several threads at once; each must have set its `Call` (connection.py) before."""

    def __init__(self, archive: str, connections: int, max_bytes: int) -> None:
        super().__init__()
        self.archive = archive
        self.max_bytes = max_bytes
        # No netrc, no proxies from the environment: an archive gets its own credentials and no others.
        self.trust_env = False
        self.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or True
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = CuttableAdapter(connections)
        self.mount("http://", adapter)
        self.mount("https://", adapter)

    def send(self, request: requests.PreparedRequest, **options: Any) -> Answered:
        """One exchange inside the deadline of the thread's call."""
        call = current_call() or Call(seconds=5.0)
        # dicomweb-client sets Host without the port; urllib3 knows better.
        request.headers.pop("Host", None)
        request.url = _plain_query(request.url or "")
        options |= {"stream": True, "allow_redirects": False, "timeout": call.remaining()}
        try:
            with super().send(request, **options) as response:
                passed_on = call.flow is not None and response.status_code == 200
                answered = (self._pass_on if passed_on else self._read)(response, call)
        except ArchiveError:
            raise
        except (requests.RequestException, TransportError, OSError, ValueError) as error:
            raise self._failure(error, call) from None
        finally:
            call.release()
        if (warning := answered.headers.get("Warning")) is not None:
            call.warnings.append(warning)
        call.server = answered.headers.get("Server")
        call.is_part = answered.status_code == 206
        call.size = len(answered.content)
        if not call.any_status:
            self._judge_status(answered)
        return answered

    def _read(self, response: requests.Response, call: Call) -> Answered:
        announced = response.headers.get("Content-Length", "")
        if announced.isdigit() and int(announced) > self.max_bytes:
            raise self._too_large()
        body = bytearray()
        try:
            while chunk := response.raw.read1(CHUNK, decode_content=True):
                body += chunk
                if len(body) > self.max_bytes:
                    raise self._too_large()
                if call.is_over:
                    raise self._too_late()
            if call.is_over:  # a socket that was cut reads as an end
                raise self._too_late()
            self._judge_length(response, len(body))
        except BaseException:
            body.clear()  # who keeps the error keeps this frame: of each of many that fail a body would stay
            raise
        answered = Answered()
        answered.__dict__.update(response.__dict__)
        answered._content = bytes(body)
        return answered

    def _pass_on(self, response: requests.Response, call: Call) -> Answered:
        """To who takes it piece by piece, each with a deadline of its own; the answer that is returned is empty."""
        flow, announced, size = cast(PiecewiseBody, call.flow), response.headers.get("Content-Length", ""), 0
        flow.begin(response.headers)
        piece = bytearray()
        while chunk := response.raw.read1(PIECE - len(piece), decode_content=True):
            size += len(chunk)
            piece += chunk
            if call.is_over:
                raise self._too_late()
            if len(piece) == PIECE:
                flow.put(bytes(piece))
                piece.clear()
        if call.is_over:
            raise self._too_late()
        if announced.isdigit() and "Content-Encoding" not in response.headers and size < int(announced):
            raise ConnectionLost(f"{self.archive}: connection closed before the answer was complete")
        if piece:
            flow.put(bytes(piece))
        answered = Answered()
        answered.__dict__.update(response.__dict__)
        answered._content = b""
        return answered

    def _too_large(self) -> TooLarge:
        return TooLarge(f"{self.archive}: the answer is larger than {self.max_bytes:,} bytes")

    def _judge_length(self, response: requests.Response, size: int) -> None:
        """A connection that closes early is not an error to read1. size: bytes that came."""
        announced = response.headers.get("Content-Length", "")
        is_plain = announced.isdigit() and "Content-Encoding" not in response.headers
        if is_plain and response.status_code != 204 and size < int(announced):
            raise ConnectionLost(f"{self.archive}: connection closed before the answer was complete")

    def _judge_status(self, response: requests.Response) -> None:
        status = response.status_code
        wait = seconds_of(response.headers.get("Retry-After"))
        if status >= 500 and status != 501:  # 501 is about this request, not about the server
            raise ServerFailed(f"{self.archive}: answered {status}", status, wait)
        if status >= 400:
            hint = {401: " (credentials needed or wrong)", 403: " (not allowed)", 429: " (asked too often)"}
            raise Rejected(f"{self.archive}: answered {status}{hint.get(status, '')}", status, wait)
        if status >= 300:
            raise BadAnswer(f"{self.archive}: redirected elsewhere ({status}); check its url", status)

    def _failure(self, error: Exception, call: Call) -> ArchiveError:
        causes = _causes(error)
        if call.is_over or any(isinstance(cause, requests.Timeout | socket.timeout) for cause in causes):
            return self._too_late()
        if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
            return Unreachable(f"{self.archive}: connection refused")
        if any(isinstance(cause, socket.gaierror) for cause in causes):
            return Unreachable(f"{self.archive}: its host name cannot be resolved")
        if any(isinstance(cause, requests.exceptions.SSLError) for cause in causes):
            return Unreachable(f"{self.archive}: its TLS certificate or protocol is not accepted")
        if any(isinstance(cause, ConnectionError | ProtocolError) for cause in causes):
            return ConnectionLost(f"{self.archive}: connection closed before the answer was complete")
        if isinstance(error, ValueError) and not isinstance(error, requests.RequestException):
            return BadAnswer(f"{self.archive}: the answer cannot be read ({type(error).__name__})")
        return Unreachable(f"{self.archive}: no connection ({type(error).__name__})")

    def _too_late(self) -> TimedOut:
        return TimedOut(f"{self.archive}: no complete answer inside the deadline")


def seconds_of(retry_after: str | None) -> float | None:
    """A Retry-After (RFC 9110 10.2.3), seconds or a date, as seconds from now; None where there is none."""
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        then = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max((then.replace(tzinfo=then.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 0.0)


def _plain_query(url: str) -> str:
    """Commas of UID lists as they are, and spaces as %20: `+` is a space in forms only (RFC 3986)."""
    path, mark, query = url.partition("?")
    return f"{path}{mark}{_UID_KEY.sub(_plain_uids, query).replace('+', '%20')}"


def _plain_uids(found: re.Match[str]) -> str:
    uids = found[0].replace("%2C", ",") if _PLAIN_UIDS.match(found[0]) else found[0]
    return uids.replace(quote(ENCODED_COMMA), "%2C").replace(quote(ENCODED_DOT), "%2E")


class ConnectionLost(Unreachable):
    """Was connected; the one kind of Unreachable that is worth another try at once."""


def _causes(error: BaseException | None) -> list[BaseException]:
    """The error, what it came from, and what requests and urllib3 carry in `args` and `reason`."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return found


def _why_not_json(response: requests.Response, error: orjson.JSONDecodeError) -> str:
    body = response.content
    if "html" in response.headers.get("Content-Type", "").lower() or body.lstrip()[:1] == b"<":
        return "an HTML or XML page instead of DICOM JSON; check the url"
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return "the answer is not UTF-8"
    return f"not JSON, or only a part of it: {len(body):,} bytes, broken at byte {error.pos:,}"
