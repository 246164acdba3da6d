"""From the bytes of a request to /graphql to what it asks for; what does not fit is refused as HTTP has it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from cross_web import StarletteRequestAdapter
from strawberry.http import GraphQLRequestData
from strawberry.types.graphql import OperationType

from api.document.limits import MAX_DOCUMENT
from api.document.persisted import Persisted
from api.document.reading_thread import beside
from api.graphql.media_types import GRAPHQL, answer_type, is_stream, require_json
from api.graphql.operations import kind_of
from api.problems import HttpProblem


@dataclass
class Asked(GraphQLRequestData):
    """kind: of the operation that is to be run."""

    kind: OperationType = OperationType.QUERY


class RequestToGraphQL(StarletteRequestAdapter):
    """A request of whose body no more than is allowed is ever in memory."""

    async def data(self, most_bytes: int, persisted: Persisted) -> Asked:
        """Raises HttpProblem."""
        if self.method == "GET":
            given: Any = dict(self.query_params)
            for name in ("variables", "extensions"):
                given[name] = _parsed(given[name]) if given.get(name) else None
            given["operationName"] = given.get("operationName") or None
        else:
            require_json(self.content_type)
            given = _parsed(await self.body_of(most_bytes))
        accept = self.headers.get("accept")
        status = 400 if answer_type(accept) == GRAPHQL else 200
        asked = await request_data(given, persisted, status)
        if is_stream(accept, goes_on=asked.kind is OperationType.SUBSCRIPTION):
            asked.protocol = "sse"
        return asked

    async def body_of(self, most: int) -> bytes:
        """Raises HttpProblem 413."""
        too_large = HttpProblem(413, f"The request is larger than {most} bytes.")
        length = self._request.headers.get("content-length", "")
        if length.isascii() and length.isdigit() and int(length) > most:
            raise too_large
        body = bytearray()
        async for chunk in self._request.stream():
            body += chunk
            if len(body) > most:
                raise too_large
        return bytes(body)


def _parsed(text: str | bytes) -> object:
    try:
        return orjson.loads(text)
    except json.JSONDecodeError:
        raise HttpProblem(400, "The request is not valid JSON.") from None


async def request_data(data: Any, persisted: Persisted, status: int) -> Asked:
    """What the members of a request ask for. status: of the answer for a name that is not known. Raises HttpProblem."""
    if isinstance(data, list):
        raise HttpProblem(400, "Batches are not taken: send one operation, with several fields if need be.")
    if not isinstance(data, dict):
        raise HttpProblem(400, "The request must be a JSON object with the member query.")
    query = persisted.document(data, status)
    if not isinstance(query, str) or not query.strip():
        raise HttpProblem(400, "The member query must be a string that holds a GraphQL document.")
    if len(query) > MAX_DOCUMENT:
        words = f"The document has more than {MAX_DOCUMENT} characters: values go into variables."
        raise HttpProblem(413, words, code="QUERY_TOO_LARGE")
    _check_kinds(data)
    name = data.get("operationName")
    return Asked(
        query=query,
        variables=data.get("variables"),
        operation_name=name,
        extensions=data.get("extensions"),
        kind=await beside(query, partial(kind_of, query, name)),
    )


def _check_kinds(data: Mapping[str, Any]) -> None:
    for name, kind, words in (
        ("variables", dict, "an object"),
        ("extensions", dict, "an object"),
        ("operationName", str, "a string"),
    ):
        if not isinstance(data.get(name), kind | None):
            raise HttpProblem(400, f"The member {name} must be {words} or null.")
