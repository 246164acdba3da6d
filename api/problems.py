"""What HTTP refuses before GraphQL sees it: status, code and message as a GraphQL error body."""

from collections.abc import Mapping
from http import HTTPStatus

import orjson
from starlette.responses import Response

JSON = "application/json"
_STATUS = {"FORBIDDEN": 403, "NOT_FOUND": 404, "INTERNAL": 500, "AUDIT_UNAVAILABLE": 503, "TIMEOUT": 503}

_CODES = {
    400: "BAD_REQUEST",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "RATE_LIMITED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


class HttpProblem(Exception):
    """A request that is refused with `status`; the message holds nothing of the request's content."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.media_type = JSON
        self.status, self.message, self.headers = status, message, dict(headers or {})
        self.code = code or _CODES.get(status, HTTPStatus(status).name)

    def response(self) -> Response:
        return problem(self.status, self.code, self.message, media_type=self.media_type, headers=self.headers)


def refusal_of(code: str, message: str) -> HttpProblem:
    """By the code that a GraphQL error has."""
    return HttpProblem(_STATUS.get(code, 400), message, code=code)


def problem(
    status: int,
    code: str,
    message: str,
    *,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
    **more: object,
) -> Response:
    """`{"errors": [{"message": …, "extensions": {"code": …}}]}`"""
    body = {"errors": [{"message": message, "extensions": {"code": code, **more}}]}
    return Response(orjson.dumps(body), status, headers, media_type)


def code_of(status: int) -> str:
    """The code of an HTTP status that something else chose."""
    return _CODES.get(status, HTTPStatus(status).name)
