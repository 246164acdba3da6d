"""/livez: the process answers. /readyz: it can do its work, or which part cannot."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import orjson
from starlette.requests import Request
from starlette.responses import Response

from api.logging import log_exception

Readiness = Callable[[], Awaitable[Mapping[str, str]]]
"""What is wrong, by part ("database", "migrations"), in words fit for a stranger; empty: nothing."""

_PATIENCE_SECONDS = 2.0


async def live(_request: Request) -> Response:
    return _answer(200, {"status": "ok"})


def ready(readiness: Readiness) -> Callable[[Request], Awaitable[Response]]:
    """The /readyz endpoint: 200, or 503 with what is wrong by part."""

    async def endpoint(_request: Request) -> Response:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                wrong = dict(await readiness())
        except TimeoutError:
            wrong = {"readiness": f"no answer within {_PATIENCE_SECONDS:g} s"}
        except Exception as error:
            log_exception("health.not_ready", error)
            wrong = {"readiness": "the check itself failed; the log says why"}
        if wrong:
            return _answer(503, {"status": "not ready", "problems": wrong})
        return _answer(200, {"status": "ok"})

    return endpoint


def _answer(status: int, body: object) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")
