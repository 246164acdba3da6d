"""QIDO-RS: the same lists as those of GraphQL, in the words of PS3.18."""

import re
import xml.etree.ElementTree as ET
from typing import Any

import httpx
import pytest
from starlette.datastructures import QueryParams

from access.scope import AccessLevel, Grant, Viewer
from api.dicomweb import searching
from api.dicomweb.search_keys import MAX_OFFSET, search_of
from db.audit.lines import lines
from db.audit.log import AuditLog
from model.attributes import Level
from tests.api.export.test_endpoint import ANNA, client, log  # noqa: F401
from tests.resolvers.conftest import federation, loaded, runtime  # noqa: F401
from tests.resolvers.runtime import Runtime

XML = {"accept": 'multipart/related; type="application/dicom+xml"'}
STUDY_UID, SERIES_UID, SOP_UID = "0020000D", "0020000E", "00080018"
# Path and query → the same as a field of the schema with its filter.
SAME: dict[str, str] = {
    "studies?": "studies",
    "studies?StudyDate=20200103": 'studies(filter: {studyDate: {eq: "2020-01-03"}})',
    "studies?00080020=20200103-20200105":
        'studies(filter: {studyDate: {gte: "2020-01-03", lte: "2020-01-05"}})',
    "studies?StudyDate=-2020.01.03": 'studies(filter: {studyDate: {lte: "2020-01-03"}})',
    "studies?StudyDate=20200104-": 'studies(filter: {studyDate: {gte: "2020-01-04"}})',
    "studies?PatientID=P1&PatientSex=F":
        'studies(filter: {patientId: {eq: "P1"}, patientSex: {eq: "F"}})',
    "studies?PatientID=P?": 'studies(filter: {patientId: {wildcard: "P?"}})',
    "studies?PatientName=m*": 'studies(filter: {patientName: {wildcard: "m*"}})',
    "studies?PatientName=": "studies",
    "studies?PatientName=*": "studies",
    "studies?PatientName=Mueller&fuzzymatching=true": 'studies(filter: {patientName: {fuzzy: "Mueller"}})',
    "studies?StudyInstanceUID=1.2.11.1,1.2.11.2": 'studies(filter: {studyInstanceUid: {in: ["1.2.11.1", "1.2.11.2"]}})',
    "studies?0020000D=1.2.11.1%5C1.2.11.2": 'studies(filter: {studyInstanceUid: {in: ["1.2.11.1", "1.2.11.2"]}})',
    "studies?ModalitiesInStudy=MR": 'studies(filter: {modalitiesInStudy: {any: ["MR"]}})',
    "studies?Modality=CT": 'studies(filter: {series: {modality: {eq: "CT"}}})',
    "studies?Rows=256": "studies(filter: {series: {instance: {rows: {eq: 256}}}})",
    "studies?PatientSize=1.75": 'studies(filter: {attribute: [{name: "PatientSize", eq: "1.75"}]})',
    "studies?00400275.00400009=S1":
        'studies(filter: {attribute: [{name: "RequestAttributesSequence.00400009", eq: "S1"}]})',
    "studies?NumberOfStudyRelatedInstances=3":
        "studies(filter: {numberOfStudyRelatedInstances: {eq: 3}})",
    "series?Modality=MR&PatientSex=M":
        'series(filter: {modality: {eq: "MR"}, study: {patientSex: {eq: "M"}}})',
    "series?SeriesNumber=2": 'series(filter: {attribute: [{name: "SeriesNumber", eq: "2"}]})',
    "series?Columns=512": "series(filter: {instance: {columns: {eq: 512}}})",
    "studies/1.2.11.10/series": 'series(filter: {study: {studyInstanceUid: {eq: "1.2.11.10"}}})',
    "studies/1.2.11.10/instances":
        'instances(filter: {series: {study: {studyInstanceUid: {eq: "1.2.11.10"}}}})',
    "studies/1.2.11.10/series/1.2.11.10.0/instances":
        'instances(filter: {series: {seriesInstanceUid: {eq: "1.2.11.10.0"}, study: {studyInstanceUid: '
        '{eq: "1.2.11.10"}}}})',
    "instances?SOPClassUID=1.2.840.10008.5.1.4.1.1.4&Rows=512&Modality=CT&PatientID=P2":
        'instances(filter: {sopClassUid: {eq: "1.2.840.10008.5.1.4.1.1.4"}, rows: {eq: 512}, series: {'
        'modality: {eq: "CT"}, study: {patientId: {eq: "P2"}}}})',
    "studies?StudyDescription=no%20such": 'studies(filter: {studyDescription: {eq: "no such"}})',
}  # fmt: skip
KEYS = {
    "studies": (STUDY_UID,),
    "series": (STUDY_UID, SERIES_UID),
    "instances": (STUDY_UID, SERIES_UID, SOP_UID),
}
_NODES = {
    "studies": "studyInstanceUid",
    "series": "seriesInstanceUid study { studyInstanceUid }",
    "instances": "sopInstanceUid series { seriesInstanceUid study { studyInstanceUid } }",
}


