"""A schema of a few fields, one for each way to go wrong, and the application around it."""

import asyncio
import datetime
from collections.abc import AsyncIterator
from enum import Enum
from typing import Any, NewType, Self

import strawberry
from starlette.applications import Starlette
from strawberry.schema.config import StrawberryConfig

from api.app import create_app
from archives.errors import TimedOut
from model.errors import BadCursor, BadInput, Forbidden, NotFound

PATIENT = "Müller^Jürgen"
UID = NewType("UID", str)


def _uid(text: object) -> UID:
    if not isinstance(text, str) or not text.replace(".", "").isdigit():
        raise BadInput("a UID is 1 to 64 digits and dots")
    return UID(text)


@strawberry.enum
class Modality(Enum):
    MR = "MR"
    CT = "CT"


@strawberry.input
class Match:
    eq: str | None = None
    rows: int | None = None
    date: datetime.date | None = None
    modality: Modality | None = None
    nested: "Match | None" = None

    def __post_init__(self) -> None:
        if self.rows is not None and self.rows < 0:
            raise BadInput("rows must not be negative")


@strawberry.type
class Node:
    name: str = "node"

    @strawberry.field
    def child(self) -> Self:
        return self

    @strawberry.field
    def breaks(self) -> str:
        raise RuntimeError(f"Key (patient_id)=({PATIENT}) already exists")


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, match: Match | None = None, uid: UID | None = None, first: int = 20) -> str | None:
        return "world"

    @strawberry.field
    def strict(self, first: int = 1) -> str:
        return "world"

    @strawberry.field
    def node(self) -> Node:
        return Node()

    @strawberry.field
    def nodes(self) -> list[Node]:
        return [Node(), Node(), Node()]

    @strawberry.field
    def fails(self, how: str) -> str | None:
        raise {
            "input": BadInput("first must be 1 to 1000"),
            "cursor": BadCursor("this cursor is expired"),
            "missing": NotFound("there is no archive of that code"),
            "forbidden": Forbidden("your grants do not cover this archive"),
            "archive": TimedOut("no answer within 5 s"),
            "group": ExceptionGroup("tasks", [BadInput("from a task group")]),
        }.get(how, ValueError(f"cannot read {PATIENT}"))

    @strawberry.field
    def too_big(self) -> int:
        return 3_000_000_000

    @strawberry.field
    async def sleeps(self, seconds: float) -> str:
        await asyncio.sleep(seconds)
        return "awake"


@strawberry.type
class Mutation:
    @strawberry.mutation
    def change(self) -> str:
        return "changed"


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(self, count: int) -> AsyncIterator[int]:
        for number in range(count):
            yield number


schema = strawberry.Schema(
    Query,
    Mutation,
    Subscription,
    config=StrawberryConfig(
        scalar_map={UID: strawberry.scalar(name="UID", parse_value=_uid, serialize=str)},
    ),
)


async def no_context(_request: object) -> dict[str, Any]:
    return {}


async def all_well() -> dict[str, str]:
    return {}


def tiny_app(**changes: Any) -> Starlette:
    """The application over the tiny schema."""
    return create_app(**{"schema": schema, "context_factory": no_context, "readiness": all_well, **changes})


app = tiny_app()
