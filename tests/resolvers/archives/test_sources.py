"""Sources: what each archive's part of an answer is worth. Never silently short, never 0 for a failure."""

from typing import Any

import pytest

from archives.errors import TimedOut, Unreachable
from db.archives import sync_archives
from db.pool import Database
from model.attributes import Level
from tests.resolvers.conftest import shallow_runtime
from tests.resolvers.live_runtime import add, index
from tests.resolvers.memory_archive import MemoryArchive
from tests.resolvers.runtime import CONFIGS, Runtime, open_services

REPORT = "complete totalCount sources { archive { code } state matched asOf error { code message } }"
LISTS = ("studies", "series", "instances")


def by_code(found: dict[str, Any]) -> dict[str, tuple[str, Any, str | None]]:
    """code → (state, matched, error code)."""
    return {
        each["archive"]["code"]: (each["state"], each["matched"], (each["error"] or {}).get("code"))
        for each in found["sources"]
    }


async def _first_run_is_not_over(runtime: Runtime, code: str) -> None:
    sql = "update archive set last_completed_at = null where code = $1"
    await runtime.services.owner.execute("set", sql, code)


@pytest.mark.parametrize("field", LISTS)
async def test_an_archive_that_was_never_indexed_failed(shallow: Runtime, field: str) -> None:
    database = shallow.services.owner
    await database.execute("set", "delete from study where archive_id = $1", shallow.archive_id("a1"))
    await _first_run_is_not_over(shallow, "a1")
    found = (await shallow.data(f"{{ {field} {{ {REPORT} }} }}"))[field]
    assert found["complete"] is False
    sources = by_code(found)
    assert sources["a1"] == ("FAILED", None, "NOT_INDEXED")
    assert sources["a0"][0] == sources["a2"][0] == "CACHED"
    assert next(each for each in found["sources"] if each["archive"]["code"] == "a1")["asOf"] is None


async def test_a_first_run_under_way_is_partial(shallow: Runtime) -> None:
    await _first_run_is_not_over(shallow, "a2")
    found = (await shallow.data(f"{{ studies {{ {REPORT} }} }}"))["studies"]
    assert found["complete"] is False
    state, matched, code = by_code(found)["a2"]
    assert (state, code) == ("PARTIAL", "INDEXING")
    assert matched > 0


async def test_an_archive_that_is_not_asked_does_not_count(shallow: Runtime) -> None:
    await _first_run_is_not_over(shallow, "a2")
    found = (await shallow.data(f'{{ studies(archives: ["a1", "a0"]) {{ {REPORT} }} }}'))["studies"]
    assert list(by_code(found)) == ["a0", "a1"]
    assert found["complete"] is True


async def test_an_empty_archive_is_not_a_failed_one(shallow: Runtime) -> None:
    found = (await shallow.data(f'{{ studies(filter: {{patientId: {{eq: "?"}}}}) {{ {REPORT} }} }}'))[
        "studies"
    ]
    assert found["complete"] is True
    assert set(by_code(found).values()) == {("CACHED", 0, None)}


# ---- archives that were switched off --------------------------------------------------------------------


async def _switch_off(runtime: Runtime, code: str) -> None:
    await runtime.services.owner.execute("set", "update archive set enabled = false where code = $1", code)


@pytest.mark.parametrize(
    "freshness", ["", "(freshness: {mode: LIVE})", "(freshness: {mode: MAX_AGE, maxAgeSeconds: 0})"]
)
@pytest.mark.parametrize("field", LISTS)
async def test_what_was_switched_off_just_now_is_skipped(
    shallow: Runtime, field: str, freshness: str
) -> None:
    """Before this process has followed: nothing is said of it, 0 neither, and how fresh it is is not asked."""
    await _switch_off(shallow, "a1")
    answer = await shallow.ask(f"{{ {field}{freshness} {{ {REPORT} }} }}")
    found = answer.data[field]
    assert found["complete"] is False
    assert by_code(found)["a1"] == ("SKIPPED", None, "DISABLED")
    if freshness and field == "studies":
        assert set(answer.requests) == {"a0", "a2"}


async def test_below_a_node_what_was_switched_off_is_skipped(shallow: Runtime) -> None:
    await _switch_off(shallow, "a1")
    data = await shallow.data(NESTED)
    held = 0
    for node in data["studies"]["nodes"]:
        sources = by_code(node["series"])
        if "a1" in sources:
            held += 1
            assert sources["a1"] == ("SKIPPED", None, "DISABLED")
        assert node["series"]["complete"] is ("a1" not in sources)
    assert held > 5


