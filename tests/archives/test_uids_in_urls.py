"""UIDs that break the rules, in the path and in the query: what a server reads is what was meant."""

from dataclasses import replace
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from archives.client import Selection
from archives.dicomweb import DicomWebArchive
from archives.rows import STUDY_INSTANCE_UID, text
from tests.archives.faulty import Exchange, Json, faulty
from tests.archives.test_faults import CONFIG

ODD = [
    "ABC.1",
    "9" * 67,
    "a/b",
    "a,b",
    "x&limit=0",
    "{0}",
    "p%2Fq",
    "a%2Cb",
    "a%252Cb,%2c",
    "a+b",
    "..a",
    "q#r",
    "s;t",
    "u=v",
    "'\"<>",
]
KEYS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
TAGS = dict(zip(KEYS, ("0020000D", "0020000E", "00080018"), strict=True))


def ui(uid: str) -> Json:
    return {"vr": "UI", "Value": [uid]}


def behave(exchange: Exchange) -> None:
    """One series and instance a study; a list is split at the commas that are not encoded."""
    parts = exchange.path.removeprefix("/dicom-web/").split("/")
    named = {
        key: unquote(parts[n + 1])
        for n, key in ((0, KEYS[0]), (2, KEYS[1]), (4, KEYS[2]))
        if n + 1 < len(parts)
    }
    rows: list[Json] = []
    for uid in ODD:
        made = {key: uid + end for key, end in zip(KEYS, ("", "-s", "-i"), strict=True)}
        asked = named | {key: exchange.query[key] for key in KEYS if key in exchange.query}
        if all(made[key] in (value, *value.split(",")) for key, value in asked.items()):
            depth = 3 if parts[-1] in ("instances", "metadata") else 2 if parts[-1] == "series" else 1
            rows.append({TAGS[key]: ui(made[key]) for key in KEYS[:depth]})
    exchange.rows(rows[exchange.offset :])


@pytest.mark.parametrize("uid", ODD)
async def test_one(uid: str) -> None:
    with faulty(behave) as server:
        client = DicomWebArchive(replace(CONFIG, url=server.url))
        one = Selection(study_uids=[uid])
        below = replace(one, series_uids=[f"{uid}-s"])
        for search, selection in (
            (client.search_studies, one),
            (client.search_series, one),
            (client.search_series, below),
            (client.search_instances, below),
            (client.search_instances, replace(below, sop_uids=[f"{uid}-i"])),
        ):
            answer = await search(selection)
            assert [text(row, STUDY_INSTANCE_UID) for row in answer.rows] == [uid]
            assert answer.complete
        for names in ((uid,), (uid, f"{uid}-s"), (uid, f"{uid}-s", f"{uid}-i")):
            assert len(await client.metadata(*names)) == 1
        await client.close()
    for asked in server.asked:
        parts = urlsplit(asked.split(" ", 1)[1])
        assert set(parse_qs(parts.query)) <= {*KEYS, "limit", "offset", "includefield"}
        assert parts.path.startswith("/dicom-web/studies") or parts.path in (
            "/dicom-web/series",
            "/dicom-web/instances",
        )
        assert not parts.fragment


async def test_many() -> None:
    with faulty(behave) as server:
        client = DicomWebArchive(replace(CONFIG, url=server.url))
        for search in (client.search_studies, client.search_series):
            answer = await search(Selection(study_uids=ODD))
            assert {text(row, STUDY_INSTANCE_UID) for row in answer.rows} == set(ODD)
            assert answer.complete
        await client.close()


async def test_silence_about_a_uid_that_may_not_have_been_understood_says_nothing() -> None:
    with faulty(lambda exchange: exchange.rows([])) as server:
        client = DicomWebArchive(replace(CONFIG, url=server.url))
        assert (await client.search_studies(Selection(study_uids=["ABC.1"]))).complete
        answer = await client.search_studies(Selection(study_uids=["a,b", "1.2"]))
        assert answer.incomplete_because == "it does not answer 1 UIDs with special characters"
        await client.close()
