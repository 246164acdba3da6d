"""Logs: structlog and the standard library's, to standard error, without what could name a patient.

An exception is logged by its type and its frames. Its message and the values of variables stay out:
a database says "Key (patient_id)=(…)", a parser quotes what it could not read.
"""

import logging
import sys
import traceback
from contextvars import ContextVar
from typing import Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from db.outage import is_told

# These log below WARNING what our own lines say better, or with query strings.
_QUIET = (
    *("uvicorn.error", "uvicorn.access", "strawberry", "asyncio", "websockets", "httpcore", "httpx"),
    *("urllib3", "dicomweb_client"),
)
# The first quotes the values that it cannot read; what is odd is seen in the rows. What the second says of an outage,
# the outage's own line says.
_SILENT = ("pydicom", "asyncpg.pool")


correlation_id: Final[ContextVar[str]] = ContextVar("correlation_id", default="-")
"""The X-Request-Id of the request that runs in this task."""
_log = structlog.stdlib.get_logger("api.errors")


def configure_logging(level: str, stream: TextIO | None = None, *, text: bool = False) -> None:
    """Everything to `stream` (standard error): JSON lines, or text where it is a terminal, or where `text` says so:
    a command that ends by itself writes other text there too.
    """
    target = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _name_exceptions,
        _without_objects,
    ]
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=target.isatty())
        if text or target.isatty()
        else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler(stream) if stream else _StandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    handler.addFilter(_is_news)
    logging.getLogger().handlers = [handler]
    _set_levels(level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _set_levels(level: str) -> None:
    root = logging.getLogger()
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    # That an outage cost it lines of its own log is no news.
    logging.getLogger("pgqueuer").setLevel(logging.ERROR)
    for name in _SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to whatever standard error is by then: one that was put in its place may be closed."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


def _is_news(record: logging.LogRecord) -> bool:
    """Not what a library met in an outage of the database that the log has told of."""
    return not (isinstance(record.exc_info, tuple) and is_told(record.exc_info[1]))


def internal_message() -> str:
    """What a caller reads of a fault of ours."""
    return f"Internal error. Quote this correlation id: {correlation_id.get()}"


def log_exception(event: str, error: BaseException, **more: object) -> None:
    """One line: type and frames of the exception, never its message. None in an outage, which has its own line."""
    if is_told(error):
        return
    _log.error(
        event,
        correlation_id=correlation_id.get(),
        error=type_name(error),
        exception=frames_of(error),
        **more,
    )


def frames_of(error: BaseException) -> str:
    """The exception and what caused it: types, files, lines and functions; no message, no variables."""
    lines: list[str] = []
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        lines.append(type_name(cause))
        lines += [
            f"  {frame.f_code.co_filename}:{line} {frame.f_code.co_qualname}"
            for frame, line in traceback.walk_tb(cause.__traceback__)
        ]
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "\n".join(lines)


def type_name(error: BaseException) -> str:
    """`asyncpg.exceptions.DataError`."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _name_exceptions(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """exc_info becomes frames without messages, whoever logged it."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["exception"] = frames_of(error)
        record = event.get("_record")
        if record is not None:  # or the standard formatter prints it once more, with its message
            record.exc_info = record.exc_text = None
    return event


def _without_objects(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """asyncio writes the repr of tasks and callbacks, with results and messages of exceptions in it."""
    if event.get("logger") == "asyncio":
        event["event"] = str(event.get("event", "")).partition("\n")[0].partition(" callback ")[0]
    return event
