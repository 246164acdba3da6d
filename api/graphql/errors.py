"""From an exception to what a client reads: `extensions.code` and a message; the only such map.

    model.errors.InputError             its own code (BAD_INPUT, BAD_CURSOR, NOT_FOUND, FORBIDDEN)
    archives.errors.ArchiveError        its own code (TIMEOUT, UNREACHABLE, …)
    db.pool.StatementTimeout            TIMEOUT; TOO_BROAD where the filter says why
    db.audit.AuditUnavailable           AUDIT_UNAVAILABLE, status 503
    api.document.limits.LimitExceeded   its own code (QUERY_TOO_DEEP, QUERY_TOO_LARGE, …)
    a literal or variable of the wrong type   BAD_INPUT, the value replaced by its position
    a syntax error                      GRAPHQL_PARSE_FAILED
    a document that breaks the schema   GRAPHQL_VALIDATION_FAILED
    operationName and operation type    BAD_REQUEST
    anything else                       INTERNAL, masked; logged once with the correlation id

HTTP's own refusals (wrong method, media type, size) are api.problems.
"""

import traceback
from collections.abc import Iterator

from graphql import GraphQLError, GraphQLSchema, GraphQLSyntaxError
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionContext

from api.document.introspection import without_hints
from api.document.limits import MAX_TOKENS, LimitExceeded
from api.document.rules import permit
from api.document.wording import input_problem, position, syntax_problem, value_problem
from api.logging import correlation_id, internal_message, log_exception
from archives.errors import ArchiveError
from db.audit.log import AuditUnavailable
from db.pool import StatementTimeout
from model.errors import InputError
from resolvers.engine import WrongLiteral, core_schema

MAX_REQUEST_ERRORS = 20
_SPEAKING = (InputError, ArchiveError, StatementTimeout, AuditUnavailable)
"""Exceptions of ours that say in words for the caller what happened: `code` and `message`."""

UNKNOWN_OPERATION = "The document has no operation of that name, or none at all."


def process_errors(errors: list[GraphQLError], context: ExecutionContext | None = None) -> None:
    """Rewrites the errors of one operation for its client. `strawberry.Schema.process_errors` is this."""
    if len(errors) > MAX_REQUEST_ERRORS and errors[0].path is None:
        del errors[MAX_REQUEST_ERRORS:]  # a variable with 100,000 wrong items has as many errors
    logged: set[object] = set()
    schema = core_schema(context.schema) if context is not None else None
    for error in errors:
        told = explain(error, schema)
        if told is None:
            _log_once(error, logged)
        code, message = told or ("INTERNAL", internal_message())
        error.message = message if permit.get().introspection else without_hints(message)
        error.extensions = {"code": code}
        if code == "INTERNAL":
            error.extensions["correlationId"] = correlation_id.get()


def explain(error: GraphQLError, schema: GraphQLSchema | None = None) -> tuple[str, str] | None:
    """Code and message for the client; None for what is no fault of the caller."""
    if isinstance(error, LimitExceeded):
        return str((error.extensions or {})["code"]), error.message
    if isinstance(error, GraphQLSyntaxError):
        return _syntax(error)
    *_, cause = _causes(error)
    said = cause.message if isinstance(cause, _SPEAKING) else None
    if isinstance(error, WrongLiteral):
        return "BAD_INPUT", f"{position(error).capitalize()}: {said or value_problem(error.message, schema)}"
    if isinstance(cause, _SPEAKING):
        return cause.code, input_problem(error, said, schema) or cause.message
    if isinstance(error, StrawberryInputCoercionError):
        return "BAD_INPUT", error.message
    if told := _operation(cause):
        return told
    if wrong := input_problem(error, schema=schema):
        return "BAD_INPUT", wrong
    return _validation(error, cause) if error.path is None else None


def _syntax(error: GraphQLSyntaxError) -> tuple[str, str]:
    if "tokens. Parsing aborted" in error.message:
        return "QUERY_TOO_LARGE", f"The document has more than {MAX_TOKENS} tokens."
    too_deep = "nested too deeply" in error.message
    return "QUERY_TOO_DEEP" if too_deep else "GRAPHQL_PARSE_FAILED", syntax_problem(error)


def _operation(cause: BaseException) -> tuple[str, str] | None:
    if isinstance(cause, CannotGetOperationTypeError):
        return "BAD_REQUEST", UNKNOWN_OPERATION
    if isinstance(cause, InvalidOperationTypeError):
        return "BAD_REQUEST", f"A {cause.operation_type.value} is not allowed here."
    return None


def _validation(error: GraphQLError, cause: BaseException) -> tuple[str, str] | None:
    """An error from before execution: of a validation rule, unless something of ours broke."""
    if not isinstance(cause, GraphQLError):
        return None
    if "nested too deeply" in error.message:
        return "QUERY_TOO_DEEP", error.message
    if error.message.startswith("Too many errors processing variables"):
        return "BAD_INPUT", error.message
    return "GRAPHQL_VALIDATION_FAILED", error.message


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, what it wraps, and so on inwards."""
    inner: BaseException | None = error
    while inner is not None:
        yield inner
        if isinstance(inner, GraphQLError):
            inner = inner.original_error
        elif isinstance(inner, BaseExceptionGroup) and len(inner.exceptions) == 1:
            inner = inner.exceptions[0]
        else:
            inner = None


def _log_once(error: GraphQLError, logged: set[object]) -> None:
    """A resolver that fails for each node of a page is one line, not a thousand."""
    *_, cause = _causes(error)
    place = [(frame.f_code, line) for frame, line in traceback.walk_tb(cause.__traceback__)][-1:]
    key = (type(cause), *place)
    if key not in logged:
        logged.add(key)
        log_exception("graphql.internal", cause, at=_fields(error))


def _fields(error: GraphQLError) -> str:
    """Names of the fields, not their aliases: an alias is the caller's own text."""
    names = [getattr(getattr(node, "name", None), "value", "") for node in error.nodes or ()]
    return ",".join(dict.fromkeys(names))[:200]
