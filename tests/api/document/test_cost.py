"""What operations cost, against adding everything up the slow way; and what is told of it."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, OperationDefinitionNode, parse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.document.cost import LIVE_PRICE, MOST, PRICES, Cost, cost_of
from api.document.limits import MAX_COST
from api.document.rules import Rules
from resolvers.schema import schema
from tests.api.document.test_limits import bomb, chain
from tests.api.tiny import tiny_app

SCHEMA = schema._schema

Q1 = """query Newest($first: Int!) {
  studies(first: $first, filter: { modalitiesInStudy: { any: ["MR"] }, studyDate: { gte: "2015-01-01" } }) {
    nodes {
      studyInstanceUid studyDate studyTime accessionNumber studyId studyDescription patientId patientBirthDate
      patientSex modalitiesInStudy numberOfStudyRelatedSeries numberOfStudyRelatedInstances
      series(first: 10) {
        nodes {
          seriesInstanceUid modality seriesNumber seriesDate seriesDescription bodyPartExamined manufacturer
          numberOfSeriesRelatedInstances
        }
      }
    }
  }
}"""
PAGE = "query ($n: Int) { studies(first: $n) { nodes { id } } }"
IDS = "query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Study { studyDate } } }"
BOTH = "fragment B on StudyConnection { totalCount nodes { ...S } edges { cursor node { ...S } } }"
STUDY = "fragment S on Study { studyDate series(last: 5) { nodes { modality } } }"


def cost(document: str, variables: Mapping[str, Any] | None = None, name: str | None = None) -> Cost:
    return cost_of(SCHEMA, parse(document), variables, name)


@pytest.mark.parametrize(
    ("document", "variables", "requested", "dearest"),
    [
        ("{ __typename }", {}, 1, ""),
        ("{ viewer { subject grants { ern access } } }", {}, 5, ""),
        # sizes: literal, variable, its default, the schema's default
        ("{ studies(first: 7) { nodes { id } } }", {}, 2 + 7, "studies"),
        ("{ studies(last: 7) { nodes { id } } }", {}, 2 + 7, "studies"),
        ("{ studies { nodes { id } } }", {}, 2 + 20, "studies"),
        ('{ cohorts(last: 3) { edges { cursor node { id } } } }', {}, 2 + 3 * 3, "cohorts"),
        ("{ attributeDefinitions { nodes { tag } } }", {}, 2 + 50, "attributeDefinitions"),
        (PAGE, {"n": 300}, 2 + 300, "studies"),
        (PAGE, {}, 2 + 20, "studies"),
        (PAGE, {"n": None}, 2 + 20, "studies"),
        (PAGE.replace("$n: Int", "$n: Int = 9"), {}, 2 + 9, "studies"),
        (PAGE.replace("$n: Int", "$n: Int = 9"), {"n": 4}, 2 + 4, "studies"),
        ("{ studies(first: 3, last: 8) { nodes { id } } }", {}, 2 + 8, "studies"),
        # what cannot be a size is refused later, and never makes anything cheaper
        ("{ studies(first: -5) { nodes { id } } }", {}, 2 + 1, "studies"),
        (PAGE, {"n": "300"}, 2 + 20, "studies"),
        (PAGE, {"n": True}, 2 + 20, "studies"),
        (PAGE, {"n": 300.0}, 2 + 300, "studies"),
        (PAGE, {"n": 1e300}, 2 + 20, "studies"),
        (PAGE, {"n": float("inf")}, 2 + 20, "studies"),
        (PAGE, {"n": 2**31}, 2 + 20, "studies"),
        (PAGE, {"n": 2**31 - 1}, 2 + 1_000_000, "studies"),
        ("{ studies(first: 1" + "0" * 5000 + ") { nodes { id } } }", {}, 2 + 20, "studies"),
        # only nodes and edges are as many as the page has
        ("{ studies(first: 7) { totalCount pageInfo { hasNextPage } sources { state } } }", {}, 6, "studies"),
        ("{ studies(first: 7) { edges { cursor node { id } } } }", {}, 2 + 7 * 3, "studies"),
        ("{ studies(first: 7) { a: nodes { id } b: nodes { id } } }", {}, 3 + 14, "studies"),
        ("{ studies(first: 7) { nodes { locations { archive { code } } } } }", {}, 2 + 21, "studies"),
        # both ways of @include and @skip count
        (
            "query ($x: Boolean!) { studies(first: 7) { nodes { id @skip(if: $x) studyDate @include(if: $x) } } }",
            {"x": True},
            2 + 14,
            "studies",
        ),
        # nested pages multiply
        ("{ studies(first: 7) { nodes { series(first: 5) { nodes { id } } } } }", {}, 2 + 7 * (2 + 5), "s.n.s"),
        ("{ studies(first: 7) { nodes { id studyDate studyId series(first: 1) { totalCount } } } }", {},
         2 + 7 * 5, "studies"),
        # nodes(ids:)
        ('{ nodes(ids: ["a", "b", "c"]) { id } }', {}, 1 + 3, "nodes"),
        ('{ nodes(ids: "a") { id } }', {}, 1 + 1, "nodes"),
        (IDS, {"ids": ["a"] * 500}, 1 + 500 * 2, "nodes"),
        (IDS, {"ids": []}, 1 + 2, "nodes"),
        # statistics have a price, whatever is below
        ("{ studyStats { studies { value } complete } }", {}, 1 + 1000 + 1 + 1, ""),
        ("{ studyStats { facet(by: ERN, first: 1000) { value } } }", {}, 1 + 1000 + 1000, "studyStats.facet"),
        ("{ studyStats { facet(by: ERN) { value count { value } } } }", {}, 1 + 1000 + 60, "studyStats.facet"),
        ("{ studyStats { histogram(attribute: \"Rows\", bins: 7) { to } } }", {}, 1 + 1000 + 7, "studyStats.histogram"),
        # plain lists by their bound
        ("{ cohorts(first: 10) { nodes { versions { number } } } }", {}, 2 + 10 * (1 + 20), "cohorts.nodes.versions"),
        ("{ cohort(id: 1) { versions { studies(first: 5) { nodes { id } } } } }", {}, 2 + 20 * 7, "c.v.s"),
        # fragments: on a node, on a page, on the page of whoever spreads them
        ("{ studies(first: 7) { nodes { ...S } } }" + STUDY, {}, 2 + 7 * 8, "s.n.s"),
        ("{ studies(first: 100) { ...B } }" + BOTH + STUDY, {}, 4 + 100 * 8 + 100 * 10, "studies"),
        ("{ studies(first: 100) { ... on StudyConnection { ...B } } }" + BOTH + STUDY, {}, 1804, "studies"),
        ("{ studies(first: 9) { ... { ...P } } } fragment P on StudyConnection { nodes { id } }", {}, 11, "studies"),
        # what the schema does not have counts all the same
        ("{ nothing { nodes { nodes } } ...Nothing }", {}, 3, ""),
        ("{ ...A } fragment A on Query { ...B a } fragment B on Query { ...A b }", {}, 2, ""),
        ("query A { studies(first: 9) { nodes { id } } } query B { viewer { name } }", {}, 11, "studies"),
    ],
)  # fmt: skip
def test_costs(document: str, variables: dict[str, Any], requested: int, dearest: str) -> None:
    found = cost(document, variables)
    expected = {"s.n.s": "studies.nodes.series", "c.v.s": "cohort.versions.studies"}.get(dearest, dearest)
    assert (found.requested, found.dearest) == (requested, expected)


LIVE = "studies(first: 7, freshness: %s) { nodes { id } }"
MODE = "query ($m: FreshnessMode!) { " + LIVE % "{mode: $m}" + " }"
WHOLE = "query ($f: Freshness) { " + LIVE % "$f" + " }"


@pytest.mark.parametrize(
    ("document", "variables", "asks"),
    [
        ("{" + LIVE % "{mode: LIVE}" + "}", {}, True),
        ("{" + LIVE % "{mode: MAX_AGE, maxAgeSeconds: 5}" + "}", {}, True),
        ("{" + LIVE % "{mode: CACHED}" + "}", {}, False),
        ("{" + LIVE % "{}" + "}", {}, False),
        ("{" + LIVE % "null" + "}", {}, False),
        (MODE, {"m": "LIVE"}, True),
        (MODE, {"m": "CACHED"}, False),
        (MODE, {}, True),
        (WHOLE, {"f": {"mode": "LIVE"}}, True),
        (WHOLE, {"f": {"mode": "CACHED"}}, False),
        (WHOLE, {"f": {}}, False),
        (WHOLE, {}, False),
        (WHOLE, {"f": None}, False),
        (WHOLE.replace("$f: Freshness", "$f: Freshness = {mode: LIVE}"), {}, True),
    ],
)  # fmt: skip
def test_asking_archives_has_a_price(document: str, variables: dict[str, Any], asks: bool) -> None:
    assert cost(document, variables).requested == 2 + 7 + (LIVE_PRICE if asks else 0)


def test_the_operation_that_is_named() -> None:
    both = "query A { studies(first: 9) { nodes { id } } } query B { viewer { name } }"
    assert [cost(both, {}, name).requested for name in ("A", "B", "C")] == [11, 2, 0]


def test_the_default_limit_takes_a_thousand_studies_and_not_their_defaults_all_the_way_down() -> None:
    assert cost(Q1, {"first": 1000}).requested == 94_002 <= MAX_COST
    deep = Q1.replace("(first: 10)", "").replace("modality ", "modality instances { nodes { rows } } ")
    assert cost(deep, {"first": 1000}).requested > MAX_COST
    assert cost(deep, {"first": 100}).requested <= MAX_COST


def test_prices_are_of_fields_that_there_are() -> None:
    for owner, name in PRICES:
        assert name in SCHEMA.type_map[owner].fields  # type: ignore[attr-defined]


@pytest.mark.parametrize("levels", [30, 300])
def test_the_work_is_linear_and_the_count_ends(levels: int) -> None:
    found = cost(bomb(levels).replace(" on Q", " on Query"))
    assert found.requested == min(2**levels, MOST)
    assert found.visits <= 4 * 3 * (levels + 1)
    nested = "{" + "studies(first: 1000) { nodes { series(first: 1000) {" * 40 + " id " + "}" * 121
    assert cost(nested).requested <= MOST
    assert cost(chain(900)).visits <= 8 * 900


# ---- against the slow way ----------------------------------------------------------------------------

_PAGE = st.sampled_from(["first: 3", "last: 2", "first: $n", ""])
_LEAVES = {"Study": ["studyDate", "locations { retrieveUrl }", "...S0", "...S1"],
           "Series": ["modality", "...R0"], "StudyConnection": ["totalCount", "...C0", "...C1"],
           "SeriesConnection": ["totalCount", "pageInfo { endCursor }", "...D0"]}  # fmt: skip
_BELOW = {"StudyConnection": "Study", "SeriesConnection": "Series"}


def selections(on: str, without: str = "", depth: int = 2) -> st.SearchStrategy[str]:
    """Fields of a type; `without`: a fragment's own name, and all that come before it in the alphabet."""
    leaves = [leaf for leaf in _LEAVES[on] if not leaf.startswith("...") or leaf[3:] > without]
    each: list[st.SearchStrategy[str]] = [st.sampled_from(leaves)]
    if depth and on in _BELOW:
        below = selections(_BELOW[on], without, depth - 1)
        each += [below.map("nodes {{ {} }}".format), below.map("edges {{ cursor node {{ {} }} }}".format)]
    if depth and on == "Study":
        page = selections("SeriesConnection", without, depth - 1)
        each.append(
            st.builds(lambda size, fields: f"series{size and f'({size})'} {{ {fields} }}", _PAGE, page)
        )
    each += [selections(on, without, depth - 1).map("... {{ {} }}".format)] if depth else []
    return st.lists(st.one_of(each), min_size=1, max_size=4).map(" ".join)