def rows_of(answer: httpx.Response) -> list[dict[str, Any]]:
    if answer.status_code == 204:
        return []
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def first(row: dict[str, Any], tag: str) -> Any:
    return row[tag]["Value"][0]


def keys_of(rows: list[dict[str, Any]], of: str) -> list[tuple[str, ...]]:
    return [tuple(first(row, tag) for tag in KEYS[of]) for row in rows]


async def listed(runtime: Runtime, field: str) -> tuple[list[tuple[str, ...]], bool]:  # noqa: F811
    """The keys of a list of the schema, and whether it says that it is complete."""
    of = field.partition("(")[0]
    asked = field.replace("(", "(first: 1000, ") if "(" in field else f"{field}(first: 1000)"
    found = (await runtime.data(f"{{ {asked} {{ complete nodes {{ {_NODES[of]} }} }} }}"))[of]
    return [tuple(_uids(node)) for node in found["nodes"]], found["complete"]


def _uids(node: dict[str, Any]) -> list[str]:
    found = []
    for above in ("series", "study"):
        if above in node:
            found += _uids(node[above])
    return found + [node[name] for name in node if name.endswith("Uid")]


@pytest.mark.parametrize("path", SAME)
async def test_the_same_list(runtime: Runtime, path: str) -> None:  # noqa: F811
    expected, complete = await listed(runtime, SAME[path])
    answer = await client(runtime).get(f"/dicom-web/{path}")
    assert keys_of(rows_of(answer), path.partition("?")[0].rpartition("/")[2]) == expected
    assert ("warning" in answer.headers) is not complete
    assert bool(expected) is (answer.status_code == 200) is ("no%20such" not in path)


