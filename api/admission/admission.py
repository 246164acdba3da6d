"""Who asks, why, how often, what they may, and whose turn it is: asked in one place, for every way in."""

import hmac
import math
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket

from access.audit import purpose_of
from api.admission.trail import PURPOSE_HEADER, Trail
from api.admission.turns import Lane, Turn, Turns, turn
from api.document.rules import Rules, permit
from api.identity.auth import Identity, remember
from api.problems import HttpProblem, refusal_of
from model.errors import InputError

ContextFactory = Callable[[Request | WebSocket], Awaitable[Any]]
Limiter = Callable[[str, float], float]
"""Person or address, and how many requests this one counts as → seconds until it may go on; 0: now."""


@dataclass(frozen=True)
class Admission:
    """identity: says who is asking; None asks nobody. context_factory: makes the context of one request; may raise
    InputError. limiter: how long a person must wait. scraper: the token that opens ScrapedRoutes.

    patience: seconds after which an answer that its client does not take is cut off.
    """

    context_factory: ContextFactory
    identity: Identity | None = None
    trail: Trail = field(default_factory=lambda: Trail(None))
    limiter: Limiter | None = None
    rules: Rules = field(default_factory=Rules)
    turns: Turns = field(default_factory=lambda: Turns(0))
    scraper: str | None = None
    patience: float = 60.0

    async def recognise(self, connection: HTTPConnection) -> None:
        """Finds out who asks. Raises HttpProblem."""
        if self.identity is None:
            return
        try:
            remember(connection, await self.identity.authenticate(connection))
        except HttpProblem:
            # An address that is refused too often leaves no more lines, or a flood of strangers were a flood of lines;
            # who shows a good token from the same address is not held up by it.
            self._keep_pace(f"refused {_address(connection)}")
            raise

    async def enter(self, connection: Request | WebSocket, weight: float = 1.0) -> Any:
        """The context of whoever asks for data. weight: as how many requests it counts. Raises HttpProblem."""
        try:
            purpose_of(connection.headers.get(PURPOSE_HEADER))  # raises for what is no code
            permit.set(self.rules.permit(connection))
            context = await self.context_factory(connection)
        except InputError as refused:
            raise refusal_of(refused.code, refused.message) from None
        self._keep_pace(_who_asks(connection, context), weight)
        return context

    def takes_turns(self, connection: HTTPConnection, context: Any, until_sent: AsyncExitStack) -> None:
        """The operation that this task runs waits for others of the same person."""
        came_on = connection.client if connection.scope["type"] == "http" else id(connection)
        turn.set(Turn(self.turns, _who_asks(connection, context), came_on, until_sent))

    def turn_to_stream(self, connection: HTTPConnection, context: Any) -> AbstractAsyncContextManager[None]:
        """While an answer of an archive is passed on."""
        return self.turns.of(_who_asks(connection, context), Lane.STREAM)

    def is_scraper(self, connection: HTTPConnection) -> bool:
        """Whether the scraper of metrics asks: it is nobody who could be asked for anything else."""
        given = connection.headers.get("authorization", "").encode("latin-1")
        return self.scraper is not None and hmac.compare_digest(given, f"Bearer {self.scraper}".encode())

    def _keep_pace(self, who: str, weight: float = 1.0) -> None:
        """Raises HttpProblem 429 for one who asks too often."""
        if self.limiter is not None and (wait := self.limiter(who, weight)):
            seconds = math.ceil(wait)
            raise HttpProblem(
                429,
                f"Too many requests in a minute. The next one may come in {seconds} s (Retry-After).",
                code="RATE_LIMITED",
                headers={"Retry-After": str(seconds)},
            )


def _who_asks(connection: HTTPConnection, context: Any) -> str:
    """Whose operations are counted together: a person's, of strangers those of an address."""
    person = getattr(getattr(context, "viewer", None), "subject", None)
    return f"subject {person}" if person else f"address {_address(connection)}"


def _address(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client else "-"