async def test_what_is_switched_off_is_gone_and_comes_back(shallow: Runtime) -> None:
    ask = f"{{ studies(first: 1000) {{ {REPORT} nodes {{ studyInstanceUid locations {{ archive {{ code }} }} }} }} }}"
    before = (await shallow.data(ask))["studies"]
    await _switch_off(shallow, "a1")
    await shallow.services.directory.refresh()
    found = (await shallow.data(ask))["studies"]
    assert {code: state for code, (state, _, _) in by_code(found).items()} == {"a0": "CACHED", "a2": "CACHED"}
    assert found["complete"] is True
    assert {each["archive"]["code"] for node in found["nodes"] for each in node["locations"]} == {"a0", "a2"}
    left = [
        node["studyInstanceUid"]
        for node in before["nodes"]
        if {each["archive"]["code"] for each in node["locations"]} != {"a1"}
    ]
    assert sorted(node["studyInstanceUid"] for node in found["nodes"]) == sorted(left)
    assert (await shallow.ask('{ studies(archives: ["a1"]) { totalCount } }')).codes == ["NOT_FOUND"]
    await shallow.services.owner.execute("set", "update archive set enabled = true")
    await shallow.services.directory.refresh()
    assert (await shallow.data(ask))["studies"] == before


# ---- more than a query may fetch ---------------------------------------------------------------------


@pytest.fixture
async def wide(database: Database) -> Runtime:
    """More unindexed series than one query may fetch, and series lists that are whole."""
    return await shallow_runtime(database, Level.SERIES, 150)


async def test_too_many_unindexed_series_are_partial(wide: Runtime) -> None:
    answer = await wide.ask(f"{{ instances {{ {REPORT} nodes {{ id }} }} series {{ {REPORT} }} }}")
    assert answer.errors == []
    assert answer.requests == {}
    found = answer.data["instances"]
    assert (found["complete"], found["nodes"]) == (False, [])
    assert set(by_code(found).values()) == {("PARTIAL", None, "NOT_INDEXED")}
    assert answer.data["series"]["complete"] is True


async def test_the_instances_of_few_series_are_fetched(wide: Runtime) -> None:
    given = '{series: {study: {studyInstanceUid: {eq: "1.2.11.10"}}}}'
    ask = f"{{ instances(filter: {given}) {{ {REPORT} }} }}"
    answer = await wide.ask(ask)
    assert answer.data["instances"]["complete"] is True
    assert answer.data["instances"]["totalCount"] == 2
    assert set(answer.requests) == {"a0", "a1", "a2"}
    assert (await wide.ask(ask)).requests == {}


IN_SERIES = "{series: {instance: {rows: {gte: 1}}}}"


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("studies", IN_SERIES),
        ("studies", f"{{not: {IN_SERIES}}}"),
        ("studies", f'{{or: [{IN_SERIES}, {{patientId: {{eq: "P1"}}}}]}}'),
        ("series", "{instance: {rows: {gte: 1}}}"),
        ("series", f"{{study: {IN_SERIES}}}"),
        ("instances", "{series: {instance: {rows: {gte: 1}}}}"),
        ("instances", f"{{series: {{study: {IN_SERIES}}}}}"),
    ],
)
async def test_a_filter_into_what_is_not_indexed_is_partial(wide: Runtime, field: str, given: str) -> None:
    found = (await wide.data(f"{{ {field}(filter: {given}) {{ {REPORT} }} }}"))[field]
    assert found["complete"] is False
    assert {(state, code) for state, _, code in by_code(found).values()} == {("PARTIAL", "NOT_INDEXED")}


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("series", '{study: {series: {modality: {eq: "CT"}}, studyInstanceUid: {eq: "1.2.11.10"}}}'),
        ("series", '{study: {text: "ct", studyInstanceUid: {eq: "1.2.11.10"}}}'),
        ("instances", '{series: {instance: {rows: {gte: 1}}, study: {studyInstanceUid: {eq: "1.2.11.10"}}}}'),
    ],
)
async def test_a_filter_into_what_can_be_fetched_fetches_it(shallow: Runtime, field: str, given: str) -> None:
    """What the filter asks of children that are not there yet cannot decide whether they are fetched."""
    answer = await shallow.ask(f"{{ {field}(filter: {given}) {{ {REPORT} }} }}")
    assert answer.errors == []
    found = answer.data[field]
    assert (found["complete"], found["totalCount"]) == (True, {"series": 1, "instances": 2}[field])
    assert set(answer.requests) == {"a0", "a1", "a2"}


async def test_series_of_a_study_whose_copies_meet_the_filter_together_are_fetched(
    database: Database,
) -> None:
    """Of a series that has a study since the fifth and one until the fifth: by two copies, neither of which is both."""
    ids = await sync_archives(database, CONFIGS)
    archives = [MemoryArchive(config, {level: [] for level in Level}) for config in CONFIGS]
    for archive, day in zip(archives, ("20200101", "20200109", None), strict=True):
        if day is not None:
            add(archive, "1.1", 1, StudyDate=day)
        await index(database, archive, ids[archive.config.code], (Level.STUDY,))
    runtime = Runtime(await open_services(database, archives), archives)
    since, until = (f'{{study: {{studyDate: {{{op}: "2020-01-05"}}}}}}' for op in ("gte", "lte"))
    found = (await runtime.data(f"{{ series(filter: {{and: [{since}, {until}]}}) {{ {REPORT} }} }}"))[
        "series"
    ]
    assert (found["complete"], found["totalCount"]) == (True, 1)
    one = '{study: {studyDate: {gte: "2020-01-05", lte: "2020-01-05"}}}'
    found = (await runtime.data(f"{{ series(filter: {one}) {{ {REPORT} }} }}"))["series"]
    assert (found["complete"], found["totalCount"]) == (True, 0)
    await runtime.services.close()


