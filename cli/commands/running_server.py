"""Asking a running server over HTTP: what `ernfed query`, `ernfed export` and `ernfed upload` share."""

import contextlib
import http.client
import ipaddress
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from archives.stow import Body
from model.errors import OperatorError


class NotAnswered(OperatorError):
    """No answer that could be shown; the message says why and what to do."""


def access_token(file: Path | None) -> str | None:
    """The access token in a file, where one is named. Raises NotAnswered."""
    if file is None:
        return None
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotAnswered(f"--token-file {file} cannot be read: {type(error).__name__}") from None


def json_object(option: str, text: str, example: str) -> dict[str, Any]:
    """The object that an option holds. Raises NotAnswered."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise NotAnswered(f"{option} is not JSON: {error.msg} at column {error.colno}") from None
    if not isinstance(value, dict):
        raise NotAnswered(f"{option} must be a JSON object, for example {example}")
    return value


@contextlib.contextmanager
def posted(
    url: str, body: dict[str, Any], timeout: float, headers: dict[str, str], token: str | None
) -> Iterator[http.client.HTTPResponse | urllib.error.HTTPError]:
    """The answer to a POST of JSON, as `sent` gives it."""
    headers = {"Content-Type": "application/json"} | headers
    with sent(url, json.dumps(body).encode(), timeout, headers, token) as answer:
        yield answer


@contextlib.contextmanager
def sent(
    url: str, body: bytes | Body, timeout: float, headers: dict[str, str], token: str | None
) -> Iterator[http.client.HTTPResponse | urllib.error.HTTPError]:
    """The answer to a POST, to be read; also one that refuses. Raises NotAnswered.

    timeout: seconds to wait for each piece of it.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotAnswered(f"--url {url} is not an http:// or https:// address.")
    shown = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(  # noqa: S310 (the scheme is checked above)
        url, cast(bytes, body), headers | shown
    )
    try:
        try:
            answer = _opener(parts.hostname).open(request, timeout=timeout)
        except urllib.error.HTTPError as refusal:
            answer = refusal
        with answer:
            yield answer
    except TimeoutError:
        raise NotAnswered(f"{url} did not answer within {timeout:g} s (--timeout).") from None
    except http.client.HTTPException:
        raise NotAnswered(f"{url} closed the connection before the answer was complete.") from None
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise NotAnswered(
            f"nothing answers at {url} ({reason}). Start a server with: ernfed serve   (or give --url)"
        ) from None


class _Listening(http.client.HTTPConnection):
    """Hears what a server says that refuses a body before all of it came: there the rest cannot be sent."""

    _refused = False

    def send(self, data: Any) -> None:
        if self._refused:
            return
        try:
            super().send(data)
        except (BrokenPipeError, ConnectionResetError):
            if self.sock is None:
                raise
            self._refused = True


class _ListeningSecurely(_Listening, http.client.HTTPSConnection):
    pass


class _Http(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Listening, req)


class _Https(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_ListeningSecurely, req)


def _opener(host: str) -> urllib.request.OpenerDirector:
    """This machine is never asked through a proxy."""
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    no_proxy = [urllib.request.ProxyHandler({})] if local else []
    return urllib.request.build_opener(_Http, _Https, *no_proxy)
