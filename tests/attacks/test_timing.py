"""What is not there and what is not yours: the same bytes by the same statements, in about the same time."""

import statistics
import time

import pytest

from model.attributes import KEY_COLUMNS, Key, Level
from reads.ids import to_id
from tests.leaks.people import Served
from tests.leaks.seeded import ERNS, Seeded

ROUNDS = 60
FIELDS = {
    "study by UID": ("StudyInstanceUID", '{ study(studyInstanceUid: "%s") { id studyDate } }'),
    "node of a study": ("StudyInstanceUID", '{ node(id: "Study:%s") { id } }'),
    "node of a series": ("SeriesInstanceUID", '{ node(id: "Series:%s") { id } }'),
    "node of an instance": ("SOPInstanceUID", '{ node(id: "Instance:%s") { id } }'),
    "studies by UID": ("StudyInstanceUID", '{ studies(filter: {studyInstanceUid: {eq: "%s"}}) { totalCount } }'),
    "series by UID": ("SeriesInstanceUID", '{ series(filter: {seriesInstanceUid: {eq: "%s"}}) { totalCount } }'),
    "one series": ("SeriesInstanceUID", '{ seriesByUid(seriesInstanceUid: "%s") { id } }'),
    "one instance": ("SOPInstanceUID", '{ instanceByUid(sopInstanceUid: "%s") { id } }'),
    "archive": ("code", '{ archive(code: "%s") { id } }'),
    "node of an archive": ("code", '{ node(id: "Archive:%s") { id } }'),
    "archives argument": ("code", '{ studies(archives: ["%s"]) { totalCount } }'),
    "archives of statistics": ("code", '{ studyStats(archives: ["%s"]) { studies { value } } }'),
}  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
async def test_not_there_and_not_yours(
    seeded: Seeded, app: Served, field: str, capsys: pytest.CaptureFixture[str]
) -> None:
    what, query = FIELDS[field]
    *_, hidden = (each.token for each in seeded.canaries.about(what) if each.erns == {ERNS[0]})
    absent = hidden[:-1] + ("z" if what == "code" else "99999")
    above = await _above(seeded, what, hidden)
    asked = [_with_id(query % value, above) for value in (hidden, absent)]
    await app.ask("mixed", asked[1])  # what is fetched once, on demand, is there from now on
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(ROUNDS):
        replies = [await app.ask("mixed", each) for each in asked]
        bodies = [
            reply.body.replace(value.encode(), b"-")
            for reply, value in zip(replies, (hidden, absent), strict=True)
        ]
        assert bodies[0] == bodies[1]
        assert replies[0].statements == replies[1].statements
        for which in (0, 1) if number % 2 else (1, 0):
            start = time.perf_counter()
            await app.ask("mixed", asked[which])
            times[which].append(time.perf_counter() - start)
    not_yours, not_there = map(statistics.median, times)
    with capsys.disabled():
        said = f"{field:24} not yours {not_yours * 1000:6.2f} ms, not there {not_there * 1000:6.2f} ms"
        print(f"\n{said}, ratio {not_yours / not_there:.2f}", end="")  # noqa: T201
    found = await app.ask("full", asked[0])
    assert hidden.encode() in found.body or found.body != bodies[0]


async def _above(seeded: Seeded, what: str, uid: str) -> Key:
    """The UIDs that a stored series or instance is within."""
    level = {"SeriesInstanceUID": Level.SERIES, "SOPInstanceUID": Level.INSTANCE}.get(what)
    if level is None:
        return ()
    *above, own = KEY_COLUMNS[level]
    sql = f"select {', '.join(above)} from {level} where {own} = $1"  # noqa: S608
    (row,) = await seeded.services.owner.fetch("above", sql, uid)
    return tuple(row)


def _with_id(query: str, above: Key) -> str:
    if "node(id:" not in query:
        return query
    before, given, after = query.split('"')
    type_name, own = given.split(":")
    return f'{before}"{to_id(type_name, (*above, own))}"{after}'
