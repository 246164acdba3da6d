"""The one way in to lists, taken without GraphQL: the pages, counts, reports and warnings that the schema shows."""

from typing import Any

import pytest

from access.scope import everyone_here
from db.lists.orders import Sort
from model.attributes import Level, attribute
from model.errors import NotFound
from model.filters import EVERYTHING, Condition, Op, Test
from model.paths import parse_path
from reads.any_attribute import attribute_test
from reads.lists import list_nodes
from reads.page_arguments import PageArguments
from reads.request import Request
from reads.statistics import statistics_of
from tests.resolvers.runtime import Runtime

LISTS = {Level.STUDY: "studies", Level.SERIES: "series", Level.INSTANCE: "instances"}


def request_of(runtime: Runtime) -> Request:
    return Request.for_request(
        runtime.services, everyone_here({row.ern for row in runtime.services.directory})
    )


@pytest.mark.parametrize("level", Level)
async def test_pages_are_those_of_the_schema(runtime: Runtime, level: Level) -> None:
    request, after, name = request_of(runtime), None, LISTS[level]
    for _ in range(3):
        listed = await list_nodes(request, level, EVERYTHING, PageArguments(7, after))
        shown = (
            await runtime.data(
                f"query ($after: String) {{ {name}(first: 7, after: $after) {{ totalCount complete nodes {{ id }} "
                "pageInfo { hasNextPage hasPreviousPage endCursor } "
                "sources { archive { code } state matched asOf } } }",
                {"after": after},
            )
        )[name]
        ends = shown["pageInfo"]
        assert (await listed.has_next(), await listed.has_previous()) == (
            ends["hasNextPage"],
            ends["hasPreviousPage"],
        )
        assert (await listed.counts()).total == shown["totalCount"]
        reports = [
            (each.archive.code, each.state.value, await each.matched()) for each in await listed.reports()
        ]
        assert reports == [(s["archive"]["code"], s["state"], s["matched"]) for s in shown["sources"]]
        assert len(listed.items) == len(shown["nodes"])
        after = listed.end()
        followed = await runtime.data(
            f"query ($after: String) {{ {name}(first: 1, after: $after) {{ nodes {{ id }} }} }}",
            {"after": after},
        )
        same = await runtime.data(
            f"query ($after: String) {{ {name}(first: 1, after: $after) {{ nodes {{ id }} }} }}",
            {"after": ends["endCursor"]},
        )
        assert followed == same


async def test_archives_orders_and_warnings_are_arguments(runtime: Runtime) -> None:
    request = request_of(runtime)
    filtered = attribute_test(Level.STUDY, parse_path("PatientAge"), [(Op.EQ, "030Y")])
    listed = await list_nodes(
        request,
        Level.STUDY,
        filtered[0],
        PageArguments(5),
        archives=["a1"],
        sorts=[Sort("PATIENT_ID", descending=True)],
    )
    assert [each.archive.code for each in await listed.reports()] == ["a1"]
    assert [each.code for each in listed.warnings] == list(request.warnings) == ["NOT_FAST"]


async def test_statistics_count_what_lists_count(runtime: Runtime) -> None:
    request = request_of(runtime)
    female: Condition = Test(attribute("PatientSex"), Op.EQ, "F")
    listed = await list_nodes(request, Level.STUDY, female, PageArguments(1))
    answer = await statistics_of(request, Level.STUDY, female, None)
    counts: Any = await listed.counts()
    assert (await answer.statistics.sum("studies")).value == counts.total
    matched = [await each.matched() for each in await answer.reports()]
    assert matched == [await each.matched() for each in await listed.reports()]


async def test_an_archive_that_nobody_knows_is_said(runtime: Runtime) -> None:
    with pytest.raises(NotFound):
        await list_nodes(request_of(runtime), Level.STUDY, EVERYTHING, PageArguments(1), archives=["nowhere"])
