"""`/graphql` over HTTP: what strawberry leaves out of the GraphQL-over-HTTP specification.

Limits on the document are in guard.py, the words of errors in errors.py.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Never, cast
from weakref import WeakKeyDictionary

import orjson
import structlog
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry import Schema
from strawberry.asgi import GraphQL
from strawberry.exceptions import MissingQueryError
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData, process_result
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from access.audit import purpose_of
from api.admission.gate import Limiter, refuse_haste
from api.admission.leaving import unless_gone
from api.admission.trail import PURPOSE_HEADER, Trail, asking, asking_of
from api.admission.turns import Asker, Turns, asker
from api.document.rules import Rules, permit
from api.graphql.errors import UNKNOWN_OPERATION
from api.graphql.media_types import EVENTS, GRAPHQL, JSON, answer_type
from api.graphql.request_data import Asked, RequestToGraphQL, request_data
from api.graphql.streams import Events, NotTaken, in_time, until, whole_stream
from api.graphql.websocket import Handler, Messages
from api.identity.auth import Identity, seconds_left
from api.identity.cross_site import origin_of
from api.problems import HttpProblem
from db.audit.trail import AuditUnavailable
from model.errors import Forbidden, InputError

ContextFactory = Callable[[Request | WebSocket], Awaitable[Any]]

_log = structlog.stdlib.get_logger("api.graphql")
_METHODS = {"Allow": "GET, POST"}


class GraphQLEndpoint(GraphQL[Any, None]):
    """An ASGI application; give it a schema that went through `guard.guarded`."""

    request_adapter_class = RequestToGraphQL
    graphql_transport_ws_handler_class = Handler
    websocket_adapter_class = Messages
    stream_transport_classes_by_protocol = MappingProxyType({GRAPHQL_SSE_PROTOCOL: Events})

    def __init__(
        self,
        schema: Schema,
        context_factory: ContextFactory,
        identity: Identity | None = None,
        trail: Trail | None = None,
        limiter: Limiter | None = None,
        rules: Rules | None = None,
        *,
        operations_per_socket: int = 20,
        operations_at_once: int = 0,
        send_patience: float = 60.0,
    ) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL),
            connection_init_wait_timeout=timedelta(seconds=10),
            max_subscriptions_per_connection=operations_per_socket,
        )
        self.send_patience = send_patience
        self.turns = Turns(operations_at_once)
        self.sockets: set[Handler] = set()
        self.changing: set[asyncio.Task[Any]] = set()
        """Mutations of WebSockets: they are not ended with their connection."""
        self._results: WeakKeyDictionary[Response, Any] = WeakKeyDictionary()
        self._context_factory = context_factory
        self.identity = identity
        self.trail, self._limiter, self._rules = trail or Trail(None), limiter, rules or Rules()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asking.set(asking_of(HTTPConnection(scope)))
        if scope["type"] != "http":
            # Not known who asks until the first message; then each operation gets a context (websocket.py).
            await self.run(WebSocket(scope, receive, send), context=None)
            return
        async with AsyncExitStack() as until_sent:
            request = Request(scope, receive)
            request.state.until_sent = until_sent
            await self._respond(request, send)

    async def _respond(self, request: Request, send: Send) -> None:
        try:
            response = await self._answer(request)
        except HttpProblem as refused:
            if refused.status != 429:  # or a flood of requests would be a flood of lines
                self.trail.refused(refused.code)
            response = refused.response(_type_for_refusal(request))
        try:
            await response(request.scope, request.receive, in_time(send, self.send_patience))
        except NotTaken:
            _log.info("stream.not_taken")  # the server closes the connection of half an answer
        finally:
            await self._end(response)

    async def _end(self, response: Response) -> None:
        """Lets go of what a stream holds, whether it came to its end or was left."""
        if isinstance(response, StreamingResponse) and (result := self._results.pop(response, None)):
            await cast(Any, response.body_iterator).aclose()
            await cast(Any, result).aclose()

    async def going_away(self) -> None:
        """Ends what is open on WebSockets, because the server stops."""
        await asyncio.gather(*(handler.going_away() for handler in self.sockets))

    def is_websocket_origin_allowed(self, request: WebSocket, origin: str) -> bool:
        """Of pages elsewhere: those under the public URL, whatever Host a proxy passes on."""
        public_url = self.identity.public_url if self.identity is not None else None
        return public_url is not None and origin.lower() == origin_of(request, public_url).lower()

    async def _answer(self, request: Request) -> Response:
        if request.method not in ("GET", "POST"):
            raise HttpProblem(405, "/graphql takes GET and POST.", headers=_METHODS)
        try:
            return await self.run(request)
        except HTTPException as refused:
            raise HttpProblem(refused.status_code, refused.reason) from None
        except InputError as refused:  # of the context: headers that say who asks, and why
            status = 403 if isinstance(refused, Forbidden) else 400
            raise HttpProblem(status, refused.message, code=refused.code) from None

    def should_render_graphql_ide(self, request: object) -> bool:
        """Never: `/` is the page for people, and a browser that comes here learns what is missing."""
        return False

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Any:
        purpose_of(request.headers.get(PURPOSE_HEADER))  # raises for what is no code
        permit.set(self._rules.permit(request))
        context = await self._context_factory(request)
        self._keep_pace(request, context)
        return context

    def _keep_pace(self, request: Request | WebSocket, context: Any) -> None:
        """Raises HttpProblem 429 for a person who asks too often; strangers are told apart by address."""
        refuse_haste(self._limiter, self.who_asks(request, context))

    def who_asks(self, connection: HTTPConnection, context: Any) -> str:
        """Whose operations are counted together: a person's, of strangers those of an address."""
        address = connection.client.host if connection.client else "-"
        person = getattr(getattr(context, "viewer", None), "subject", None)
        return f"subject {person}" if person else f"address {address}"

    async def _create_streaming_response(
        self, request: Request, result: Any, protocol: Any, sub_response: Response
    ) -> Response:
        response = await super()._create_streaming_response(request, result, protocol, sub_response)
        self._results[response] = result
        return response

    async def create_streaming_response(
        self,
        request: Request | WebSocket,
        stream: Callable[[], AsyncIterator[str]],
        sub_response: Response,
        headers: Mapping[str, str],
    ) -> Response:
        """A stream ends when the right to it does."""
        left = seconds_left(request)
        limited = stream if left is None else until(stream, left)
        return await super().create_streaming_response(request, limited, sub_response, headers)

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        """Carries the media type of the answer from the request to `create_response`."""
        response = await super().get_sub_response(request)
        response.media_type = answer_type(request.headers.get("accept"))
        return response

    async def query_of(self, payload: object) -> Asked:
        """What a message of a WebSocket asks to be run, by the rules of requests. Raises HttpProblem."""
        return await request_data(payload, self._rules.persisted, 200)

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> Asked:
        asked = cast(RequestToGraphQL, request)
        return await asked.data(self._rules.max_body, self._rules.persisted)

    async def execute_operation(
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        request_data: GraphQLRequestData | list[GraphQLRequestData],
        context: Any,
        root_value: None,
        sub_response: Response,
    ) -> Any:
        """For a client that is there. A mutation goes on without one: it is not left half done."""
        asked = cast(Asked, request_data)
        if asked.protocol == "sse" and asked.kind is OperationType.MUTATION:
            asked.protocol, sub_response.media_type = "http", EVENTS  # a stream ends with its client
        if asked.kind is not OperationType.SUBSCRIPTION:
            asker.set(Asker(self.turns, self.who_asks(request, context), request.state.until_sent))
        work = super().execute_operation(request, request_adapter, asked, context, root_value, sub_response)
        if asked.kind is OperationType.MUTATION:
            return await work
        return await unless_gone(request.receive, work)

    async def execute_single(
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        sub_response: Response,
        context: Any,
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        try:
            return await self.schema.execute(
                request_data.query,
                variable_values=request_data.variables,
                context_value=context,
                operation_name=request_data.operation_name,
                allowed_operation_types=OperationType.from_http(request_adapter.method)
                - {OperationType.SUBSCRIPTION},
                operation_extensions=request_data.extensions,
            )
        except (CannotGetOperationTypeError, InvalidOperationTypeError, MissingQueryError) as error:
            _refuse(error, request_adapter.method)

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        body = process_result(result)
        if _is_request_error(result):
            body.pop("data", None)  # nothing was run, so there is no data, not even null
        return body

    def create_response(
        self, response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse], sub_response: Response
    ) -> Response:
        media_type = sub_response.media_type or JSON
        refused = "data" not in response_data
        body = _dumped(response_data)
        response = Response(
            whole_stream(body) if media_type == EVENTS else body,
            # Older clients take anything but 200 for a broken server (GraphQL over HTTP, 6.4.1).
            status_code=_status(response_data, media_type) if refused else sub_response.status_code or 200,
            media_type=media_type,
        )
        response.headers["Content-Type"] = f"{media_type}; charset=utf-8"
        response.headers["Vary"] = "Accept"
        response.background = sub_response.background
        return response

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)

    def encode_json(self, data: object) -> str:
        return _dumped(data).decode()


