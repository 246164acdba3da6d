"""The limits, and the work that finding them broken takes: counted in steps, not in seconds."""

import httpx
import pytest
from graphql import get_introspection_query, parse

from api.document.limits import MAX_DEPTH, MAX_DIRECTIVES, MAX_SELECTIONS, LimitExceeded, check, measure


def bomb(levels: int, spreads: int = 2) -> str:
    """Each fragment spreads the previous one twice: 2^levels fields in a few hundred bytes."""
    fragments = [f"fragment F{n} on Q{{{f'...F{n - 1} ' * spreads}}}" for n in range(1, levels + 1)]
    return f"{{...F{levels}}} fragment F0 on Q{{a}} " + " ".join(fragments)


def nested(levels: int) -> str:
    return "{" + "a{" * (levels - 1) + "b" + "}" * (levels - 1) + "}"


def chain(length: int) -> str:
    """A chain of fragments, each one field deeper."""
    fragments = [f"fragment F{n} on Q{{a{{...F{n - 1}}}}}" for n in range(1, length)]
    return f"{{...F{length - 1}}} fragment F0 on Q{{b}} " + " ".join(fragments)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (nested(MAX_DEPTH), None),
        (nested(MAX_DEPTH + 1), "QUERY_TOO_DEEP"),
        (nested(150), "QUERY_TOO_DEEP"),
        (chain(MAX_DEPTH), None),
        (chain(MAX_DEPTH + 1), "QUERY_TOO_DEEP"),
        (chain(1000), "QUERY_TOO_DEEP"),
        ("{ a } fragment Unused on Q " + nested(MAX_DEPTH + 1), "QUERY_TOO_DEEP"),
        ("{" + "... on Q {" * 60 + "a" + "}" * 60 + "}", None),
        ("{" + " ".join(f"n{n}: a" for n in range(MAX_SELECTIONS)) + "}", None),
        ("{" + "a " * 200 + "}", None),
        ("{" + "a " * 300 + "}", "QUERY_TOO_LARGE"),
        ("{" + "a { " + "b { c } " * 40 + "} " + "a { " + "b { c } " * 200 + "} }", "QUERY_TOO_LARGE"),
        ("{" + "".join(f"n{n}: a {{ b }} " for n in range(900)) + "}", None),
        ("{ a } fragment Unused on Q {" + "a " * 300 + "}", "QUERY_TOO_LARGE"),
        (
            "{"
            + "".join(f"...F{n} " for n in range(300))
            + "}"
            + "".join(f"fragment F{n} on Q {{ a }}" for n in range(300)),
            "QUERY_TOO_LARGE",
        ),
        ("{" + "a " * (MAX_SELECTIONS + 1) + "}", "QUERY_TOO_LARGE"),
        ("{" + " ".join(f"n{n}: a" for n in range(MAX_SELECTIONS + 1)) + "}", "QUERY_TOO_LARGE"),
        ("query A {" + "a " * 1500 + "} query B {" + "b " * 1500 + "}", "QUERY_TOO_LARGE"),
        ("{" + "...F " * 100 + "} fragment F on Q {" + "a b c d" + "}", None),
        ("{" + "...F " * 100 + "} fragment F on Q {" + "a " * 20 + "}", "QUERY_TOO_LARGE"),
        (bomb(30), "QUERY_TOO_LARGE"),
        (bomb(300), "QUERY_TOO_LARGE"),
        (bomb(30, 3).replace("{a}", "{}"), "QUERY_TOO_LARGE"),
        ("{ ...A } fragment A on Q { ...B a } fragment B on Q { ...A b }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ ...A } fragment A on Q { ...A }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ ...Missing }", None),
        ("{ a " + "@skip(if: false) " * MAX_DIRECTIVES + "}", None),
        ("{ a " + "@skip(if: false) " * (MAX_DIRECTIVES + 1) + "}", "QUERY_TOO_MANY_DIRECTIVES"),
        ("query " + "@x " * 51 + "{ a }", "QUERY_TOO_MANY_DIRECTIVES"),
        ("query ($v: Int " + "@x " * 51 + ") { a }", "QUERY_TOO_MANY_DIRECTIVES"),
        ("{ ...F " + "@x " * 26 + "} fragment F on Q " + "@x " * 26 + "{ a }", "QUERY_TOO_MANY_DIRECTIVES"),
        (get_introspection_query(), None),
        (get_introspection_query(directive_is_repeatable=True, input_value_deprecation=True), None),
    ],
)
def test_limits(document: str, code: str | None) -> None:
    if code is None:
        check(parse(document))
    else:
        with pytest.raises(LimitExceeded) as caught:
            check(parse(document))
        assert (caught.value.extensions or {})["code"] == code


@pytest.mark.parametrize(
    ("document", "selections", "depth", "most_visits"),
    [
        (nested(10), 10, 10, 10),
        # 61 spreads and a field: each is read once as a selection, and each spread walked twice
        (bomb(30), 3 * 2**30 - 1, 1, 4 * 62),
        (bomb(60), 3 * 2**60 - 1, 1, 4 * 122),
        (chain(1000), 2000, 1000, 4 * 2000),
        ("{" + "...F " * 100 + "} fragment F on Q {" + "a " * 10 + "}", 1100, 1, 310),
    ],
)
def test_the_work_is_linear(document: str, selections: int, depth: int, most_visits: int) -> None:
    measured = measure(parse(document))
    assert (measured.selections, measured.depth) == (selections, depth)
    assert measured.visits <= most_visits


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (bomb(30).replace(" on Q", " on Query").replace("{a}", "{hello}"), "QUERY_TOO_LARGE"),
        ("{" + "node{" + "child{" * 15 + "name" + "}" * 17, "QUERY_TOO_DEEP"),
        ("{" + "a{" * 500 + "b" + "}" * 501, "QUERY_TOO_DEEP"),
        ("{" + "hello " * 10_001 + "}", "QUERY_TOO_LARGE"),
        ("{ hello " + "@include(if: true) " * 51 + "}", "QUERY_TOO_MANY_DIRECTIVES"),
        ("{ __schema { types { fields { type { fields { type { fields { name }}}}}}}}", None),
    ],
)
async def test_over_http(client: httpx.AsyncClient, query: str, code: str | None) -> None:
    for accept in ("application/graphql-response+json", "text/event-stream"):
        answer = await client.post("/graphql", json={"query": query}, headers={"accept": accept})
        assert (code or "GRAPHQL_VALIDATION_FAILED") in answer.text
        assert "INTERNAL" not in answer.text


async def test_introspection_works(client: httpx.AsyncClient) -> None:
    answer = await client.post("/graphql", json={"query": get_introspection_query()})
    assert answer.json()["data"]["__schema"]["queryType"]["name"] == "Query"
