"""What of strawberry and graphql-core is used beyond what they promise; nothing else of ours touches it.

tests/resolvers/test_engine.py has a contract for each: an upgrade that changes one fails there, and says which.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import copy
from enum import Enum
from inspect import CORO_CREATED, getcoroutinestate, iscoroutine
from types import CoroutineType
from typing import Any, TypeGuard, TypeVar, cast

import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLInputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    Undefined,
    ValueNode,
    ValuesOfCorrectTypeRule,
    VisitorAction,
)
from graphql.utilities import coerce_input_value
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext, validate_document
from strawberry.types import ExecutionContext
from strawberry.types.arguments import convert_argument

T = TypeVar("T")
_PLAIN = frozenset({type(None), bool, int, float, str, list, tuple, dict})


def core_schema(schema: object) -> GraphQLSchema:
    """The schema as graphql-core has it."""
    return cast(GraphQLSchema, cast(Any, schema)._schema)


def core_info(info: strawberry.Info) -> GraphQLResolveInfo[Any]:
    """What graphql-core tells a resolver: nodes of the field, fragments, path."""
    return info._raw_info


def enum_of(of: type[Enum], description: str, said: Mapping[Enum, str]) -> None:
    """Makes an enum of a room below one of the schema. said: the description of each member, which strawberry takes
    only where the class itself has it."""
    strawberry.enum(of, description=description)
    for value in cast(Any, of).__strawberry_definition__.values:
        value.description = said[of(value.value)]


def input_of(schema: object, given: object, of: type[T]) -> T:
    """JSON as an input of the schema, as an argument has it. Raises GraphQLError."""
    own = cast(Any, schema)
    coerced = coerce_input_value(given, cast(GraphQLInputType, core_schema(schema).type_map[of.__name__]))
    if coerced is Undefined:
        raise GraphQLError(f"This is no {of.__name__}.")
    return cast(T, convert_argument(coerced, of, own.schema_converter.scalar_registry, own.config))


def served_copy(
    schema: strawberry.Schema,
    extension: Callable[[], SchemaExtension],
    process_errors: Callable[[list[GraphQLError], ExecutionContext | None], None],
) -> strawberry.Schema:
    """A copy that runs the extension before its own, rewrites errors, and leaves no work behind; `schema` stays as it
    is."""
    served = copy(schema)
    served.extensions = (extension, *schema.extensions)
    served.process_errors = process_errors  # type: ignore[method-assign, assignment]
    served.execution_context_class = Executor
    return served


def use_document(context: ExecutionContext, document: DocumentNode) -> None:
    """While it is parsed: the query itself is not."""
    context.graphql_document = document


def use_errors(context: ExecutionContext, errors: Sequence[GraphQLError]) -> None:
    """While it is validated: strawberry does not validate it; without errors it is run."""
    context.pre_execution_errors = list(errors)


def validated(context: ExecutionContext) -> list[GraphQLError]:
    """What is wrong with the document, by the rules of the schema; literals are marked as such."""
    assert context.graphql_document is not None  # noqa: S101
    rules = tuple(
        _MarksLiterals if rule is ValuesOfCorrectTypeRule else rule for rule in context.validation_rules
    )
    return validate_document(core_schema(context.schema), context.graphql_document, rules)


class WrongLiteral(GraphQLError):
    """A literal of the document that its place does not accept: nobody need recognise it by its words."""


class _MarksLiterals(ValuesOfCorrectTypeRule):
    _node: ValueNode

    def is_valid_value_node(self, node: ValueNode, input_type: GraphQLInputType | None) -> VisitorAction:
        self._node = node
        return super().is_valid_value_node(node, input_type)

    def report_error(self, error: GraphQLError) -> None:
        nodes = error.nodes or [self._node]  # a scalar of ours does not know where it stands
        super().report_error(WrongLiteral(error.message, nodes, original_error=error.original_error))


def operation_named(context: ExecutionContext) -> str | None:
    """The operationName of the request; None where it has none."""
    return context._provided_operation_name


class Executor(StrawberryGraphQLCoreExecutionContext):
    """Leaves nothing behind of an operation whose field failed beside others, or that was cancelled.

    graphql-core runs on what it has begun for the siblings of a field that failed, whose values nobody gets any more,
    or forgets it: statements for nobody, in the background, after the audit line was written.
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        made: list[CoroutineType[Any, Any, Any]] = []
        known = self.is_awaitable

        def is_awaitable(value: Any) -> TypeGuard[Awaitable[Any]]:
            kind = type(value)
            if kind in _PLAIN:  # asked some times for each field
                return False
            if kind is CoroutineType:
                made.append(value)
                return True
            return known(value)

        self._made, self.is_awaitable = made, is_awaitable

    def execute_operation(self, serially: bool | None = None) -> Any:
        """Every coroutine of the operation is looked at once more at its end, and closed if it was never awaited."""
        result = super().execute_operation(serially)
        if not iscoroutine(result):
            self._close_rest()
            return result

        async def to_its_end() -> ExecutionResult:
            try:
                return cast(ExecutionResult, await result)
            finally:
                self._close_rest()

        return to_its_end()

    def complete_list_item_value(self, item: Any, complete_results: list[Any], *more: Any) -> bool:
        """graphql-core does not ask `is_awaitable` of what it makes for an item."""
        waits = super().complete_list_item_value(item, complete_results, *more)
        if waits:
            self._made.append(complete_results[-1])
        return waits

    def settle_in_background(self, awaitables: list[Any]) -> None:
        """What has not begun does not begin; what others may wait for, such as futures, goes on."""
        for each in awaitables:
            if iscoroutine(each):
                each.close()
        if others := [each for each in awaitables if not iscoroutine(each)]:
            super().settle_in_background(others)

    def _close_rest(self) -> None:
        for each in self._made:
            if getcoroutinestate(each) == CORO_CREATED:
                each.close()
        self._made.clear()
