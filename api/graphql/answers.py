"""From the result of an operation to what a client reads of it, by the rules of GraphQL over HTTP."""

import json
from typing import Any

import orjson
from starlette.responses import Response

from api.graphql.media_types import EVENTS, GRAPHQL
from api.graphql.streams import whole_stream
from api.problems import HttpProblem, refusal_of
from db.audit.log import AuditUnavailable


def answer_of(result: Any, media_type: str) -> Response:
    """The whole answer."""
    body = told(result)
    response = Response(
        whole_stream(dumped(body)) if media_type == EVENTS else dumped(body),
        200 if "data" in body else _status(body, media_type),
        media_type=media_type,
    )
    response.headers["Content-Type"] = f"{media_type}; charset=utf-8"
    response.headers["Vary"] = "Accept"
    return response


def told(result: Any) -> dict[str, Any]:
    """`data`, `errors` and `extensions`. Where nothing was run there is no data, not even null: the errors of an
    operation that was refused before any field of it ran have no path."""
    errors, extensions = result.errors, result.extensions
    refused = result.data is None and bool(errors) and all(error.path is None for error in errors)
    return {
        **({} if refused else {"data": result.data}),
        **({"errors": [error.formatted for error in errors]} if errors else {}),
        **({"extensions": extensions} if extensions else {}),
    }


def refusal(result: Any) -> HttpProblem:
    """Its first error, for what answers otherwise than in GraphQL."""
    error = result.errors[0]
    return refusal_of(str((error.extensions or {}).get("code", "INTERNAL")), error.message)


def dumped(data: object) -> bytes:
    """JSON in UTF-8. What orjson refuses (integers beyond 64 bits, lone surrogates) json still writes."""
    try:
        return orjson.dumps(data)
    except orjson.JSONEncodeError:
        return json.dumps(data, separators=(",", ":"), allow_nan=False).encode()


def _status(refusal: dict[str, Any], media_type: str) -> int:
    """Older clients take anything but 200 for a broken server (GraphQL over HTTP, 6.4.1)."""
    codes = {error.get("extensions", {}).get("code") for error in refusal.get("errors", ())}
    if AuditUnavailable.code in codes:
        return 503
    return 400 if media_type == GRAPHQL else 200