async def test_a_nested_filter_into_what_is_not_indexed_is_partial(wide: Runtime) -> None:
    ask = f"""{{ study(studyInstanceUid: "1.2.11.10") {{
        into: series(filter: {{instance: {{rows: {{gte: 1}}}}}}) {{ {REPORT} }}
        plain: series {{ {REPORT} }} }} }}"""
    found = (await wide.data(ask))["study"]
    assert found["plain"]["complete"] is True
    assert found["into"]["complete"] is False


# ---- an archive that is down on demand ---------------------------------------------------------------

NESTED = f"""{{ studies(first: 40) {{ complete nodes {{
  studyInstanceUid locations {{ archive {{ code }} }} series {{ {REPORT} nodes {{ id }} }} }} }} }}"""


async def test_an_archive_that_is_down_fails_alone_and_recovers(shallow: Runtime) -> None:
    down = shallow.archives[1]
    down.down = Unreachable("the archive does not answer")
    data = await shallow.data(NESTED)
    assert data["studies"]["complete"] is True  # the list of studies itself lacks nothing
    failed = fine = 0
    for node in data["studies"]["nodes"]:
        holders = {each["archive"]["code"] for each in node["locations"]}
        sources = by_code(node["series"])
        assert set(sources) == holders
        for code, (state, matched, error) in sources.items():
            if code == "a1":
                assert (state, error) == ("PARTIAL", "UNREACHABLE")
                assert matched is None or matched > 0  # copies of other archives do not tell of this one
                failed += 1
            else:
                assert (state, error) == ("CACHED", None)
                assert matched > 0
                fine += 1
        assert node["series"]["complete"] is ("a1" not in holders)
        if holders == {"a1"}:
            assert node["series"]["nodes"] == []
    assert failed > 5
    assert fine > 5
    down.down = None
    answer = await shallow.ask(NESTED)
    assert all(node["series"]["complete"] for node in answer.data["studies"]["nodes"])
    assert answer.requests == {"a1": 1}


async def test_a_list_says_which_archive_failed(shallow: Runtime) -> None:
    shallow.archives[2].down = TimedOut("no answer within 5 s")
    given = '{study: {studyInstanceUid: {in: ["1.2.11.10", "1.2.11.23"]}}}'
    found = (await shallow.data(f"{{ series(filter: {given}) {{ {REPORT} }} }}"))["series"]
    assert found["complete"] is False
    assert by_code(found)["a2"] == ("PARTIAL", None, "TIMEOUT")
    assert by_code(found)["a0"][0] == "CACHED"


async def test_data_sets_that_could_not_be_fetched_are_a_warning(wide: Runtime) -> None:
    ask = """{ study(studyInstanceUid: "1.2.11.10") { series { nodes { instances { nodes {
        rows attributes(keywords: ["Rows", "SliceThickness"]) { keyword } } } } } } }"""
    await wide.data(
        '{ study(studyInstanceUid: "1.2.11.10") { series { nodes { instances { totalCount } } } } }'
    )
    for archive in wide.archives:
        archive.down = Unreachable("the archive does not answer")
    answer = await wide.ask(ask)
    assert answer.errors == []
    assert answer.body["extensions"]["warnings"] == [
        {
            "code": "UNREACHABLE",
            "message": "Some attributes of instances are missing: the archive does not answer",
        }
    ]
    instances = answer.data["study"]["series"]["nodes"][0]["instances"]["nodes"]
    assert [each["attributes"] for each in instances] == [[{"keyword": "Rows"}]] * 2
    for archive in wide.archives:
        archive.down = None
    again = await wide.ask(ask)
    assert "extensions" not in again.body
    assert len(again.data["study"]["series"]["nodes"][0]["instances"]["nodes"][0]["attributes"]) == 2


async def test_a_nested_page_that_is_empty_knows_what_precedes_it(shallow: Runtime) -> None:
    """1.2.11.10 has one series: after it, only the row of the cursor itself precedes."""
    ask = """query ($after: String) { study(studyInstanceUid: "1.2.11.10") {
        series(first: 5, after: $after) { edges { cursor } pageInfo { hasPreviousPage hasNextPage } } } }"""
    first = (await shallow.data(ask))["study"]["series"]
    empty = (await shallow.data(ask, {"after": first["edges"][0]["cursor"]}))["study"]["series"]
    assert empty == {"edges": [], "pageInfo": {"hasPreviousPage": True, "hasNextPage": False}}
