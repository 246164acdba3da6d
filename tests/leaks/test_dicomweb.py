"""The DICOMweb face shows nobody what the schema does not, and tells nobody what there is elsewhere."""

import json

import pytest

from archives.stow import body_of
from tests.archives.files import instance
from tests.leaks.people import PEOPLE, Served, access_of
from tests.leaks.seeded import Seeded
from tests.leaks.walk import Walked, look

pytestmark = pytest.mark.timeout(600)
SEARCHES = ("studies", "series", "instances")
QUERIES = (
    "includefield=all", "PatientName=*&PatientName=", "PatientName={name}", "PatientName={name}&fuzzymatching=true",
    "PatientID={id}", "StudyDate={date}", "InstitutionName={institution}", "includefield=PatientComments,00091001",
    "00091001={institution}", "ReferencedStudySequence.ReferencedSOPInstanceUID=1.2.3", "offset=3&limit=2",
)  # fmt: skip
BELOW = (
    "studies/{study}/series", "studies/{study}/instances", "studies/{study}/series/{series}/instances",
    "series?StudyInstanceUID={study}&includefield=PatientID", "instances?SeriesInstanceUID={series}",
)  # fmt: skip


def words_of(seeded: Seeded, number: int) -> dict[str, str]:
    """Somebody's real values."""
    names = {"study": "StudyInstanceUID", "series": "SeriesInstanceUID", "sop": "SOPInstanceUID", "name": "PatientName",
             "id": "PatientID", "date": "StudyDate", "institution": "InstitutionName", "code": "code"}  # fmt: skip
    found = {word: seeded.canaries.about(what) for word, what in names.items()}
    return {word: of[number * len(of) // 7].token.replace("-", "") for word, of in found.items()}


async def test_searches(seeded: Seeded, app: Served) -> None:
    walked = Walked(set())
    shown: set[str] = set()
    for person in PEOPLE:
        for number in (1,) if person == "full" else (5,):
            words = words_of(seeded, number)
            for path in (*(f"{of}?{query}" for of in SEARCHES for query in QUERIES), *BELOW):
                for root in ("/dicom-web", f"/archives/{words['code']}/dicom-web"):
                    asked = f"{root}/{path.format(**words)}"
                    reply = await app.send(person, "GET", asked)
                    look(seeded, walked, person, asked, reply)
                    assert reply.status in (200, 204, 400, 401, 404), (asked, reply.body)
                    if reply.status == 200:
                        shown.add(person)
    assert walked.leaks == []
    assert shown == {"pseudonymised", "mixed", "full"}


async def test_others_are_not_there(seeded: Seeded, app: Served) -> None:
    """What somebody may not see answers to the letter as what is nowhere."""
    nowhere = {"study": "1.2.3.4.5", "series": "1.2.3.4.5.6", "sop": "1.2.3.4.5.6.7"}
    checked = 0
    for person in ("counts", "pseudonymised", "mixed"):
        access = access_of(person)
        hidden = [each for each in seeded.canaries.about("StudyInstanceUID") if not each.is_open_to(access)]
        for study in hidden[:6]:
            for path in BELOW:
                words = words_of(seeded, 0) | {"study": study.token}
                there = await app.send(person, "GET", f"/dicom-web/{path.format(**words)}")
                absent = await app.send(person, "GET", f"/dicom-web/{path.format(**nowhere)}")
                assert (there.status, there.body) == (absent.status, absent.body)
                assert _told(there.head) == _told(absent.head)
                checked += 1
    assert checked > 50


def _told(head: str) -> str:
    """Headers but for the request's own id."""
    return ", ".join(each for each in head.split(", ") if "x-request-id" not in each)


RETRIEVED = (
    "studies/{study}", "studies/{study}/metadata", "studies/{study}/rendered", "studies/{study}/thumbnail",
    "studies/{study}/series/{series}", "studies/{study}/series/{series}/metadata",
    "studies/{study}/series/{series}/instances/{sop}", "studies/{study}/series/{series}/instances/{sop}/metadata",
    "studies/{study}/series/{series}/instances/{sop}/rendered",
    "studies/{study}/series/{series}/instances/{sop}/frames/1",
    "studies/{study}/series/{series}/instances/{sop}/bulk/7fe00010",
)  # fmt: skip


async def test_retrieval(seeded: Seeded, app: Served) -> None:
    """By real UIDs, and by those that each person is shown."""
    walked = Walked(set())
    for person in PEOPLE:
        named = [words_of(seeded, 1), words_of(seeded, 5)]
        listed = await app.send(person, "GET", "/dicom-web/instances?limit=4")
        for row in json.loads(listed.body) if listed.status == 200 else ():
            study, series, sop = (row[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018"))
            named.append(words_of(seeded, 1) | {"study": study, "series": series, "sop": sop})
        for words in named:
            for path in RETRIEVED:
                for root in ("/dicom-web", f"/archives/{words['code']}/dicom-web"):
                    asked = f"{root}/{path.format(**words)}"
                    reply = await app.send(person, "GET", asked)
                    look(seeded, walked, person, asked, reply)
                    assert reply.status in (200, 401, 403, 404, 406, 503), (asked, reply.body)
    assert walked.leaks == []


async def test_others_cannot_be_retrieved(seeded: Seeded, app: Served) -> None:
    """To the letter as what is nowhere."""
    checked = 0
    for person in ("counts", "pseudonymised", "mixed"):
        access = access_of(person)
        hidden = [each for each in seeded.canaries.about("StudyInstanceUID") if not each.is_open_to(access)]
        for study in hidden[:4]:
            for path in RETRIEVED:
                words = words_of(seeded, 0) | {"study": study.token}
                nowhere = {"study": "1.2.3.4.5", "series": "1.2.3.4.5.6", "sop": "1.2.3.4.5.6.7"}
                there = await app.send(person, "GET", f"/dicom-web/{path.format(**words)}")
                absent = await app.send(person, "GET", f"/dicom-web/{path.format(**nowhere)}")
                assert (there.status, there.body) == (absent.status, absent.body) == (404, absent.body)
                checked += 1
    assert checked > 100


async def test_sending(seeded: Seeded, app: Served) -> None:
    """Nobody of these may: and an archive that is not for somebody is refused to the letter as one that is nowhere."""
    walked, statuses = Walked(set()), set()
    body, kind = body_of([instance(seeded.canaries.about("StudyInstanceUID")[0].token, 1, 1)])
    for person in PEOPLE:
        told = {}
        codes = {each.token for each in seeded.canaries.about("code")}
        for code in (*sorted(codes), "nowhere"):
            asked = f"/archives/{code}/dicom-web/studies"
            reply = await app.send(person, "POST", asked, content=body, headers={"Content-Type": kind})
            look(seeded, walked, person, asked, reply)
            told[code] = (reply.status, reply.body)
        statuses |= {(person, status) for status, _ in told.values()}
        assert {each for each in told.values() if each[0] not in (401, 403)} <= {told["nowhere"]}
    assert walked.leaks == []
    assert {status for person, status in statuses if person == "nobody"} == {401}
    assert {status for person, status in statuses if person == "mixed"} == {403, 404}
