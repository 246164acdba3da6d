"""Bodies of several parts (RFC 2387), as this server writes them."""

import secrets
from collections.abc import Iterable, Mapping

from starlette.responses import Response


def new_boundary() -> str:
    """Nothing that an image holds by chance."""
    return secrets.token_hex(16)


def content_type(of: str, boundary: str) -> str:
    return f'multipart/related; type="{of}"; boundary={boundary}'


def part_head(boundary: str, media_type: str, *, is_first: bool) -> bytes:
    before = "" if is_first else "\r\n"
    return f"{before}--{boundary}\r\nContent-Type: {media_type}\r\n\r\n".encode("latin-1")


def tail(boundary: str) -> bytes:
    return f"\r\n--{boundary}--\r\n".encode()


def whole_body(parts: Iterable[tuple[str, bytes]], of: str, headers: Mapping[str, str]) -> Response:
    """parts: (media type, content). of: the type of the first."""
    boundary = new_boundary()
    body = bytearray()
    for media_type, content in parts:
        body += part_head(boundary, media_type, is_first=not body) + content
    body += tail(boundary)
    return Response(bytes(body), headers={**headers, "Content-Type": content_type(of, boundary)})
