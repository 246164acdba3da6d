"""Contracts of resolvers/engine.py: what strawberry and graphql-core do not promise and we build on. A test that falls
after an upgrade names what they have changed."""

import asyncio
import gc
import re
import warnings
from collections.abc import AsyncIterator, Callable
from enum import Enum
from pathlib import Path
from typing import Any, NewType

import pytest
import strawberry
from graphql import GraphQLError, GraphQLSchema, parse
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from resolvers import engine

ROOT = Path(__file__).parents[2]
INTERNALS = re.compile(
    r"(?<!self)\._schema\b|_raw_info|_provided_operation_name|__strawberry_definition__|schema_converter|execution_context_class"
    r"|\.graphql_document = |\.pre_execution_errors = |parse_options|graphql\.execution"
    r"|strawberry\.(schema\.schema|execution|types\.arguments|asgi|http\.async_base_view|subscriptions)"
)


class Colour(Enum):
    RED = "r"


engine.enum_of(Colour, "Of light.", {Colour.RED: "Like blood."})


Uid = NewType("Uid", str)


def uid(text: str) -> Uid:
    raise ValueError(text)


@strawberry.input
class Match:
    colour: Colour | None = None
    inner: list["Match"] | None = None
    uid: Uid | None = None


done: list[str] = []
"""What resolvers did."""


@strawberry.type
class Node:
    @strawberry.field
    async def slow(self) -> str:
        await asyncio.sleep(0)
        done.append("slow")
        return "slow"

    @strawberry.field
    def fails(self) -> str:
        raise ValueError


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, match: Match | None = None) -> str:
        done.append("hello")
        return "world"

    @strawberry.field
    async def slow(self) -> str:
        await asyncio.sleep(0)
        done.append("slow")
        return "slow"

    @strawberry.field
    async def fails_late(self) -> str:
        raise ValueError

    @strawberry.field
    def fails(self) -> str:
        raise ValueError

    @strawberry.field
    def nodes(self) -> list[Node]:
        return [Node(), Node()]

    @strawberry.field
    async def node(self) -> Node | None:
        return Node()

    @strawberry.field
    def seen(self, info: strawberry.Info) -> list[str]:
        raw = engine.core_info(info)
        return [raw.field_nodes[0].alias.value, *raw.fragments, *map(str, raw.path.as_list())]  # type: ignore[union-attr]


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def nodes(self) -> AsyncIterator[Node]:
        yield Node()


SCALARS: dict[object, Any] = {Uid: strawberry.scalar(name="Uid", parse_value=uid, serialize=str)}
plain = strawberry.Schema(Query, subscription=Subscription, config=StrawberryConfig(scalar_map=SCALARS))


class Extension(SchemaExtension):
    """Does one thing in one phase."""

    def __init__(self, phase: str = "", work: Callable[[ExecutionContext], None] = lambda _: None) -> None:
        self._phase, self._work = phase, work

    def _in(self, phase: str) -> None:
        if phase == self._phase:
            self._work(self.execution_context)

    def on_operation(self) -> Any:
        self._in("operation")
        yield

    def on_parse(self) -> Any:
        self._in("parse")
        yield

    def on_validate(self) -> Any:
        self._in("validate")
        yield


def served(phase: str = "", work: Callable[[ExecutionContext], Any] = lambda _: None) -> strawberry.Schema:
    return engine.served_copy(plain, lambda: Extension(phase, work), lambda errors, context: None)


@pytest.fixture(autouse=True)
def nothing_done() -> None:
    done.clear()


def test_a_schema_holds_that_of_graphql_core() -> None:
    """Schema._schema"""
    assert isinstance(engine.core_schema(plain), GraphQLSchema)
    assert "Match" in engine.core_schema(plain).type_map


async def test_a_resolver_is_told_what_graphql_core_knows() -> None:
    """Info._raw_info"""
    result = await plain.execute("{ ...F } fragment F on Query { alias: seen }")
    assert (result.errors, result.data) == (None, {"alias": ["alias", "F", "alias"]})


def test_values_of_enums_are_described_afterwards() -> None:
    """__strawberry_definition__.values[…].description"""
    assert '"""Like blood."""\n  RED' in plain.as_str()


def test_json_becomes_an_input() -> None:
    """schema_converter.scalar_registry, convert_argument"""
    assert engine.input_of(plain, {"inner": [{"colour": "RED"}]}, Match) == Match(
        inner=[Match(colour=Colour.RED)]
    )
    with pytest.raises(GraphQLError):
        engine.input_of(plain, {"colour": "BLUE"}, Match)


async def test_a_copy_is_served_and_the_schema_stays_as_it_is() -> None:
    """Schema.extensions, .process_errors and .execution_context_class are read at each operation."""
    met: list[str] = []

    def process(errors: list[GraphQLError], context: ExecutionContext | None) -> None:
        met.append(f"{len(errors)} errors")

    copied = engine.served_copy(plain, lambda: Extension("parse", lambda _: met.append("extension")), process)
    await copied.execute("{ fails }")
    assert met == ["extension", "1 errors"]
    assert plain.execution_context_class is not engine.Executor
    await plain.execute("{ hello }")
    assert len(met) == 2


