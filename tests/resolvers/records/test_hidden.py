"""An archive that the asker may not see: nothing of it shows, whatever is asked and by which way."""

import json
from typing import Any

import pytest

from access.scope import AccessLevel
from model.attributes import Level
from tests.federation import Federation
from tests.resolvers.runtime import Runtime
from tests.resolvers.test_cost import EVERYTHING

HIDDEN = "a1"


@pytest.fixture
def narrow(runtime: Runtime) -> Runtime:
    return runtime.without(HIDDEN)


def _uids(federation: Federation, archive_id: int, level: Level) -> set[str]:
    return {copy.uid for copy in federation.copies if copy.level is level and copy.archive_id == archive_id}


def _only(federation: Federation, archive_id: int, level: Level) -> set[str]:
    """UIDs that no other archive holds."""
    others = {copy.uid for copy in federation.copies if copy.level is level and copy.archive_id != archive_id}
    return _uids(federation, archive_id, level) - others


@pytest.mark.parametrize(
    ("field", "uid", "level"),
    [
        ("studies", "studyInstanceUid", Level.STUDY),
        ("series", "seriesInstanceUid", Level.SERIES),
        ("instances", "sopInstanceUid", Level.INSTANCE),
    ],
)
async def test_lists_and_counts(
    narrow: Runtime, federation: Federation, field: str, uid: str, level: Level
) -> None:
    data = await narrow.data(
        f"{{ {field}(first: 1000) {{ totalCount nodes {{ {uid} }}"
        " sources { archive { code } matched } } }"
    )
    mine = [_uids(federation, narrow.archive_id(code), level) for code in ("a0", "a2")]
    assert {node[uid] for node in data[field]["nodes"]} == mine[0] | mine[1]
    assert data[field]["totalCount"] == len(mine[0] | mine[1])
    matched = {each["archive"]["code"]: each["matched"] for each in data[field]["sources"]}
    assert matched == {"a0": len(mine[0]), "a2": len(mine[1])}


async def test_nothing_in_a_whole_answer_names_it(runtime: Runtime, narrow: Runtime) -> None:
    wide = json.dumps(await runtime.data(EVERYTHING, {"first": 40}))
    told = json.dumps(await narrow.data(EVERYTHING, {"first": 40}))
    assert f'"{HIDDEN}"' in wide
    assert f"/archives/{HIDDEN}/" in wide
    assert HIDDEN not in told
    assert "ERN-RND" not in told


async def test_nodes_are_of_visible_copies_only(narrow: Runtime, federation: Federation) -> None:
    """Attributes, counts and modalities of a shared study come from the copies that are left."""
    ask = """{ studies(first: 1000) { nodes { studyInstanceUid patientId studyDescription modalitiesInStudy
      numberOfStudyRelatedSeries numberOfStudyRelatedInstances
      conflicts { values { archive { code } text } } } } }"""
    hidden_id = narrow.archive_id(HIDDEN)
    series: dict[str, dict[str, Any]] = {}
    copies: dict[str, list[Any]] = {}
    for copy in federation.copies:
        if copy.archive_id == hidden_id:
            continue
        if copy.level is Level.STUDY:
            copies.setdefault(copy.uid, []).append(copy)
        if copy.level is Level.SERIES:
            series.setdefault(copy.uids[Level.STUDY], {})[copy.uid] = copy.values
    for node in (await narrow.data(ask))["studies"]["nodes"]:
        uid = node["studyInstanceUid"]
        best = min(copies[uid], key=lambda copy: copy.archive_id)
        assert node["patientId"] == best.values["patient_id"]
        assert node["studyDescription"] == best.values["study_description"]
        assert node["modalitiesInStudy"] == sorted({each["modality"] for each in series[uid].values()})
        assert node["numberOfStudyRelatedSeries"] == len(series[uid])
        assert node["numberOfStudyRelatedInstances"] == sum(
            each["number_of_instances"] for each in series[uid].values()
        )
        for conflict in node["conflicts"]:
            assert len({value["text"] for value in conflict["values"]}) > 1


@pytest.mark.parametrize(
    ("kind", "level"), [("Study", Level.STUDY), ("Series", Level.SERIES), ("Instance", Level.INSTANCE)]
)
async def test_by_id(
    runtime: Runtime, narrow: Runtime, federation: Federation, kind: str, level: Level
) -> None:
    uid = sorted(_only(federation, runtime.archive_id(HIDDEN), level))[0]
    name = {"Study": "studyInstanceUid", "Series": "seriesInstanceUid", "Instance": "sopInstanceUid"}[kind]
    field = {"Study": "studies", "Series": "series", "Instance": "instances"}[kind]
    found = await runtime.data(f'{{ {field}(filter: {{{name}: {{eq: "{uid}"}}}}) {{ nodes {{ id }} }} }}')
    (node,) = found[field]["nodes"]
    ask = "query ($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } }"
    assert (await runtime.data(ask, node))["node"] == node
    assert await narrow.data(ask, node) == {"node": None, "nodes": [None]}


