"""Nobody can have a guess confirmed: a hidden value that is true is answered like one that is not."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from access.scope import AccessLevel
from tests.leaks.canaries import Canary
from tests.leaks.people import Served, access_of
from tests.leaks.seeded import ERNS, PRIVATE, Seeded

SOURCES = "sources { state matched error { code message } }"
LISTS = {
    "StudyFilter": [
        "studies(filter: $f) { totalCount complete SOURCES nodes { id locations { retrieveUrl } } }",
        "studyStats(filter: $f) { studies { value atMost suppressed } patients { value suppressed } complete SOURCES"
        " facet(by: PATIENT_SEX) { value count { value } } dateHistogram { start count { value } } }",
        "series(filter: {study: $f}) { totalCount SOURCES nodes { id } }",
    ],
    "SeriesFilter": [
        "series(filter: $f) { totalCount complete SOURCES nodes { id } }",
        "studies(filter: {series: $f}) { totalCount SOURCES nodes { id } }",
        "studies(first: 40) { nodes { series(filter: $f) { totalCount nodes { id } } } }",
        "studyStats(filter: {series: $f}) { studies { value suppressed } SOURCES }",
    ],
    "InstanceFilter": [
        "instances(filter: $f) { totalCount complete SOURCES nodes { id } }",
        "series(first: 40) { nodes { instances(filter: $f) { totalCount nodes { id } } } }",
    ],
}  # fmt: skip
TEXTS = {"PatientID": "patientId", "AccessionNumber": "accessionNumber", "StudyID": "studyId",
         "StudyDescription": "studyDescription"}  # fmt: skip
PATHS = {"private": f"({PRIVATE})0009xx01", "PatientComments": "PatientComments",
         "inside": "RequestAttributesSequence.PatientName"}  # fmt: skip


def studies(what: str, value: str) -> Iterator[dict[str, Any]]:
    """The filters of studies that would find a value."""
    if name := TEXTS.get(what):
        yield from ({name: {op: value}} for op in ("eq", "startsWith", "contains", "wildcard"))
        yield {name: {"in": [value]}}
        yield {"not": {name: {"eq": value}}}
        yield {"or": [{name: {"eq": value}}, {"studyId": {"eq": "none"}}]}
    if what in ("PatientName", "ReferringPhysicianName"):
        name = what[0].lower() + what[1:]
        yield from ({name: {op: value}} for op in ("eq", "startsWith", "fuzzy"))
        yield {name: {"wildcard": f"*{value}*"}}
    if what in ("StudyDate", "PatientBirthDate"):
        name = what[0].lower() + what[1:]
        yield from ({name: {"eq": value}}, {name: {"gte": value, "lte": value}})
    if what == "StudyInstanceUID":
        yield from ({"studyInstanceUid": {"eq": value}}, {"studyInstanceUid": {"in": [value]}})
    if what == "StudyDescription":
        yield {"text": value}
    if path := PATHS.get(what):
        yield from by_path(path, value)


def by_path(path: str, value: str) -> Iterator[dict[str, Any]]:
    yield from (
        {"attribute": [{"name": path, op: value}]} for op in ("eq", "contains", "startsWith", "wildcard")
    )


def series(what: str, value: str) -> Iterator[dict[str, Any]]:
    if what == "SeriesInstanceUID":
        yield {"seriesInstanceUid": {"eq": value}}
    if what in ("SeriesDescription", "ProtocolName"):
        name = what[0].lower() + what[1:]
        yield from ({name: {op: value}} for op in ("eq", "contains", "wildcard"))
    if what == "SeriesDate":
        yield {"seriesDate": {"eq": value}}
    if path := PATHS.get(what):
        yield from by_path(path, value)


def instances(what: str, value: str) -> Iterator[dict[str, Any]]:
    if what == "SOPInstanceUID":
        yield {"sopInstanceUid": {"eq": value}}
    if path := PATHS.get(what):
        yield from by_path(path, value)


_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


def false_of(seeded: Seeded, true: Canary) -> str:
    """A value that nothing has; of a date the nearest, so that it is before and after the same other dates."""
    if true.what in _UIDS:
        return "1.2.826.0.1.9978.1"
    if not true.token.startswith("19"):
        return "zqxneverwas"
    day = date.fromisoformat(true.token)
    while day.isoformat() in seeded.canaries.by_token:
        day += timedelta(days=1)
    return day.isoformat()


def hidden_from(seeded: Seeded, person: str, what: str) -> Iterator[Canary]:
    """One canary of each network that this person must not see."""
    access = access_of(person)
    for ern in ERNS:
        mine = (each for each in seeded.canaries.about(what) if each.erns == {ern})
        found = next(mine, None)
        if found is not None and not found.is_open_to(access):
            yield found


@pytest.mark.parametrize("person", ["counts", "pseudonymised", "mixed"])
async def test_a_true_value_is_answered_like_a_false_one(seeded: Seeded, app: Served, person: str) -> None:
    asked = 0
    for filters, kind in ((studies, "StudyFilter"), (series, "SeriesFilter"), (instances, "InstanceFilter")):
        for what in sorted({each.what for each in seeded.canaries.by_token.values()}):
            for canary in hidden_from(seeded, person, what):
                false = filters(what, false_of(seeded, canary))
                for true, untrue in zip(filters(what, canary.token), false, strict=True):
                    query = f"query ($f: {kind}) {{ {LISTS[kind][asked % len(LISTS[kind])]} }}".replace(
                        "SOURCES", SOURCES
                    )
                    told = [(await app.ask(person, query, {"f": each})).body for each in (true, untrue)]
                    assert told[0] == told[1], (query, true)
                    asked += 1
    assert asked > 60


async def test_a_true_value_is_found_by_who_may_see_it(seeded: Seeded, app: Served) -> None:
    """The filters above are ones that would find it."""
    assert set(access_of("full").values()) == {AccessLevel.FULL}
    found = 0
    for what in sorted({each.what for each in seeded.canaries.by_token.values()}):
        canary = seeded.canaries.about(what)[-1]
        for true in studies(what, canary.token):
            reply = await app.ask(
                "full", "query ($f: StudyFilter) { studies(filter: $f) { totalCount } }", {"f": true}
            )
            found += b'"totalCount":0' not in reply.body
    assert found > 20
