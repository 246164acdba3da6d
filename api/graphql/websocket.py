"""graphql-transport-ws: who is asking is said by the connection_init message, and holds until it expires.

Close codes of ours: 1001 the server stops; 4400 no message of the protocol; 4401 nobody we know, or no longer; 4403
somebody elsewhere's page; 4429 the client takes nothing; 4503 cannot tell now. uvicorn's: 1007 text that is not UTF-8;
1009 a message larger than may be; 1011 a ping was not answered. What is wrong with one operation is an `error` for its
id, and the connection goes on.
"""

import asyncio
import contextlib
from contextlib import AsyncExitStack
from copy import copy
from typing import TYPE_CHECKING, Any, cast

from graphql import GraphQLError
from starlette.websockets import WebSocket, WebSocketDisconnect
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    Operation,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    ConnectionInitMessage,
    Message,
    SubscribeMessage,
)
from strawberry.types.graphql import OperationType

from api.admission.turns import Asker, asker
from api.identity.auth import Identity, remember, seconds_left
from api.problems import HttpProblem
from db.callers import calling
from model.errors import InputError

if TYPE_CHECKING:
    from api.graphql.endpoint import GraphQLEndpoint

_UNAUTHENTICATED = 4401
_CODES = {403: 4403, 503: 4503}
_LONGEST_ID = 256
_TYPES = frozenset({"connection_init", "ping", "pong", "subscribe", "complete"})


class Messages(ASGIWebSocketAdapter):
    """What is sent and received on one connection."""

    async def close(self, code: int, reason: str) -> None:
        """Only so much of the reason as fits into a close frame, at most 123 bytes."""
        await super().close(code, reason.encode()[:123].decode(errors="ignore"))