async def test_study_by_uid(narrow: Runtime, federation: Federation) -> None:
    for uid in sorted(_only(federation, narrow.archive_id(HIDDEN), Level.STUDY)):
        assert await narrow.data(f'{{ study(studyInstanceUid: "{uid}") {{ id }} }}') == {"study": None}


async def test_the_archive_itself(runtime: Runtime, narrow: Runtime) -> None:
    wide = await runtime.data(f'{{ archive(code: "{HIDDEN}") {{ id }} }}')
    data = await narrow.data(
        "query ($id: ID!) { archives { code } node(id: $id) { id }"
        f' archive(code: "{HIDDEN}") {{ id }} }}',
        wide["archive"],
    )
    assert data == {"archives": [{"code": "a0"}, {"code": "a2"}], "archive": None, "node": None}


async def test_naming_it_is_as_naming_nothing(narrow: Runtime) -> None:
    hidden = await narrow.ask(f'{{ studies(archives: ["a0", "{HIDDEN}"]) {{ totalCount }} }}')
    nothing = await narrow.ask('{ studies(archives: ["a0", "a9"]) { totalCount } }')
    assert hidden.codes == nothing.codes == ["NOT_FOUND"]
    assert hidden.errors[0]["message"].replace(HIDDEN, "a9") == nothing.errors[0]["message"]


async def test_a_cursor_from_a_wider_scope_opens_no_door(
    runtime: Runtime, narrow: Runtime, federation: Federation
) -> None:
    """It is a place in an order: the list that goes on from it, for the same person with fewer rights, is the narrow
    one. To anybody else it is no cursor."""
    hidden = _only(federation, runtime.archive_id(HIDDEN), Level.STUDY)
    listed = "{ studies(first: 1000) { edges { cursor node { studyInstanceUid } } } }"
    wide = await runtime.seeing(**{HIDDEN: AccessLevel.FULL}).data(listed)
    place, edge = next(
        (place, edge)
        for place, edge in enumerate(wide["studies"]["edges"])
        if edge["node"]["studyInstanceUid"] in hidden
    )
    ask = "query ($after: String) { studies(first: 1000, after: $after) { nodes { studyInstanceUid } } }"
    rest = (await narrow.data(ask, {"after": edge["cursor"]}))["studies"]["nodes"]
    assert rest
    assert not {node["studyInstanceUid"] for node in rest} & hidden
    before = {each["node"]["studyInstanceUid"] for each in wide["studies"]["edges"][: place + 1]}
    assert not {node["studyInstanceUid"] for node in rest} & (before & hidden)
    foreign = await runtime.ask(ask, {"after": edge["cursor"]})
    assert (foreign.data, foreign.codes) == ({"studies": None}, ["BAD_CURSOR"])


@pytest.mark.parametrize(
    "given",
    [
        '{attribute: [{name: "StudyDescription", exists: true}]}',
        '{series: {modality: {in: ["MR", "CT", "OP", "OPT", "RTPLAN"]}}}',
        '{text: "ct"}',
        '{patientName: {fuzzy: "Hans Muller"}}',
        '{not: {patientId: {eq: "P1"}}}',
        "{numberOfStudyRelatedSeries: {gte: 1}}",
    ],
)
async def test_a_filter_does_not_find_by_a_hidden_copy(
    narrow: Runtime, federation: Federation, given: str
) -> None:
    ask = f"{{ studies(first: 1000, filter: {given}) {{ totalCount nodes {{ studyInstanceUid }} }} }}"
    found = (await narrow.data(ask))["studies"]
    assert found["totalCount"] == len(found["nodes"]) > 0
    hidden = _only(federation, narrow.archive_id(HIDDEN), Level.STUDY)
    assert not {node["studyInstanceUid"] for node in found["nodes"]} & hidden


async def test_a_value_that_only_a_hidden_copy_has_is_not_found(
    narrow: Runtime, federation: Federation
) -> None:
    hidden_id, told = narrow.archive_id(HIDDEN), 0
    shared = _uids(federation, hidden_id, Level.STUDY) - _only(federation, hidden_id, Level.STUDY)
    for uid in sorted(shared):
        values = {
            copy.archive_id: copy.values["patient_id"]
            for copy in federation.copies
            if copy.level is Level.STUDY and copy.uid == uid
        }
        secret = values.pop(hidden_id)
        if secret is None or secret in values.values():
            continue
        told += 1
        given = f'{{studyInstanceUid: {{eq: "{uid}"}}, patientId: {{eq: "{secret}"}}}}'
        assert (await narrow.data(f"{{ studies(filter: {given}) {{ totalCount }} }}"))["studies"][
            "totalCount"
        ] == 0
    assert told > 0


async def test_who_may_see_nothing_sees_nothing(runtime: Runtime) -> None:
    data = await runtime.without("a0", "a1", "a2").data(
        "{ archives { code } viewer { grants { ern } }"
        " studies { totalCount complete nodes { id } sources { matched } } }"
    )
    assert data == {
        "archives": [],
        "studies": {"totalCount": 0, "complete": True, "nodes": [], "sources": []},
        "viewer": {"grants": []},
    }
