"""What can fail alone is null alone: which fields of the schema are nullable, and that their neighbours stay."""

from typing import Any

import pytest
from strawberry.types.base import StrawberryObjectDefinition, StrawberryOptional
from strawberry.types.field import StrawberryField

from db.lists import nodes
from db.pool import StatementTimeout
from reads import lists
from resolvers.schema import schema
from tests.resolvers.runtime import Runtime

# Fields that read and are never null, by why.
NEVER_NULL = {
    "the Relay specification says so; the connection around is nullable": {
        "PageInfo.hasNextPage",
        "PageInfo.hasPreviousPage",
    },
    "a subscription has one field, so that nothing stands beside it": {
        "Subscription.studyChanged",
        "Subscription.archiveHealthChanged",
    },
    "made in parts of a page that is at hand: nothing is read": {
        f"{level}Connection.{field}"
        for level in ("Study", "Series", "Instance")
        for field in ("nodes", "edges")
    },
}


def fields() -> list[tuple[str, StrawberryField]]:
    """Every field of an object of the schema, as Type.field."""
    found = []
    for name, each in schema.schema_converter.type_map.items():
        of = each.definition
        if isinstance(of, StrawberryObjectDefinition) and not of.is_input and not of.is_interface:
            found += [
                (f"{name}.{schema.config.name_converter.from_field(field)}", field) for field in of.fields
            ]
    return found


def can_fail_alone(field: StrawberryField) -> bool:
    """Whether it reads after its object was found, or has arguments that may be wrong."""
    return field.base_resolver is not None and (field.is_async or bool(field.arguments))


def test_what_can_fail_alone_is_nullable() -> None:
    failing = {name for name, field in fields() if can_fail_alone(field)}
    assert len(failing) > 60
    nullable = {name for name, field in fields() if isinstance(field.type, StrawberryOptional)}
    excepted = {name for names in NEVER_NULL.values() for name in names}
    assert failing - nullable == excepted


def test_what_cannot_fail_alone_is_null_where_it_has_no_value_only() -> None:
    """Connections give their nodes, nodes their ids: a client need not ask twice."""
    never = {name for name, field in fields() if not isinstance(field.type, StrawberryOptional)}
    assert {"Study.id", "Study.studyInstanceUid", "StudyConnection.nodes", "StudyConnection.edges"} <= never
    assert {"StudyConnection.pageInfo", "StudyEdge.node", "StudyEdge.cursor", "SourceReport.state"} <= never


async def test_a_list_that_cannot_be_asked_leaves_the_others(runtime: Runtime) -> None:
    answer = await runtime.ask(
        '{ a: studies(first: 2) { totalCount nodes { id } } b: studies(archives: ["nope"]) { totalCount }'
        ' c: studyStats(archives: ["nope"]) { studies { value } } d: seriesStats { series { value } }'
        " e: series(first: 0) { totalCount } f: attributeDefinitions(first: 0) { totalCount }"
        " g: cohorts { nodes { id } } }"
    )
    assert sorted(answer.codes) == ["BAD_INPUT", "BAD_INPUT", "NOT_FOUND", "NOT_FOUND"]
    assert sorted(error["path"][0] for error in answer.errors) == ["b", "c", "e", "f"]
    data = answer.data
    assert len(data["a"]["nodes"]) == 2
    assert data["a"]["totalCount"] > 2
    assert data["d"]["series"]["value"] > 0
    assert data["g"] == {"nodes": []}
    assert {data[name] for name in "bcef"} == {None}


async def _times_out(*_: Any, **__: Any) -> Any:
    raise StatementTimeout("too slow")


async def test_a_count_that_takes_too_long_leaves_the_page(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes, "counts", _times_out)
    answer = await runtime.ask(
        "{ studies(first: 3) { totalCount nodes { studyInstanceUid } sources { matched state } } }"
    )
    studies = answer.data["studies"]
    assert studies["totalCount"] is None
    assert len(studies["nodes"]) == 3
    assert studies["sources"] == [{"matched": None, "state": "CACHED"}] * 3
    assert set(answer.codes) == {"TIMEOUT"}


async def test_reports_that_cannot_be_made_leave_the_page(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "reports_of", _times_out)
    answer = await runtime.ask(
        "{ studies(first: 3) { complete nodes { studyInstanceUid } sources { matched } } }"
    )
    studies = answer.data["studies"]
    assert (studies["complete"], studies["sources"]) == (None, None)
    assert len(studies["nodes"]) == 3


async def test_what_a_node_cannot_tell_leaves_the_node(runtime: Runtime) -> None:
    answer = await runtime.ask(
        '{ studies(first: 2) { nodes { studyInstanceUid attributes(keywords: ["Sturdydate"]) { text } } } }'
    )
    assert answer.codes == ["BAD_INPUT"] * 2
    assert [node["attributes"] for node in answer.data["studies"]["nodes"]] == [None, None]
    assert all(node["studyInstanceUid"] for node in answer.data["studies"]["nodes"])


async def test_an_id_that_is_none_is_null_among_the_others(runtime: Runtime) -> None:
    known = (await runtime.data("{ studies(first: 1) { nodes { id } } }"))["studies"]["nodes"][0]["id"]
    answer = await runtime.ask("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["?", known]})
    assert answer.data == {"nodes": [None, {"id": known}]}
    assert [(error["path"], error["extensions"]["code"]) for error in answer.errors] == [
        (["nodes", 0], "BAD_INPUT")
    ]


async def test_one_mutation_that_fails_does_not_hide_the_others(runtime: Runtime) -> None:
    answer = await runtime.ask(
        'mutation { good: saveCohort(name: "kept", filter: {}) { id } bad: deleteCohort(id: "?") { id } }'
    )
    assert answer.codes == ["NOT_FOUND"]
    assert answer.data["bad"] is None
    saved = answer.data["good"]["id"]
    await runtime.data("mutation ($id: ID!) { deleteCohort(id: $id) { id } }", {"id": saved})