FRAGMENTS = {"C0": "StudyConnection", "C1": "StudyConnection", "D0": "SeriesConnection", "R0": "Series",
             "S0": "Study", "S1": "Study"}  # fmt: skip


@st.composite
def documents(draw: st.DrawFn) -> str:
    size = draw(_PAGE)
    root = draw(selections("StudyConnection"))
    parts = [f"fragment {name} on {on} {{ {draw(selections(on, name))} }}" for name, on in FRAGMENTS.items()]
    return f"query ($n: Int) {{ studies{size and f'({size})'} {{ {root} }} }} {' '.join(parts)}"


def slowly(document: str, n: int) -> int:
    """Every fragment expanded wherever it is spread."""
    definitions = parse(document).definitions
    fragments = {node.name.value: node for node in definitions if isinstance(node, FragmentDefinitionNode)}

    def total(selection_set: Any, times: int, size: int) -> int:
        found = 0
        for node in selection_set.selections if selection_set else ():
            if isinstance(node, FragmentSpreadNode):
                found += total(fragments[node.name.value].selection_set, times, size)
            elif not isinstance(node, FieldNode):
                found += total(node.selection_set, times, size)
            elif node.name.value in ("nodes", "edges"):
                found += times + total(node.selection_set, times * size, 0)
            else:
                values = {each.name.value: getattr(each.value, "value", n) for each in node.arguments or ()}
                found += times + total(node.selection_set, times, int(max(values.values(), default=20)))
        return found

    (operation,) = (node for node in definitions if isinstance(node, OperationDefinitionNode))
    return total(operation.selection_set, 1, 0)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents(), st.integers(1, 1000))