async def test_a_document_that_is_given_is_run_instead_of_the_query() -> None:
    """ExecutionContext.graphql_document, set in on_parse"""
    document = parse("{ hello }")
    result = await served("parse", lambda context: engine.use_document(context, document)).execute(
        "no GraphQL"
    )
    assert (result.errors, result.data) == (None, {"hello": "world"})


async def test_errors_that_are_given_stand_for_validation() -> None:
    """ExecutionContext.pre_execution_errors, set in on_validate"""
    error = GraphQLError("no")
    result = await served("validate", lambda context: engine.use_errors(context, [error])).execute(
        "{ hello }"
    )
    assert (result.errors, result.data, done) == ([error], None, [])
    result = await served("validate", lambda context: engine.use_errors(context, [])).execute(
        "{ hello { nope } }"
    )
    assert (result.errors, result.data, done) == (None, {"hello": "world"}, ["hello"])


async def test_wrong_literals_are_told_from_other_errors() -> None:
    """validate_document, .validation_rules; ValuesOfCorrectTypeRule.is_valid_value_node, .report_error"""
    found: list[GraphQLError] = []
    schema = served("validate", lambda context: found.extend(engine.validated(context)))
    await schema.execute('{ hello { nope } a: hello(match: {colour: BLUE}) b: hello(match: {uid: "x"}) }')
    assert [isinstance(error, engine.WrongLiteral) for error in found] == [False, True, True]
    assert all(error.locations for error in found)
    assert isinstance(found[2].original_error, ValueError)


async def test_each_result_of_a_stream_passes_the_extension_before_it_is_taken() -> None:
    """SchemaExtension.on_stream_result(result), .get_results"""
    passed: list[Any] = []

    class Passing(SchemaExtension):
        async def on_stream_result(self, result: Any) -> AsyncIterator[None]:
            passed.append(result)
            yield

        def get_results(self) -> dict[str, Any]:
            return {"told": 1}

    schema = engine.served_copy(plain, Passing, lambda errors, context: None)
    for query in ("{ hello }", "subscription { nodes { slow } }"):
        async for result in await schema.stream(query):
            assert passed.pop() is result
    assert (await schema.execute("{ hello }")).extensions == {"told": 1}


@pytest.mark.parametrize("name", [None, "A"])
async def test_the_name_of_the_operation_is_that_of_the_request(name: str | None) -> None:
    """ExecutionContext._provided_operation_name: `operation_name` is the document's where the request has none."""
    told: list[object] = []
    schema = served("validate", lambda context: told.append(engine.operation_named(context)))
    await schema.execute("query A { hello }", operation_name=name)
    assert told == [name]


FAIL_BESIDE = [
    "{ slow fails }",
    "{ slow failsLate }",
    "{ nodes { slow } failsLate }",
    "{ nodes { slow fails } slow }",
    "{ node { a: slow fails b: slow } }",
    "{ node { slow } nodes { a: slow b: slow } fails }",
    "mutation { nope }",
    "subscription { nodes { slow fails } }",
]


async def left_behind(schema: strawberry.Schema, query: str) -> tuple[int, list[str]]:
    """What was done for the operation after its end, and which of its coroutines nobody awaited."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        results = await schema.stream(query)
        async for _ in results:
            before = len(done)
        for _ in range(10):
            await asyncio.sleep(0)
        gc.collect()
    return len(done) - before, [str(each.message) for each in caught]


@pytest.mark.parametrize("query", FAIL_BESIDE)
async def test_an_operation_that_failed_leaves_nothing_behind(query: str) -> None:
    """Executor: is_awaitable, complete_list_item_value, settle_in_background, execute_operation"""
    assert await left_behind(served(), query) == (0, [])


@pytest.mark.parametrize("turns", range(6))
async def test_nor_does_one_that_was_cancelled(turns: int) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        running = asyncio.create_task(served().execute("{ nodes { slow } slow node { a: slow b: slow } }"))
        for _ in range(turns):
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        begun = len(done)
        for _ in range(10):
            await asyncio.sleep(0)
        gc.collect()
    assert (len(done) - begun, [str(each.message) for each in caught]) == (0, [])


async def test_graphql_core_does_leave_work_behind() -> None:
    """If this falls, graphql-core has mended it: engine.Executor can go."""
    assert (await left_behind(plain, "{ slow fails }"))[0] == 1


def test_nothing_else_touches_their_internals() -> None:
    files = [path for room in ("api", "reads", "resolvers") for path in (ROOT / room).rglob("*.py")]
    found = {
        str(path.relative_to(ROOT)) for path in files if INTERNALS.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"resolvers/engine.py"}
