"""What can go wrong with an archive, as one tree. Foreign exceptions are wrapped at this room's edge.

ArchiveError            code, message without patient data, URL or credentials
├── Unreachable         UNREACHABLE   no connection, connection reset
├── TimedOut            TIMEOUT       no complete answer inside the deadline
├── Rejected            REJECTED      the archive answered 4xx
├── ServerFailed        SERVER_ERROR  the archive answered 5xx
├── BadAnswer           BAD_ANSWER    not DICOM JSON: HTML, half a document, wrong charset
├── TooLarge            TOO_LARGE     more bytes than the cap
├── CircuitOpen         CIRCUIT_OPEN  not asked: it failed too often just now (breaker.py)
├── Incomplete          INCOMPLETE    it did not give all that was asked for
└── NotSupported        NOT_SUPPORTED this kind of archive cannot do it
"""

from typing import ClassVar, Final

_BUSY: Final = frozenset({429, 502, 503, 504})


class ArchiveError(Exception):
    """Base of everything that this room raises."""

    code: ClassVar[str] = "ARCHIVE_ERROR"

    def __init__(self, message: str, status: int | None = None, retry_after: float | None = None) -> None:
        """`status` is the HTTP status that told so, `retry_after` the seconds of its Retry-After, if any."""
        super().__init__(message)
        self.message = message
        self.status = status
        self.retry_after = retry_after

    @property
    def is_busy(self) -> bool:
        """The server, or its proxy, has no time for now, for whatever it is asked."""
        return self.status in _BUSY


class Unreachable(ArchiveError):
    code = "UNREACHABLE"


class TimedOut(ArchiveError):
    code = "TIMEOUT"


class Rejected(ArchiveError):
    code = "REJECTED"


class ServerFailed(ArchiveError):
    code = "SERVER_ERROR"


class BadAnswer(ArchiveError):
    code = "BAD_ANSWER"


class TooLarge(ArchiveError):
    code = "TOO_LARGE"


class CircuitOpen(ArchiveError):
    code = "CIRCUIT_OPEN"


class Incomplete(ArchiveError):
    code = "INCOMPLETE"


class NotSupported(ArchiveError):
    code = "NOT_SUPPORTED"
