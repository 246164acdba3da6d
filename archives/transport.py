"""Runs one archive's requests: a small pool of threads, a deadline each, retries, a breaker. No DICOM here.

dicomweb-client is synchronous. Its methods run in the archive's own threads, over a GuardedSession, and
come back to the event loop with a deadline that holds whatever the server does.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from dicomweb_client import DICOMwebClient
from requests.auth import HTTPBasicAuth

from archives.connection import Call, set_current_call
from archives.errors import ArchiveError, BadAnswer, Rejected, ServerFailed, TimedOut, Unreachable
from archives.flow import Flow
from archives.meter import count_request
from archives.session import ConnectionLost, GuardedSession
from archives.standing import Standing
from config.archives_file import ArchiveConfig

_RETRY_PAUSE = (0.05, 0.25)  # seconds, drawn at random so that many askers do not come back together
_LEAST_TIME = 0.1  # seconds that a try must have left

# Libraries that log every failure with its stack, or URLs that name patients. Errors say it all.
for _name in ("retrying", "dicomweb_client", "urllib3"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """What the work returned, and what came with it: Warning headers (RFC 7234 5.5), whether it was a part only
    (206, RFC 9110 15.3.7), the bytes of its body."""

    value: T
    warnings: list[str]
    is_part: bool
    size: int


class Transport:
    """`web` and `session` are to be used inside `ask` only: they need the thread's call.

    server: the Server header (RFC 9110 10.2.4) of the last answer that had one.
    """

    def __init__(self, config: ArchiveConfig, standing: Standing) -> None:
        self.code = config.code
        self.standing = standing
        self.retries = config.retries
        self.timeout = config.timeout
        self.url = (config.url or "").rstrip("/")
        self.session = GuardedSession(config.code, config.max_connections, config.max_response)
        if config.username is not None:
            self.session.auth = HTTPBasicAuth(config.username.encode(), (config.password() or "").encode())
        self.web = DICOMwebClient(self.url, session=self.session, permissive_uid=True)
        self.web.set_http_retry_params(retry=False)  # else a hung archive takes 35 s
        self.server: str | None = None
        self._threads = ThreadPoolExecutor(config.max_connections, f"archive-{config.code}")
        self._streams = asyncio.Semaphore(max(config.max_connections - 1, 1))
        self._calls: set[Call] = set()

    async def ask(
        self,
        work: Callable[[], T],
        *,
        seconds: float | None = None,
        idempotent: bool = True,
        any_status: bool = False,
        trial: bool = False,
    ) -> Reply[T]:
        """Run `work` in a thread. Raises ArchiveError and nothing else, CircuitOpen without asking.

        seconds: the deadline, waiting for a free thread and retries included; default the archive's timeout.
        idempotent: what was lost on the way or met a busy server may be tried again.
        trial: a look at the archive's health, which its breaker lets through.
        """
        end = time.monotonic() + (self.timeout if seconds is None else seconds)
        retries = self.retries if idempotent else 0
        with self.standing.asking(trial=trial):
            return await self._tried(lambda: self._attempt(work, end, any_status), end, retries)

    async def stream(self, url: str, accept: str, *, may_fail: bool = False) -> Flow:
        """The answer to a GET, once it has begun; close it. Each piece has the archive's timeout, the whole has none.
        Raises ArchiveError. One connection less than there are is taken by streams, so that others are not held up.

        may_fail: a server that answers 500 has not been able to do this, and is not sick.
        """
        await self._streams.acquire()
        try:
            end = time.monotonic() + self.timeout
            with self.standing.asking():
                try:
                    return await self._tried(lambda: self._begin(url, accept, end), end, self.retries)
                except ServerFailed as error:
                    if may_fail and error.status == 500:
                        raise Rejected(error.message, 406) from None
                    raise
        except BaseException:
            self._streams.release()
            raise

    async def _tried(self, attempt: Callable[[], Awaitable[T]], end: float, retries: int) -> T:
        for number in range(retries):
            try:
                return await attempt()
            except ArchiveError as error:
                pause = _pause_after(error, number)
                if pause is None or time.monotonic() + pause + _LEAST_TIME >= end:
                    raise
            await asyncio.sleep(pause)
            self.standing.retries += 1
        return await attempt()

    async def _begin(self, url: str, accept: str, end: float) -> Flow:
        call = Call(end - time.monotonic())
        flow = Flow(call, self.timeout)
        running = self._submit(call, lambda: self.session.get(url, headers={"Accept": accept}))
        running.add_done_callback(flow.ended)
        try:
            async with asyncio.timeout(call.remaining()):
                await flow.begun()
        except BaseException as error:
            await flow.aclose()
            self._calls.discard(call)
            if isinstance(error, TimeoutError):
                raise TimedOut(f"{self.code}: no answer inside the deadline") from None
            raise

        def over() -> None:
            self._calls.discard(call)
            self._streams.release()

        flow.when_over(over)
        return flow

    def _submit(self, call: Call, work: Callable[[], T]) -> "Future[T]":
        count_request(self.code)
        self.standing.requests += 1
        try:
            running = self._threads.submit(self._run, call, work)
        except RuntimeError:
            raise Unreachable(f"{self.code}: its client is closed") from None
        self._calls.add(call)
        return running

    async def _attempt(self, work: Callable[[], T], end: float, any_status: bool) -> Reply[T]:
        call = Call(end - time.monotonic(), any_status)
        running = self._submit(call, work)
        try:
            async with asyncio.timeout(call.remaining()):
                value = await asyncio.wrap_future(running)
                reply = Reply(value, call.warnings, call.is_part, call.size)
                self.server = call.server or self.server
                return reply
        except TimeoutError:
            raise TimedOut(f"{self.code}: no complete answer inside the deadline") from None
        finally:
            self._calls.discard(call)
            if not running.done():
                call.cut()

    def _run(self, call: Call, work: Callable[[], T]) -> T:
        set_current_call(call)
        try:
            return work()
        except BadAnswer as error:
            raise _named(self.code, error) from None
        except ArchiveError:
            raise
        except Exception as error:
            # dicomweb-client and its parsers: the message may quote the answer, so only the kind is told.
            raise BadAnswer(f"{self.code}: the answer cannot be used ({type(error).__name__})") from None
        finally:
            set_current_call(None)

    async def close(self) -> None:
        """Cut what is running; no thread stays behind."""
        for call in tuple(self._calls):
            call.cut()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.session.close()


def _pause_after(error: ArchiveError, attempt: int) -> float | None:
    """Seconds until it is worth another try, None when it is not. Twice as long after each attempt."""
    if not isinstance(error, ConnectionLost) and not error.is_busy:
        return None
    pause = random.uniform(*_RETRY_PAUSE) * 2.0**attempt  # noqa: S311
    return pause + (error.retry_after or 0.0)


def _named(code: str, error: BadAnswer) -> BadAnswer:
    return (
        error if error.message.startswith(f"{code}:") else BadAnswer(f"{code}: {error.message}", error.status)
    )