@pytest.mark.parametrize("of", ["studies", "series", "instances"])
async def test_pages_hold_all_in_one_order(
    runtime: Runtime,  # noqa: F811
    of: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(searching, "_SKIPPED_AT_ONCE", 40)
    asking, (expected, _), found = client(runtime), await listed(runtime, of), []
    step = len(expected) // 3 + 1
    for offset in range(0, len(expected) + step, step):
        answer = await asking.get(f"/dicom-web/{of}?limit={step}&offset={offset}")
        more = offset + step < len(expected)
        assert answer.headers.get("warning") == (
            f'299 ernfed "More results match: ask on with offset={offset + step}."' if more else None
        )
        found += keys_of(rows_of(answer), of)
    assert found == expected


async def test_one_archive(runtime: Runtime) -> None:  # noqa: F811
    asking = client(runtime)
    found = rows_of(await asking.get("/archives/a1/dicom-web/studies"))
    assert keys_of(found, "studies") == (await listed(runtime, 'studies(archives: ["a1"])'))[0]
    root = "http://ernfed.test/archives/a1/dicom-web/studies/"
    assert all(first(row, "00081190") == root + first(row, STUDY_UID) for row in found)
    assert (await asking.get("/archives/zz/dicom-web/studies")).status_code == 404


async def test_what_a_row_tells(runtime: Runtime) -> None:  # noqa: F811
    """What the tables of 10.6.3 require is there, with a value or without; the rest when it is asked for."""
    asking = client(runtime)
    required = {
        "studies": "00080005 00080020 00080030 00080050 00080056 00080061 00080090 00081190 00100010 00100020"
        " 00100030 00100040 0020000D 00200010 00201206 00201208",
        "series": "00080005 00080060 0008103E 00081190 0020000E 00200011 00201209 00400244 00400245 00400275",
        "instances": "00080005 00080016 00080018 00080056 00081190 00200013 00280008 00280010 00280011",
    }
    for of, tags in required.items():
        for row in rows_of(await asking.get(f"/dicom-web/{of}?limit=20")):
            assert set(tags.split()) <= row.keys()
            assert {*KEYS[of], *required["studies"].split()} <= row.keys()  # of those above, as none is named
            assert "00101020" not in row
    below = rows_of(await asking.get("/dicom-web/studies/1.2.11.10/series"))
    assert all("00100010" not in row and first(row, STUDY_UID) == "1.2.11.10" for row in below)
    named = rows_of(await asking.get("/dicom-web/studies/1.2.11.10/series?includefield=PatientID,00100010"))
    assert all({"00100010", "00100020"} <= row.keys() for row in named)
    sizes = rows_of(await asking.get("/dicom-web/studies?includefield=PatientSize"))
    everything = rows_of(await asking.get("/dicom-web/studies?includefield=all"))
    assert [row.get("00101020") for row in sizes] == [row.get("00101020") for row in everything]
    assert any("00101020" in row for row in sizes)
    sequences = rows_of(await asking.get("/dicom-web/studies?00400275.00400009=S1"))
    assert all({"00400009": {"vr": "SH", "Value": ["S1"]}} in row["00400275"]["Value"] for row in sequences)
    assert sequences


async def test_xml_says_what_json_says(runtime: Runtime) -> None:  # noqa: F811
    asking = client(runtime)
    query = "/dicom-web/studies?limit=30&includefield=all"
    answer = await asking.get(query, headers=XML)
    boundary = re.fullmatch(r'multipart/related; type="application/dicom\+xml"; boundary=(\w+)',
                            answer.headers["content-type"])[1]  # type: ignore[index]  # fmt: skip
    *parts, end = answer.content.split(f"--{boundary}".encode())[1:]
    assert end == b"--\r\n"
    told = []
    for part in parts:
        head, _, body = part.partition(b"\r\n\r\n")
        assert head == b"\r\nContent-Type: application/dicom+xml"
        told.append(_data_set(ET.fromstring(body)))  # noqa: S314
    expected = rows_of(await asking.get(query))
    assert told == [{tag: _texts(element) for tag, element in row.items()} for row in expected]


def _data_set(model: ET.Element) -> dict[str, Any]:
    return {each.attrib["tag"]: (each.attrib["vr"], [_read(value) for value in each]) for each in model}


def _read(value: ET.Element) -> Any:
    if value.tag == "Item":
        return _data_set(value)
    if value.tag == "PersonName":
        return {group.tag: "^".join(part.text or "" for part in group) for group in value}
    return value.text


def _texts(element: dict[str, Any]) -> tuple[str, list[Any]]:
    def told(value: Any) -> Any:
        if not isinstance(value, dict):
            return str(value)
        if element["vr"] == "PN":
            return {group: "^".join(filter(None, name.split("^"))) for group, name in value.items()}
        return {tag: _texts(each) for tag, each in value.items()}

    return element["vr"], [told(value) for value in element.get("Value", [])]


@pytest.mark.parametrize(
    ("accept", "told"),
    [
        (None, "application/dicom+json"),
        ("*/*", "application/dicom+json"),
        ("application/json", "application/json"),
        ("application/dicom+json, */*;q=0.1", "application/dicom+json"),
        ("multipart/related; type=application/dicom+xml;q=0.5, application/json", "application/json"),
        ('multipart/related; type="application/dicom+xml"', "multipart/related"),
        ("application/dicom+xml", 406),
        ("text/html", 406),
        ("nonsense", 400),
        ('multipart/related; type="', 400),
        (",".join(["text/html"] * 60), 400),
    ],
)
async def test_media_types(runtime: Runtime, accept: str | None, told: str | int) -> None:  # noqa: F811
    asking = client(runtime)
    headers = {"accept": accept} if accept is not None else {}
    if accept is None:
        del asking.headers["accept"]
    answer = await asking.get("/dicom-web/studies?limit=1", headers=headers)
    if isinstance(told, int):
        assert answer.status_code == told
    else:
        assert answer.headers["content-type"].partition(";")[0] == told
        by_query = await asking.get("/dicom-web/studies", params={"limit": 1, "accept": accept or "*/*"},
                                    headers={"accept": "text/html"})  # fmt: skip
        assert by_query.headers["content-type"].partition(";")[0] == told


BAD = [
    "limit=0", "limit=-1", "limit=x", "limit=1e3", "offset=-1", f"offset={MAX_OFFSET + 1}", "limit=%D9%A1",
    "fuzzymatching=yes", "NoSuchKeyword=1", "includefield=NoSuchKeyword", "0010=1", "StudyDate=2020",
    "StudyDate=20201341", "StudyDate=-", "StudyTime=25h", "StudyDate=20200101-20200102-", "Rows=wide",
    "StudyInstanceUID=a*b", "PatientID=a&PatientID=b", "PatientName=%00", "PatientName=" + "a" * 2000,
    "&".join(f"0009{n:04X}=1" for n in range(16, 80)), "includefield=" + ",".join(["Rows"] * 300),
]  # fmt: skip


@pytest.mark.parametrize("query", BAD, ids=lambda query: query[:30])
async def test_bad_queries(runtime: Runtime, query: str) -> None:  # noqa: F811
    answer = await client(runtime).get(f"/dicom-web/studies?{query}")
    assert (answer.status_code, set(answer.json())) == (400, {"errors"})


async def test_bounds(runtime: Runtime) -> None:  # noqa: F811
    asking = client(runtime)
    assert (await asking.get("/dicom-web/studies?limit=999999999")).status_code == 200
    long = await asking.get("/dicom-web/studies?StudyInstanceUID=" + ",".join(["1.2.3"] * 4000))
    assert long.status_code == 414
    assert (await asking.post("/dicom-web/series")).status_code == 405
    page = await asking.get("/dicom-web/studies", headers={"sec-fetch-site": "cross-site"})
    assert (page.status_code, page.json()["errors"][0]["extensions"]["code"]) == (403, "CROSS_SITE")


def test_parameters_count_whatever_their_order() -> None:
    """fuzzymatching behind the name; names that are known by no keys are matched as they stand, which is said."""
    query = QueryParams("OperatorsName=Doe&PatientName=Doe&fuzzymatching=true").multi_items()
    found = search_of(Level.STUDY, (), query)
    assert found.unmatched_fuzzily == ("OperatorsName",)
    assert {"patientName": {"fuzzy": "Doe"}} in found.filter["and"]


async def test_what_is_missing_is_said(runtime: Runtime) -> None:  # noqa: F811
    """Who sees one network as stored, one behind pseudonyms and one in counts only."""
    grants = (Grant("ERN-EYE", AccessLevel.FULL), Grant("ERN-RND", AccessLevel.COUNTS))
    asking = client(runtime, Viewer("bob", None, grants))
    assert {row["00080056"]["Value"][0] for row in rows_of(await asking.get("/dicom-web/studies"))} == {
        "ONLINE"
    }
    counted = next(c.code for c in runtime.services.directory if c.ern == "ERN-RND")
    answer = await asking.get(f"/archives/{counted}/dicom-web/studies")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["warning"].startswith(f'299 ernfed "Not complete: {counted}.')
    nobody = await client(runtime, Viewer("x", None, ())).get("/dicom-web/studies")
    assert (nobody.status_code, nobody.content) == (204, b"")


async def test_lines_of_the_audit_trail(runtime: Runtime, log: AuditLog) -> None:  # noqa: F811
    asking = client(runtime, ANNA, audit=log)
    found = rows_of(await asking.get("/dicom-web/studies?limit=7", headers={"x-purpose-of-use": "TREAT"}))
    await asking.get("/dicom-web/studies/1.2.11.10/series?nope=1")
    await asking.get("/archives/zz/dicom-web/studies")
    await log.close()
    said = [line.said async for line in lines(log._database)]
    assert [(line["endpoint"], line["outcome"], line["studies"]) for line in said] == [
        ("/dicom-web/studies", "OK", len(found)),
        ("/dicom-web/studies/{study}/series", "BAD_INPUT", 0),
        ("/archives/{code}/dicom-web/studies", "NOT_FOUND", 0),
    ]
    assert said[0]["purpose"] == "TREAT"
