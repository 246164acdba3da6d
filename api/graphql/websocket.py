"""graphql-transport-ws: who is asking is said by the connection_init message, and holds until it expires.

Close codes: 1001 the server stops; 4400 no message of the protocol; 4401 nobody we know, or not yet, or no longer; 4403
somebody elsewhere's page; 4406 another protocol; 4408 no connection_init in time; 4409 an id that is taken; 4429 a
second connection_init, or the client takes nothing; 4503 cannot tell now. uvicorn's: 1007 text that is not UTF-8; 1009
a message larger than may be; 1011 a ping was not answered. What is wrong with one operation is an `error` for its id,
and the connection goes on.
"""

import asyncio
import contextlib
from contextlib import AsyncExitStack, aclosing
from typing import Any, Final

import orjson
import structlog
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from strawberry import Schema
from strawberry.http.websocket_origin import is_same_origin
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from api.admission.admission import Admission
from api.graphql.answers import dumped
from api.graphql.request_data import AskedOperation, asked_of
from api.identity.auth import remember, seconds_left
from api.identity.cross_site import origin_of
from api.logging import log_exception
from api.problems import HttpProblem
from db.callers import calling

PROTOCOL: Final = "graphql-transport-ws"
_INIT_SECONDS: Final = 10.0
_UNAUTHENTICATED: Final = 4401
_CODES: Final = {403: 4403, 503: 4503}
_LONGEST_ID: Final = 256
_TYPES: Final = frozenset({"connection_init", "ping", "pong", "subscribe", "complete"})
_log = structlog.stdlib.get_logger("api.websocket")


class Sockets:
    """An ASGI application for `schema`, which went through `guard.guarded`. most: operations of one connection."""

    def __init__(self, schema: Schema, admission: Admission, most: int) -> None:
        self.schema, self.admission, self.most = schema, admission, most
        self.changing: set[asyncio.Task[None]] = set()
        """Mutations: they are not ended with their connection."""
        self._open: set[OpenSocket] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        if not self._is_ours(socket):
            _log.warning("websocket.page_elsewhere")
            await socket.close(1008)  # before it is accepted: the handshake is answered with 403
            return
        known = PROTOCOL in scope["subprotocols"]
        await socket.accept(PROTOCOL if known else None)
        if not known:
            await socket.close(4406, "Subprotocol not acceptable")
            return
        connection = OpenSocket(self, socket)
        self._open.add(connection)
        try:
            await connection.handle()
        finally:
            self._open.discard(connection)

    async def going_away(self) -> None:
        """Ends what is open, because the server stops."""
        await asyncio.gather(*(each.close(1001, "The server stops", seconds=1) for each in self._open))

    def _is_ours(self, socket: WebSocket) -> bool:
        """Whether no page elsewhere connects. What is no browser says no origin; pages under the public URL are ours,
        whatever Host a proxy passes on."""
        origin, headers = socket.headers.get("origin"), socket.headers
        if origin is None or headers.get("sec-fetch-site") == "same-origin":
            return True
        identity = self.admission.identity
        public = identity.public_url if identity is not None else None
        ours = public is not None and origin.lower() == origin_of(socket, public).lower()
        return ours or is_same_origin(origin, headers.get("host"))