def _refuse(error: Exception, method: str) -> Never:
    if isinstance(error, InvalidOperationTypeError):
        kind = error.operation_type.value
        if method == "GET" and kind == "mutation":
            raise HttpProblem(405, "GET runs queries only: POST a mutation.", headers={"Allow": "POST"})
        raise HttpProblem(400, f"A {kind} needs Accept: text/event-stream.")
    raise HttpProblem(400, UNKNOWN_OPERATION)


def _status(refusal: Any, media_type: str) -> int:
    codes = {error.get("extensions", {}).get("code") for error in refusal.get("errors", ())}
    if AuditUnavailable.code in codes:
        return 503
    return 400 if media_type == GRAPHQL else 200


def _is_request_error(result: ExecutionResult) -> bool:
    """Whether the operation was refused before any field of it ran: its errors have no path."""
    return result.data is None and bool(result.errors) and all(e.path is None for e in result.errors or ())


def _dumped(data: object) -> bytes:
    """JSON in UTF-8. What orjson refuses (integers beyond 64 bits, lone surrogates) json still writes."""
    try:
        return orjson.dumps(data)
    except orjson.JSONEncodeError:
        return json.dumps(data, separators=(",", ":"), allow_nan=False).encode()


def _type_for_refusal(request: Request) -> str:
    try:
        return answer_type(request.headers.get("accept"))
    except HttpProblem:
        return JSON
