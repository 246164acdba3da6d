"""Writing audit lines: requests hand in a record and wait until it is safe; one commit serves all that wait.

No answer with patients' data may leave before `AuditLog.write` returned. While one batch is committed the
next requests gather, so they share commits instead of queueing for one each. Reading them: db/audit/lines.py.
"""

import asyncio
import contextlib
import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog

from access.audit import AuditRecord, Patient, payload_of, touch_keys
from db.outage import is_told
from db.pool import Database
from db.secrets import shared_secret
from db.statements import statements
from model.errors import OperatorError

MAX_BATCH: Final = 500
MAX_WAITING: Final = 20_000
PATIENCE_SECONDS: Final = 10.0

_log = structlog.get_logger(__name__)

# Durable when the commit returns, whatever the server's default; audit_append needs read committed.
AUDIT_SESSION: Final = {"synchronous_commit": "on", "default_transaction_isolation": "read committed"}


class AuditUnavailable(OperatorError):
    """The line could not be stored, so what it is about must not be answered."""

    code: Final = "AUDIT_UNAVAILABLE"
    message: Final = "The audit log cannot be written, so nothing is answered. Try again in a moment."

    def __init__(self) -> None:
        super().__init__(self.message)


@dataclass(slots=True)
class _Waiting:
    record: AuditRecord
    done: "asyncio.Future[None]"


@dataclass(slots=True)
class _Batch:
    """The arguments of audit_append."""

    lines: list[str] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    touch_line: list[int] = field(default_factory=list)
    touch_key: list[bytes] = field(default_factory=list)

    def add(self, secret: bytes, record: AuditRecord) -> None:
        keys = touch_keys(secret, record.touched)
        self.lines.append(payload_of(record, keys))
        self.times.append(record.at)
        self.touch_line += [len(self.lines)] * len(keys)
        self.touch_key += keys


class AuditLog:
    """The writer of one process. `commits` counts its transactions.

    database: a pool of its own, opened with AUDIT_SESSION, so that slow queries never hold up a line.
    """

    def __init__(self, database: Database, secret: bytes) -> None:
        self._database, self._secret = database, secret
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(MAX_WAITING)
        self._writer = asyncio.create_task(self._write_batches(), name="audit writer")
        self.commits = 0

    @classmethod
    async def open(cls, database: Database) -> "AuditLog":
        """Reads the key of touched records; the first process that comes makes it."""
        return cls(database, await audit_secret(database))

    async def close(self) -> None:
        """Stores what waits, then ends."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._queue.join()
        self._writer.cancel()
        await asyncio.gather(self._writer, return_exceptions=True)

    async def write(self, record: AuditRecord) -> None:
        """Returns when the line is durable. Raises AuditUnavailable: then it may not be there."""
        await asyncio.shield(self.submit(record))

    def submit(self, record: AuditRecord) -> "asyncio.Future[None]":
        """Hands a line in; what happened to it is the future's. Also for lines that nobody waits for."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.add_done_callback(_seen)
        try:
            self._queue.put_nowait(_Waiting(record, done))
        except asyncio.QueueFull:
            done.set_exception(AuditUnavailable())
        return done

    async def _write_batches(self) -> None:
        while True:
            batch = [await self._queue.get()]
            while len(batch) < MAX_BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._append([waiting.record for waiting in batch])
            except Exception as error:  # whatever it is, nobody may be left waiting
                if not is_told(error):
                    _log.error("audit.unavailable", lines=len(batch), error=type(error).__name__)
                self._resolve(batch, stored=False)
            except BaseException:
                self._resolve(batch, stored=False)
                raise
            else:
                self._resolve(batch, stored=True)

    def _resolve(self, batch: Sequence[_Waiting], *, stored: bool) -> None:
        for waiting in batch:
            self._queue.task_done()
            if stored:
                waiting.done.set_result(None)
            else:
                waiting.done.set_exception(AuditUnavailable())

    async def _append(self, records: Sequence[AuditRecord]) -> None:
        await self._add_patients(records)
        batch = _Batch()
        for record in records:
            batch.add(self._secret, record)
        sql = statements("audit")["append"]
        await self._database.execute(
            "audit.append", sql, batch.lines, batch.times, batch.touch_line, batch.touch_key
        )
        self.commits += 1

    async def _add_patients(self, records: Sequence[AuditRecord]) -> None:
        """Series and instances do not name their patient: their study does."""
        copies = sorted({copy for record in records for copy in record.touched.copies})
        if not copies:
            return
        uids, archive_ids = [uid for uid, _ in copies], [archive_id for _, archive_id in copies]
        rows = await self._database.fetch(
            "audit.patients", statements("audit")["patients"], uids, archive_ids
        )
        patients: dict[tuple[str, int], set[Patient]] = defaultdict(set)
        for row in rows:
            patient = (row["patient_id"], row["issuer_of_patient_id"])
            patients[row["study_uid"], row["archive_id"]].add(patient)
        for record in records:
            for copy in record.touched.copies:
                record.touched.patients |= patients.get(copy, set())


async def audit_secret(database: Database) -> bytes:
    """The key of the hashes of touched records."""
    return await shared_secret(database, "audit", lambda: secrets.token_bytes(32))


def _seen(done: "asyncio.Future[None]") -> None:
    """A line that nobody waited for and that failed is no news for the event loop's log."""
    if not done.cancelled():
        done.exception()
