"""`/graphql` over HTTP, as the specification GraphQL over HTTP has it.

Limits on the document are in guard.py, the words of errors in errors.py.
"""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from typing import Any, Never

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry import Schema
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from api.admission.admission import Admission
from api.admission.leaving import ClosedStream, unless_gone
from api.graphql.answers import answer_of, dumped, told
from api.graphql.errors import UNKNOWN_OPERATION
from api.graphql.media_types import EVENTS, JSON, answer_type, is_stream
from api.graphql.request_data import AskedOperation, asked_by
from api.graphql.streams import HEADERS, events
from api.identity.auth import seconds_left
from api.problems import HttpProblem


class GraphQLEndpoint:
    """An ASGI application; give it a schema that went through `guard.guarded`."""

    def __init__(self, schema: Schema, admission: Admission) -> None:
        self._schema, self._admission = schema, admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        async with AsyncExitStack() as until_sent:
            try:
                response = await self._answer(request, until_sent)
            except HttpProblem as refused:
                refused.media_type = _type_for_refusal(request)
                raise
            await response(scope, receive, send)

    async def _answer(self, request: Request, until_sent: AsyncExitStack) -> Response:
        if request.method not in ("GET", "POST"):
            raise HttpProblem(405, "/graphql takes GET and POST.", headers={"Allow": "GET, POST"})
        accept = request.headers.get("accept")
        media_type = answer_type(accept)
        context = await self._admission.enter(request)
        rules = self._admission.rules
        asked = await asked_by(request, rules.max_body, rules.persisted)
        if asked.kind is not OperationType.SUBSCRIPTION:
            self._admission.takes_turns(request, context, until_sent)
        streams = is_stream(accept, goes_on=asked.kind is OperationType.SUBSCRIPTION)
        if asked.kind is OperationType.MUTATION:  # goes on without its client: it is not left half done
            return answer_of(await self._result(request, asked, context), EVENTS if streams else media_type)
        if streams:
            return ClosedStream(
                events(self._answers(request, asked, context), seconds_left(request)), headers=HEADERS
            )
        return answer_of(
            await unless_gone(request.receive, self._result(request, asked, context)), media_type
        )

    async def _result(self, request: Request, asked: AskedOperation, context: Any) -> Any:
        try:
            return await self._schema.execute(
                **asked.arguments(context),
                allowed_operation_types=_allowed(request) - {OperationType.SUBSCRIPTION},
            )
        except (CannotGetOperationTypeError, InvalidOperationTypeError, MissingQueryError) as error:
            _refuse(error, request.method)

    async def _answers(self, request: Request, asked: AskedOperation, context: Any) -> AsyncGenerator[bytes]:
        """One answer, or that of each event."""
        results: Any = await self._schema.stream(
            **asked.arguments(context), allowed_operation_types=_allowed(request)
        )
        async with aclosing(results):
            async for result in results:
                yield dumped(told(result))


def _allowed(request: Request) -> set[OperationType]:
    return OperationType.from_http("GET" if request.method == "GET" else "POST")


def _refuse(error: Exception, method: str) -> Never:
    if isinstance(error, InvalidOperationTypeError):
        kind = error.operation_type.value
        if method == "GET" and kind == "mutation":
            raise HttpProblem(405, "GET runs queries only: POST a mutation.", headers={"Allow": "POST"})
        raise HttpProblem(400, f"A {kind} needs Accept: text/event-stream.")
    raise HttpProblem(400, UNKNOWN_OPERATION)


def _type_for_refusal(request: Request) -> str:
    try:
        return answer_type(request.headers.get("accept"))
    except HttpProblem:
        return JSON
