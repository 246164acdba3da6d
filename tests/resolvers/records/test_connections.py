"""Every connection of the schema has nodes, edges and both directions; cohorts and their versions are nodes."""

from typing import Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType, get_named_type, is_enum_type

from resolvers.schema import schema
from tests.resolvers.cohort_home import ANALYST, OWNER, STRANGER, Home
from tests.resolvers.runtime import Runtime

TYPES = schema._schema.type_map


def objects() -> list[GraphQLObjectType]:
    return [each for each in TYPES.values() if isinstance(each, GraphQLObjectType)]


def test_every_connection_has_nodes_edges_and_both_directions() -> None:
    connections = {each.name for each in objects() if "pageInfo" in each.fields}
    assert connections == {each.name for each in objects() if each.name.endswith("Connection")}
    assert {"CohortConnection", "AttributeDefinitionConnection", "StudyConnection"} <= connections
    for name in connections:
        fields = TYPES[name].fields  # type: ignore[attr-defined]
        assert str(fields["nodes"].type) == f"[{name.removesuffix('Connection')}!]!"
        assert str(fields["edges"].type) == f"[{name.removesuffix('Connection')}Edge!]!"
    for each in objects():
        for name, field in each.fields.items():
            if str(field.type).rstrip("!") in connections:
                assert {"first", "after", "last", "before"} <= set(field.args), f"{each.name}.{name}"


def test_what_has_an_id_is_a_node() -> None:
    nodes = {each.name for each in objects() if any(one.name == "Node" for one in each.interfaces)}
    assert nodes == {"Study", "Series", "Instance", "Archive", "Cohort", "CohortVersion"}


def test_what_has_a_few_values_is_an_enum() -> None:
    """A client sees them in the schema; in inputs as well."""
    found = {
        f"{each.name}.{name}": get_named_type(field.type)
        for each in TYPES.values()
        if isinstance(each, (GraphQLObjectType, GraphQLInputObjectType)) and not each.name.startswith("__")
        for name, field in each.fields.items()
        if name in ("kind", "level", "state", "access")
    }
    assert {"Archive.kind", "ArchiveInput.kind", "AttributeCoverage.level"} <= found.keys()
    assert [name for name, of in found.items() if not is_enum_type(of)] == []
    for name in ("ArchiveInput", "ArchiveChanges"):
        assert str(get_named_type(TYPES[name].fields["index"].type)) == "Level"  # type: ignore[attr-defined]


WALK = """query ($first: Int, $after: String, $last: Int, $before: String) { %s(%s first: $first, after: $after,
  last: $last, before: $before) { nodes { id: %s } edges { cursor node { id: %s } }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


async def walked(ask: Any, field: str, size: int, *, back: bool) -> list[str]:
    """Ids of a list, page by page, in its order; each page says exactly what is on either side."""
    found: list[str] = []
    window: dict[str, Any] = {"last" if back else "first": size}
    while True:
        page = (await ask(window))[field]
        ids = [node["id"] for node in page["nodes"]]
        assert [edge["node"]["id"] for edge in page["edges"]] == ids
        info, cursors = page["pageInfo"], [edge["cursor"] for edge in page["edges"]]
        assert [info["startCursor"], info["endCursor"]] == [cursors[0], cursors[-1]]
        assert info["hasNextPage" if back else "hasPreviousPage"] is bool(found)
        found = ids + found if back else found + ids
        if not info["hasPreviousPage" if back else "hasNextPage"]:
            return found
        window |= {"before": info["startCursor"]} if back else {"after": info["endCursor"]}


@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_cohorts_in_both_directions(runtime: Runtime, size: int) -> None:
    save = "mutation ($n: String!) { saveCohort(name: $n, filter: {}) { id } }"
    ids = [(await runtime.data(save, {"n": f"c{n}"}))["saveCohort"]["id"] for n in range(7)]

    async def ask(window: dict[str, Any]) -> Any:
        return await runtime.data(WALK % ("cohorts", "mine: true,", "id", "id"), window)

    try:
        assert await walked(ask, "cohorts", size, back=False) == ids[::-1]
        assert await walked(ask, "cohorts", size, back=True) == ids[::-1]
    finally:
        for id in ids:
            await runtime.data("mutation ($id: ID!) { deleteCohort(id: $id) { id } }", {"id": id})


async def test_definitions_in_both_directions(runtime: Runtime) -> None:
    async def ask(window: dict[str, Any]) -> Any:
        query = WALK % ("attributeDefinitions", 'search: "PatientBirth",', "keyword", "keyword")
        return await runtime.data(query, window)

    forwards = await walked(ask, "attributeDefinitions", 2, back=False)
    assert "PatientBirthDate" in forwards
    assert len(forwards) > 2
    assert forwards == sorted(forwards) == await walked(ask, "attributeDefinitions", 2, back=True)


NODES = """query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Cohort { name }
  ... on CohortVersion { number studies { totalCount } } } }"""


async def test_cohorts_and_versions_are_nodes(home: Home) -> None:
    cohort, version = await home.frozen(OWNER, {})
    ids = [cohort, version["id"]]
    answer = await home.ask(OWNER, NODES, ids=ids)
    total = version["studies"]["totalCount"]
    assert answer.data["nodes"] == [
        {"__typename": "Cohort", "id": cohort, "name": "mine"},
        {"__typename": "CohortVersion", "id": version["id"], "number": 1, "studies": {"totalCount": total}},
    ]
    assert answer.statements.count("cohorts") == 1
    for stranger in (STRANGER, ANALYST):
        assert (await home.data(stranger, NODES, ids=ids))["nodes"] == [None, None]
    await home.share(cohort, people=[ANALYST.subject])
    assert [node["id"] for node in (await home.data(ANALYST, NODES, ids=ids))["nodes"]] == ids


LISTS = """{ cohorts { nodes { name sharedWith { people } archives { code }
  versions { number sources { archive { code } } studies(first: 2) { totalCount complete
    nodes { studyInstanceUid series(first: 1) { totalCount } } pageInfo { hasNextPage } } } } } }"""


async def test_ten_cohorts_cost_as_many_statements_as_one(home: Home) -> None:
    id, _ = await home.frozen(OWNER, {})
    one = await home.ask(OWNER, LISTS)
    await home.data(OWNER, "mutation ($id: ID!) { freezeCohort(id: $id) { number } }", id=id)
    filters: list[dict[str, Any]] = [
        {"modalitiesInStudy": {"any": ["MR"]}},
        {"patientSex": {"eq": "F"}},
        {"not": {}},
    ]
    for given in filters:
        await home.frozen(OWNER, given)
    many = await home.ask(OWNER, LISTS)
    assert many.errors == one.errors == []
    assert sorted(many.statements) == sorted(one.statements)
    versions = [v for c in many.data["cohorts"]["nodes"] for v in c["versions"]]
    assert [len(v["studies"]["nodes"]) for v in versions].count(2) >= 3
    for version in versions:
        assert version["studies"]["complete"] is True
    # each version is what it is when it is asked for alone
    shown = "{ totalCount nodes { studyInstanceUid } }"
    ids = f"{{ cohorts(first: 5) {{ nodes {{ versions {{ id studies(first: 100) {shown} }} }} }} }}"
    alone = f"query ($id: ID!) {{ studies(first: 100, filter: {{cohort: $id}}) {shown} }}"
    for cohort in (await home.data(OWNER, ids))["cohorts"]["nodes"]:
        for version in cohort["versions"]:
            assert (await home.data(OWNER, alone, id=version["id"]))["studies"] == version["studies"]