class OpenSocket:
    """One connection. Each of its operations has a context of its own, so that loaders remember nothing."""

    def __init__(self, sockets: Sockets, socket: WebSocket) -> None:
        self._sockets, self._socket, self._admission = sockets, socket, sockets.admission
        self._deaf = asyncio.Event()
        self._begun = self._acknowledged = False
        self._clock: asyncio.Task[None] | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        """Those that are heard, by the id that the client gave them."""

    async def handle(self) -> None:
        """Until either side closes it, or the client takes nothing."""
        self._close_after(_INIT_SECONDS, 4408, "Connection initialisation timeout")
        reading = asyncio.create_task(self._read(), name="websocket")
        deaf = asyncio.create_task(self._deaf.wait())
        ending: set[asyncio.Task[Any]] = {reading, deaf}
        try:
            await asyncio.wait({reading, deaf}, return_when=asyncio.FIRST_COMPLETED)
            if self._deaf.is_set():
                ending |= self._end_operations()
                # It is written when the client takes something again, if it ever does.
                if not await self.close(4429, "SLOW_CONSUMER"):
                    return
            await reading
        finally:
            reading.cancel()
            deaf.cancel()
            self._close_after(None, 0, "")
            await asyncio.wait(ending | self._end_operations())

    async def close(self, code: int, reason: str, *, seconds: float | None = None) -> bool:
        """Whether the client took it in time. Of the reason only so much is said as fits into a close frame."""
        with contextlib.suppress(RuntimeError, WebSocketDisconnect, TimeoutError):  # it may be closed already
            async with asyncio.timeout(self._admission.patience if seconds is None else seconds):
                await self._socket.close(code, reason.encode()[:123].decode(errors="ignore"))
            return True
        return False

    async def handle_message(self, message: Any) -> None:
        """Others have their turn between two messages, however many have come at once."""
        await asyncio.sleep(0)
        if (wrong := _wrong(message)) is not None:
            await self.close(4400, wrong)
            return
        match message["type"]:
            case "connection_init":
                await self._begin(message.get("payload"))
            case "ping":
                await self._send({"type": "pong"})
            case "subscribe":
                await self.handle_subscribe(message["id"], message.get("payload"))
            case "complete":
                self._end(message["id"])

    async def handle_subscribe(self, id: str, payload: object) -> None:
        """Takes what a request over HTTP may hold, by the same rules; one too many is not even looked at."""
        if not self._acknowledged:
            await self.close(_UNAUTHENTICATED, "Unauthorized")
            return
        if id in self._operations:
            await self.close(4409, f"Subscriber for {id} already exists")
            return
        try:
            asked = await self._asked(payload)
        except HttpProblem as refused:
            await self._send({"id": id, "type": "error", "payload": [_formatted(refused)]})
            return
        self._operations[id] = task = asyncio.create_task(self._run(id, asked))
        if asked.kind is OperationType.MUTATION:
            self._sockets.changing.add(task)
            task.add_done_callback(self._sockets.changing.discard)

    async def _read(self) -> None:
        """Takes one message after another."""
        while self._socket.application_state is not WebSocketState.DISCONNECTED:
            come = await self._socket.receive()
            if come["type"] == "websocket.disconnect":
                return
            if (text := come.get("text")) is None:
                await self.close(4400, "WebSocket message type must be text")
                return
            try:
                message = orjson.loads(text)
            except orjson.JSONDecodeError:
                await self.close(4400, "WebSocket message must be valid JSON")
                return
            try:
                await self.handle_message(message)
            except WebSocketDisconnect:
                return

    async def _begin(self, payload: object) -> None:
        """Learns who asks."""
        payload = {} if payload is None else payload  # null says the same
        if not isinstance(payload, dict):
            await self.close(4400, "Invalid connection init payload")
            return
        if self._begun:
            await self.close(4429, "Too many initialisation requests")
            return
        self._begun = True
        if (identity := self._admission.identity) is not None:
            try:
                remember(self._socket, await identity.authenticate_stream(self._socket, payload))
            except HttpProblem as refused:
                await self.close(_CODES.get(refused.status, _UNAUTHENTICATED), refused.message)
                return
        self._close_after(seconds_left(self._socket), _UNAUTHENTICATED, "The access token has expired")
        await self._send({"type": "connection_ack"})
        self._acknowledged = True

    async def _asked(self, payload: object) -> AskedOperation:
        """Raises HttpProblem."""
        if len(self._operations) >= self._sockets.most:
            words = f"{len(self._operations)} operations are open on this connection, the most there may be."
            raise HttpProblem(429, words, code="TOO_MANY_SUBSCRIPTIONS")
        return await asked_of(payload, self._admission.rules.persisted, 200)

    async def _run(self, id: str, asked: AskedOperation) -> None:
        """One operation, to its end."""
        with contextlib.suppress(WebSocketDisconnect):  # that a client went away is no fault
            try:
                async with AsyncExitStack() as until_sent:
                    await self._answer(id, asked, until_sent)
            except HttpProblem as refused:
                await self._tell(id, "error", [_formatted(refused)])
            except WebSocketDisconnect:
                raise
            except Exception as error:
                log_exception("websocket.internal", error)
                await self._tell(id, "complete")

    async def _answer(self, id: str, asked: AskedOperation, until_sent: AsyncExitStack) -> None:
        context = await self._admission.enter(self._socket)
        if asked.kind is not OperationType.SUBSCRIPTION:
            self._admission.takes_turns(self._socket, context, until_sent)
        with calling():
            results: Any = await self._sockets.schema.stream(**asked.arguments(context))
            async with aclosing(results):
                async for result in results:
                    errors = [error.formatted for error in result.errors or ()]
                    if isinstance(result, PreExecutionError):
                        await self._tell(id, "error", errors)
                        return
                    told = {"data": result.data, "errors": errors, "extensions": result.extensions}
                    await self._tell(id, "next", {n: v for n, v in told.items() if n == "data" or v})
        await self._tell(id, "complete")

    async def _tell(self, id: str, kind: str, payload: object = None) -> None:
        """Nothing of an operation that was ended meanwhile. After its last message its id is free."""
        if self._operations.get(id) is not asyncio.current_task():
            return
        if kind != "next":
            del self._operations[id]
        await self._send({"id": id, "type": kind, **({} if payload is None else {"payload": payload})})

    async def _send(self, message: dict[str, Any]) -> None:
        """Raises WebSocketDisconnect where there is no client, or it takes nothing: it is then cut off."""
        if self._deaf.is_set() or self._socket.application_state is WebSocketState.DISCONNECTED:
            raise WebSocketDisconnect
        try:
            async with asyncio.timeout(self._admission.patience):
                await self._socket.send_text(dumped(message).decode())
        except TimeoutError:
            self._deaf.set()
            raise WebSocketDisconnect from None

    def _end(self, id: str) -> asyncio.Task[None] | None:
        """Ends it, at once, as its client wishes or because there is none any more. A mutation goes on, unheard."""
        task = self._operations.pop(id, None)
        if task is not None and task not in self._sockets.changing:
            task.cancel()
        return task

    def _end_operations(self) -> set[asyncio.Task[Any]]:
        return {task for id in list(self._operations) if (task := self._end(id)) is not None}

    def _close_after(self, seconds: float | None, code: int, reason: str) -> None:
        """Sets the one clock of the connection; None: it stands still."""

        async def expire(seconds: float) -> None:
            await asyncio.sleep(seconds)
            await self.close(code, reason)

        if self._clock is not None:
            self._clock.cancel()
        self._clock = (
            None if seconds is None else asyncio.create_task(expire(seconds), name="clock of a websocket")
        )


def _formatted(refused: HttpProblem) -> dict[str, Any]:
    return {"message": refused.message, "extensions": {"code": refused.code}}


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