class Handler(BaseGraphQLTransportWSHandler[Any, None]):
    """One connection. Each of its operations has a context of its own, so that loaders remember nothing."""

    _clock: "asyncio.Task[None] | None" = None
    _deaf: asyncio.Event
    _kinds: dict[str, OperationType]
    """Of operations that begin, by their id."""

    async def handle(self) -> None:
        self._kinds = {}
        self._deaf = asyncio.Event()
        self._view.sockets.add(self)
        handling = asyncio.create_task(super().handle(), name="websocket")
        deaf = asyncio.create_task(self._deaf.wait())
        try:
            await asyncio.wait({handling, deaf}, return_when=asyncio.FIRST_COMPLETED)
            if handling.done() or await self._told_to_go():
                await handling
        finally:
            self._view.sockets.discard(self)
            deaf.cancel()
            handling.cancel()
            await asyncio.wait({handling})

    async def going_away(self) -> None:
        """Closes the connection because the server stops."""
        with contextlib.suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
            async with asyncio.timeout(1):
                await self.websocket.close(1001, "The server stops")

    async def handle_message(self, message: Message) -> None:
        """Whatever JSON it is. Others have their turn between two messages, however many have come at once."""
        await asyncio.sleep(0)
        if (wrong := _wrong(message)) is not None:
            await self.handle_invalid_message(wrong)
        else:
            await super().handle_message(message)

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        """Takes what a request over HTTP may hold, by the same rules; one too many is not even looked at."""
        changes = False
        if self.connection_acknowledged and message["id"] not in self.operations:
            try:
                if len(self.operations) >= (self.max_subscriptions_per_connection or 0):
                    raise HttpProblem(
                        429,
                        f"{len(self.operations)} operations are open on this connection, the most there may be.",
                        code="TOO_MANY_SUBSCRIPTIONS",
                    )
                asked = await self._view.query_of(message.get("payload"))
                self._kinds[message["id"]] = asked.kind
                changes = asked.kind is OperationType.MUTATION
            except HttpProblem as refused:
                error = GraphQLError(refused.message, extensions={"code": refused.code})
                await self.send_message({"id": message["id"], "type": "error", "payload": [error.formatted]})
                return
            message["payload"]["query"] = asked.query or ""
        await super().handle_subscribe(message)
        if changes and (operation := self.operations.get(message["id"])) and operation.task:
            self._view.changing.add(operation.task)
            operation.task.add_done_callback(self._view.changing.discard)

    async def cleanup_operation(self, operation_id: str) -> None:
        """Ends it, at once, as its client wishes or because there is none any more. A mutation goes on, unheard."""
        operation = self.operations.get(operation_id)
        if operation is not None and operation.task in self._view.changing:
            operation.completed = True
            self.forget_id(operation_id)
        else:
            await super().cleanup_operation(operation_id)

    async def send_message(self, message: Message) -> None:
        """Raises WebSocketDisconnected where the client takes nothing: it is then cut off."""
        if self._deaf.is_set():
            raise WebSocketDisconnected
        try:
            async with asyncio.timeout(self._view.send_patience):
                await super().send_message(message)
        except TimeoutError:
            self._deaf.set()
            raise WebSocketDisconnected from None

    async def handle_task_exception(self, error: Exception) -> None:
        """That a client went away is no fault."""
        if not isinstance(error, WebSocketDisconnected):
            await super().handle_task_exception(error)

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        identity = getattr(self.view, "identity", None)
        if message.get("payload") is None:
            message.pop("payload", None)  # null says the same
        payload = message.get("payload", {})
        if isinstance(identity, Identity) and isinstance(payload, dict):
            try:
                remember(self._socket, await identity.authenticate_stream(self._socket, payload))
            except HttpProblem as refused:
                await self.websocket.close(_CODES.get(refused.status, _UNAUTHENTICATED), refused.message)
                return
            if (left := seconds_left(self._socket)) is not None and self._clock is None:
                self._clock = asyncio.create_task(self._close_after(left), name="expiry of a websocket")
        await super().handle_connection_init(message)

    @staticmethod
    def _get_pre_execution_close_reason(error: GraphQLError) -> None:
        """One operation that cannot be run closes no connection that others share."""

    async def run_operation(self, operation: Operation[Any, None]) -> None:
        own = copy(self)
        try:
            own.context = await self.view.get_context(self._socket, self._socket)
        except (HttpProblem, InputError) as refused:
            await operation.send_initial_errors(
                [GraphQLError(refused.message, extensions={"code": refused.code})]
            )
            return
        async with AsyncExitStack() as until_sent:
            if self._kinds.pop(operation.id, None) is not OperationType.SUBSCRIPTION:
                who = self._view.who_asks(self._socket, own.context)
                asker.set(Asker(self._view.turns, who, until_sent))
            with calling():
                await super(Handler, own).run_operation(operation)

    async def shutdown(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
        await super().shutdown()

    @property
    def _view(self) -> "GraphQLEndpoint":
        return cast("GraphQLEndpoint", self.view)

    @property
    def _socket(self) -> WebSocket:
        socket = getattr(self.websocket, "ws", None)
        assert isinstance(socket, WebSocket)  # noqa: S101
        return socket

    async def _told_to_go(self) -> bool:
        """Ends the operations and closes with 4429: it is written when the client takes something again, if it ever
        does."""
        for operation in list(self.operations):
            await self.cleanup_operation(operation)
        with contextlib.suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
            async with asyncio.timeout(self._view.send_patience):
                await self.websocket.close(4429, "SLOW_CONSUMER")
            return True
        return False

    async def _close_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        with contextlib.suppress(RuntimeError):  # closed meanwhile
            await self.websocket.close(_UNAUTHENTICATED, "The access token has expired")


def _wrong(message: object) -> str | None:
    """What keeps it from being a message of the protocol; payloads are looked at by whoever reads them."""
    if not isinstance(message, dict):
        return "A message must be a JSON object"
    kind = message.get("type")
    if not isinstance(kind, str) or kind not in _TYPES:
        return "A message must have a type that this protocol knows"
    if kind in ("subscribe", "complete"):
        id = message.get("id")
        if not isinstance(id, str) or not 0 < len(id) <= _LONGEST_ID:
            return f"The id of an operation must be a string of 1 to {_LONGEST_ID} characters"
    return None
