"""The audit trail of GraphQL: every operation leaves a line before its answer leaves the server.

What a line holds is access/audit.py, how it is stored db/audit/log.py. Routes that are not GraphQL write their
own lines with `AuditLog.write`.
"""

import asyncio
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from graphql import GraphQLError
from starlette.requests import HTTPConnection
from strawberry.types import ExecutionContext

from access.audit import ANONYMOUS, AuditRecord, Touched, document_digest, network_of, purpose_of
from access.scope import AccessScope
from api.logging import correlation_id
from db.audit.log import AuditLog, AuditUnavailable
from model.errors import InputError

PURPOSE_HEADER: Final = "x-purpose-of-use"
SUBSCRIBED: Final = "SUBSCRIBED"
"""The outcome of a subscription's first line."""
EVENT_PAUSES: Final = (0.1, 0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(slots=True)
class Asking:
    """The request that this task answers. written: whether it has left a line already."""

    endpoint: str
    client: str | None
    purpose: str | None
    written: bool = False


asking: ContextVar[Asking | None] = ContextVar("asking", default=None)
"""Set for each request to a route that is not open."""


class Result(Protocol):
    """What strawberry and graphql-core call the result of an operation."""

    data: Any
    errors: Any
    extensions: Any


def asking_of(connection: HTTPConnection, endpoint: str) -> Asking:
    """Where a request comes from, and why; a purpose that is no code is refused when the context is made."""
    try:
        purpose = purpose_of(connection.headers.get(PURPOSE_HEADER))
    except InputError:
        purpose = None
    client = connection.client.host if connection.client else None
    return Asking(endpoint, network_of(client), purpose)


class Trail:
    """Writes the lines. known: names of operations that may be named in a line, by document digest."""

    def __init__(self, log: AuditLog | None, known: Mapping[str, str] | None = None) -> None:
        self._log, self._known = log, known or {}

    async def before_leaving(self, context: ExecutionContext, result: Result | None) -> None:
        """Returns when the line is safe; where it is not, takes everything out of the result."""
        if self._log is None:
            return
        try:
            await self._log.write(self._record(_outcome(result), context))
        except AuditUnavailable:
            if result is not None:
                _empty(result)

    async def begins(self, context: ExecutionContext) -> None:
        """A subscription: its first line, before anything of it is read. Raises AuditUnavailable."""
        if self._log is not None:
            await self._log.write(self._record(SUBSCRIBED, context))

    async def before_event(self, context: ExecutionContext, result: Result | None) -> bool:
        """The same for an event of a subscription; none for one that the line of its batch has told of. False
        where there is no line: the subscription must end."""
        touched: Touched | None = getattr(context.context, "touched", None)
        if self._log is None or (_outcome(result) == "OK" and touched is not None and touched.nothing):
            return True
        record = self._record(_outcome(result), context)
        for pause in EVENT_PAUSES:  # a stream can wait: a database that restarts costs no event
            try:
                await self._log.write(record)
            except AuditUnavailable:
                await asyncio.sleep(pause)
            else:
                return True
        if result is not None:
            _empty(result)
        return False

    def cut_off(self, context: ExecutionContext, outcome: str) -> None:
        """An operation that ended without an answer: nobody waits for its line."""
        if self._log is not None:
            self._log.submit(self._record(outcome, context))

    async def transferred(self, context: Any, outcome: str) -> None:
        """What is no operation: records that somebody sends. Raises AuditUnavailable."""
        if self._log is not None:
            await self._log.write(self._record_of(outcome, context))

    def refused(self, code: str) -> None:
        """A request that was refused before its document was looked at; the refusal holds no data."""
        request = asking.get()
        if self._log is not None and request is not None and not request.written:
            self._log.submit(self._record(code, None))

    def _record(self, outcome: str, execution: ExecutionContext | None) -> AuditRecord:
        digest = document_digest(execution.query) if execution and execution.query else None
        return self._record_of(outcome, execution.context if execution else None, digest)

    def _record_of(self, outcome: str, context: Any, digest: str | None = None) -> AuditRecord:
        request = asking.get() or Asking("-", None, None)
        request.written = True
        touched: Touched | None = getattr(context, "touched", None)
        return AuditRecord(
            at=datetime.now(UTC),
            subject=getattr(getattr(context, "viewer", None), "subject", ANONYMOUS),
            purpose=request.purpose,
            endpoint=request.endpoint,
            outcome=outcome,
            client=request.client,
            request_id=correlation_id.get(),
            operation=self._known.get(digest or ""),
            document=digest,
            archives=_codes(context, touched),
            touched=touched.take() if touched is not None else Touched(),
        )


def _codes(context: Any, touched: Touched | None) -> tuple[str, ...]:
    access_scope: AccessScope | None = getattr(context, "access_scope", None)
    if access_scope is None or touched is None:
        return ()
    return tuple(
        archive.code for archive in access_scope.archives if archive.archive_id in touched.archive_ids
    )


def _empty(result: Result) -> None:
    result.data, result.extensions = None, None
    code = {"code": AuditUnavailable.code}
    result.errors = [GraphQLError(AuditUnavailable.message, extensions=code)]


def has_data(result: Result | None) -> bool:
    """Whether any root field has a value: one that failed is null, and alone."""
    data = result.data if result is not None else None
    return data is not None and any(value is not None for value in data.values())


def _outcome(result: Result | None) -> str:
    """OK, PARTIAL (data and errors), or the code of the first error."""
    errors = result.errors if result is not None else None
    if not errors:
        return "OK"
    if has_data(result):
        return "PARTIAL"
    return str((errors[0].extensions or {}).get("code", "INTERNAL"))