def test_it_is_what_expanding_would_give(document: str, n: int) -> None:
    assert cost(document, {"n": n}).requested == slowly(document, n)


# ---- what is told ------------------------------------------------------------------------------------

DEAR = (
    "query Dear($n: Int = 1000) { mine: studies(first: $n) "
    '{ nodes { also: series(filter: { modality: { eq: "Weiss" } }) { nodes { id modality } } } } }'
)


def served(**rules: Any) -> httpx.AsyncClient:
    app = tiny_app(schema=schema, rules=Rules(**rules))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ernfed.test")


@pytest.mark.parametrize("accept", ["application/graphql-response+json", "text/event-stream"])
async def test_what_costs_too_much_is_refused_with_its_cost(accept: str) -> None:
    async with served(max_cost=1000) as client:
        answer = await client.post("/graphql", json={"query": DEAR}, headers={"accept": accept})
    for part in ('"requested":42002', '"limit":1000', '"depth":5', "COST_TOO_HIGH",
                 "costs 42002; 1000 are allowed. Most of it is below studies.nodes.series: ask"):  # fmt: skip
        assert part in answer.text
    for part in ("Weiss", "mine", "also", '"data":{'):
        assert part not in answer.text


async def test_a_smaller_page_is_enough() -> None:
    async with served(max_cost=1000) as client:
        answer = await client.post("/graphql", json={"query": DEAR, "variables": {"n": 20}})
    assert "COST_TOO_HIGH" not in answer.text


@pytest.mark.parametrize(
    ("value", "told"),
    [(None, None), ("0", None), ("1", {"cost": {"requested": 2, "limit": MAX_COST, "depth": 2}})],
)
async def test_the_cost_is_told_when_asked_for(
    client: httpx.AsyncClient, value: str | None, told: object
) -> None:
    headers = {} if value is None else {"X-Ernfed-Cost": value}
    answer = await client.post("/graphql", json={"query": "{ node { name } }"}, headers=headers)
    assert answer.json()["data"] == {"node": {"name": "node"}}
    assert answer.json().get("extensions") == told
