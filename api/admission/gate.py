"""In front of every route: nobody passes unless it is known who they are, or the route says that it is open; none
is waited for, and none waits, for ever; who is refused is told so here, and leaves an audit line.

A route that a later hand adds is closed without having to think of it.
"""

import asyncio
from collections.abc import Sequence

import structlog
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.admission.admission import Admission
from api.admission.leaving import NotTaken, in_time, until_begun
from api.admission.trail import asking, asking_of
from api.problems import HttpProblem, problem, refusal_of
from api.routes import AskingRoute, OpenRoute, ScrapedRoute
from model.errors import InputError

_log = structlog.stdlib.get_logger("api.gate")


class Gate:
    """ASGI middleware. timeout: seconds until an answer must have begun."""

    def __init__(
        self, app: ASGIApp, admission: Admission, routes: Sequence[BaseRoute], timeout: float
    ) -> None:
        self._app, self._admission, self._routes, self._timeout = app, admission, routes, timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        try:
            if scope["type"] == "http":
                await self._answer(scope, receive, send)
            else:
                await self._pass(scope, receive, send)
        except (HttpProblem, InputError) as error:
            refused = refusal_of(error.code, error.message) if isinstance(error, InputError) else error
            if refused.status != 429:  # or a flood of requests would be a flood of lines
                self._admission.trail.refused(refused.code)
            if scope["type"] == "http":
                await refused.response()(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        taken = in_time(send, self._admission.patience)

        async def begin(message: Message) -> None:
            if message["type"] == "http.response.start":
                limit.reschedule(None)  # a stream may take its time once it has begun
            await taken(message)

        limit = asyncio.timeout(self._timeout)
        until_begun.set(limit)
        try:
            async with limit:
                await self._pass(scope, receive, begin)
        except NotTaken:
            _log.info("answer.not_taken")  # the server closes the connection of half an answer
        except TimeoutError:
            if not limit.expired():
                raise
            words = f"No answer within {self._timeout:g} s. Ask for less, or for fewer archives."
            await problem(503, "TIMEOUT", words, headers={"Retry-After": "5"})(scope, receive, send)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection, route = HTTPConnection(scope), self._route(scope)
        if isinstance(route, OpenRoute):
            asking.set(None)
        else:
            # The path of the route: any other path is a stranger's text, and below some a UID follows.
            asking.set(asking_of(connection, getattr(route, "path", "(other)")))
            scraped = isinstance(route, ScrapedRoute) and self._admission.is_scraper(connection)
            if not scraped and not isinstance(route, AskingRoute):
                await self._admission.recognise(connection)
        await self._app(scope, receive, send)

    def _route(self, scope: Scope) -> BaseRoute | None:
        """The one that will answer: the first that fits, else the first whose path does."""
        partly = None
        for route in self._routes:
            match, _ = route.matches(scope)
            if match is Match.FULL:
                return route
            if match is Match.PARTIAL and partly is None:
                partly = route
        return partly
