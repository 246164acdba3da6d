"""The schema as strangers meet it: limits before validation, errors rewritten, operations audited, measured.

It sits inside the schema's own execution, so HTTP, SSE and WebSocket all pass through it.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
)
from graphql import OperationType as Operation
from strawberry import Schema
from strawberry.exceptions import MissingQueryError
from strawberry.extensions import SchemaExtension
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from api.admission.trail import Result, Trail, has_data
from api.admission.turns import turn
from api.document import introspection, limits, persisted
from api.document.cache import KnownDocument, KnownDocuments
from api.document.cost import check_cost, cost_of
from api.document.reading_thread import beside
from api.document.rules import Rules, permit
from api.document.value_limits import check_values, literals
from api.graphql.errors import process_errors
from api.metrics import Metrics
from db.audit.log import AuditUnavailable
from resolvers.engine import (
    core_schema,
    operation_named,
    served_copy,
    use_document,
    use_errors,
    validated,
)

_WRONG_OPERATIONS = (MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError)
_ENDS = {"CUT_OFF": "cut_off", "BAD_REQUEST": "refused"}


def guarded(schema: Schema, metrics: Metrics, trail: Trail, rules: Rules) -> Schema:
    """A copy of the schema that is fit to be served; `schema` itself stays as it is."""
    documents = KnownDocuments()
    # strawberry's own process_errors logs the query source and the exception's message: both can name a patient.
    return served_copy(schema, lambda: Guard(metrics, trail, rules, documents), process_errors)


class Guard(SchemaExtension):
    """One for each operation."""

    def __init__(self, metrics: Metrics, trail: Trail, rules: Rules, documents: KnownDocuments) -> None:
        self._metrics, self._trail, self._rules, self._documents = metrics, trail, rules, documents
        self._known: KnownDocument | None = None
        self._streams = False
        self._told: dict[str, int] | None = None
        self._is_new = False
        self._refusal: GraphQLError | None = None
        self._cost = 0

    async def on_operation(self) -> AsyncIterator[None]:
        started = time.perf_counter()
        try:
            yield
        except BaseException as error:  # a time limit, a client that left, an operation of the wrong kind
            if not self._streams:
                self._trail.cut_off(self.execution_context, _name(error))
            self._measure(started, _ENDS.get(_name(error), "failed"))
            raise
        if not self._streams:
            await self._trail.before_leaving(self.execution_context, self.execution_context.result)
        self._measure(started, self._outcome())

    def _measure(self, started: float, outcome: str) -> None:
        """The slowest operations are those that were cut off: a histogram without them would flatter."""
        seconds = time.perf_counter() - started
        self._metrics.operations.labels(self._operation(), outcome).observe(seconds)

    async def on_execute(self) -> AsyncIterator[None]:
        if self._is_subscription:
            self._streams = True
            await self._trail.begins(self.execution_context)
        elif (who := turn.get()) is not None:
            await who.begin(self._cost)
        yield

    async def on_stream_result(self, result: Result) -> AsyncIterator[None]:  # type: ignore[override]
        self._streams = True
        safe = True
        if self._is_subscription:
            safe = await self._trail.before_event(self.execution_context, result)
        else:
            await self._trail.before_leaving(self.execution_context, result)
        yield
        if not safe:
            raise AuditUnavailable

    async def on_parse(self) -> AsyncIterator[None]:
        context = self.execution_context
        self._known = self._documents.get(context.query)
        try:
            self._check_request()
            if self._known is not None:
                use_document(context, self._known.document)
            elif context.query:
                self._is_new = True
                async with self._reading():
                    use_document(context, await beside(context.query, self._read))
        except GraphQLError as error:
            # Told in the place of what validation finds, so that it leaves its audit line.
            self._refusal = error
        except RecursionError as error:
            self._refusal = GraphQLError(str(error), original_error=error)
        if self._refusal is not None:
            use_document(context, _nothing(operation_named(context)))
        yield

    async def on_validate(self) -> AsyncIterator[None]:
        context = self.execution_context
        try:
            self._check()
        except GraphQLError as error:
            use_errors(context, [error])
        else:
            use_errors(context, [])  # a document that is kept was validated before
            if self._is_new and context.query:
                async with self._reading():
                    use_errors(context, await beside(context.query, self._validated))
        yield
        if self._is_new and self._known is not None and not context.pre_execution_errors and context.query:
            self._documents.keep(context.query, self._known)

    def _read(self) -> DocumentNode:
        """Parsed and measured. Raises GraphQLError."""
        context = self.execution_context
        document = parse(context.query or "", max_tokens=limits.MAX_TOKENS)
        measured = limits.check(document)
        check_values(literals(document))
        self._known = KnownDocument.of(document, measured)
        return document

    def _validated(self) -> list[GraphQLError]:
        return validated(self.execution_context)

    @staticmethod
    def _reading() -> AbstractAsyncContextManager[None]:
        who = turn.get()
        return nullcontext() if who is None else who.reading()

    def get_results(self) -> dict[str, Any]:
        """`extensions` of the answer."""
        return {"cost": self._told} if self._told is not None else {}

    def _check_request(self) -> None:
        """What is known before the document is read."""
        context = self.execution_context
        if not permit.get().any_document and not self._rules.persisted.knows(context.query or ""):
            raise limits.LimitExceeded(persisted.REQUIRED, persisted.WORDS)
        check_values((context.variables or {}).values())

    def _check(self) -> None:
        if self._refusal is not None:
            raise self._refusal
        context, permitted = self.execution_context, permit.get()
        document = context.graphql_document
        if document is None or self._known is None:
            return
        self._check_operations(document)
        if not permitted.introspection and self._known.introspects:
            raise limits.LimitExceeded(introspection.OFF, introspection.words(self._rules.introspection))
        schema, name = core_schema(context.schema), operation_named(context)
        cost, limit = cost_of(schema, document, context.variables, name), self._rules.max_cost
        self._cost = cost.requested
        if permitted.tells_cost or cost.requested > limit:
            self._told = {"requested": cost.requested, "limit": limit, "depth": self._known.measured.depth}
        check_cost(cost, limit)

    def _check_operations(self, document: DocumentNode) -> None:
        operations = sum(isinstance(node, OperationDefinitionNode) for node in document.definitions)
        # strawberry would run the first one; the specification says to refuse.
        if operations > 1 and operation_named(self.execution_context) is None:
            raise limits.LimitExceeded(
                "BAD_REQUEST", f"The document has {operations} operations: say which one in operationName."
            )

    def _operation(self) -> str:
        if self._refusal is not None:  # `_nothing` stands in the document's place
            return "unknown"
        try:
            return self.execution_context.operation_type.value
        except RuntimeError:
            return "unknown"

    @property
    def _is_subscription(self) -> bool:
        return self._operation() == OperationType.SUBSCRIPTION.value

    def _outcome(self) -> str:
        errors = self.execution_context.pre_execution_errors
        if not errors:
            return "ok"
        if any((error.extensions or {}).get("code") == "INTERNAL" for error in errors):
            return "failed"
        result = self.execution_context.result
        return "partial" if isinstance(result, ExecutionResult) and has_data(result) else "refused"


def _nothing(operation: str | None) -> DocumentNode:
    """In the place of a document that could not be read."""
    name = NameNode(value=operation) if operation is not None else None
    return DocumentNode(
        definitions=(
            OperationDefinitionNode(
                operation=Operation.QUERY, name=name, selection_set=SelectionSetNode(selections=())
            ),
        )
    )


def _name(error: BaseException) -> str:
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        return "CUT_OFF"
    return "BAD_REQUEST" if isinstance(error, _WRONG_OPERATIONS) else "INTERNAL"
