"""The walk: everybody asks every question, and every answer is searched for what they must not see."""

import contextlib
import functools
import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from graphql import DocumentNode, GraphQLSchema, parse

from api.export.endpoint import EXPORTS
from tests.leaks.canaries import Canary
from tests.leaks.people import PEOPLE, Reply, Served, access_of
from tests.leaks.questions import Questions
from tests.leaks.reached import reached
from tests.leaks.seeded import Seeded
from tests.leaks.values import Values

_CURSORS = "{ %s(first: 70) { edges { cursor node { id } } } }"
_ROOTS = {"studies": "StudyConnection", "series": "SeriesConnection", "instances": "InstanceConnection"}
_ATTRIBUTES = {
    "attributes": [
        *("PatientComments", "00080080", "OtherPatientIDsSequence.PatientID", "PatientAge", "ImageComments"),
        *("(ERNFED TEST)0009xx01", "PatientName", "StationName", "NumberOfFrames", "StudyDate", "SeriesDate"),
    ]
}
_ARCHIVES = "{ archives { id code } }"


@dataclass
class Cell:
    """What one person got of one field."""

    answers: int = 0
    values: int = 0
    canaries: set[str] = field(default_factory=set)
    leaks: set[str] = field(default_factory=set)


@dataclass
class Walked:
    """`leaks`: (person, what was asked, canary). `codes`: of errors, by person."""

    fields: set[str]
    cells: dict[tuple[str, str], Cell] = field(default_factory=lambda: defaultdict(Cell))
    leaks: list[tuple[str, str, Canary]] = field(default_factory=list)
    codes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    saved: dict[str, set[Canary]] = field(default_factory=lambda: defaultdict(set))
    questions: int = 0
    size: int = 0

    def table(self) -> str:
        """A line for each field: values answered, canaries that were theirs to see, and leaks."""
        lines = [f"{'field':48}" + "".join(f"{person:>18}" for person in PEOPLE)]
        for name in sorted(self.fields):
            cells = [self.cells.get((name, person), Cell()) for person in PEOPLE]
            lines.append(f"{name:48}" + "".join(f"{_said(cell):>18}" for cell in cells))
        return "\n".join(lines)


def _said(cell: Cell) -> str:
    if not cell.answers:
        return "-"
    seen = f" ({len(cell.canaries)})" if cell.canaries else ""
    return f"{cell.values}{seen}" + (f" LEAKS {len(cell.leaks)}" if cell.leaks else "")


async def values_of(seeded: Seeded, app: Served) -> Values:
    """Values that those who see more have seen: ids and cursors of nodes that others must not find."""
    values = Values(seeded.canaries)
    ids: list[str] = []
    for person in ("full", "pseudonymised"):
        for root, connection in _ROOTS.items():
            data = _data(await app.ask(person, _CURSORS % root))
            edges = data[root]["edges"]
            assert edges, (person, root)
            ids += [edge["node"]["id"] for edge in edges[:: max(1, len(edges) // 8)]]
            places = [edge["cursor"] for edge in edges[:: max(1, len(edges) // 4)]]
            values.cursors[connection] = [*values.cursors.get(connection, ()), *places]
        ids += [each["id"] for each in _data(await app.ask(person, _ARCHIVES))["archives"]]
    shown = _data(await app.ask("pseudonymised", "{ studies(first: 4) { nodes { studyInstanceUid } } }"))
    values.since = await seeded.cursor_of_changes(10)
    values.ids = list(dict.fromkeys(ids))
    values.cohorts = await _cohorts(seeded, app)
    values.pseudonyms = [each["studyInstanceUid"] for each in shown["studies"]["nodes"]]
    return values


_SAVE = 'mutation ($f: StudyFilter!) { saveCohort(name: "mine", filter: $f) { id } }'
_FREEZE = 'mutation { freezeCohort(id: "%s") { id } shareCohort(id: "%s", everyone: true) { id } }'


async def _cohorts(seeded: Seeded, app: Served) -> list[str]:
    """Cohorts that everybody may open, by who sees most and by who sees pseudonyms: one that asks for nobody in
    particular, one by a name, and a spare one."""
    name = seeded.canaries.about("PatientName")[0].token
    ids = []
    mr = {"modalitiesInStudy": {"any": ["MR"]}}
    for person, given in (
        ("full", mr),
        ("full", {"patientName": {"wildcard": f"*{name}*"}}),
        ("pseudonymised", mr),
    ):
        id = _data(await app.ask(person, _SAVE, {"f": given}))["saveCohort"]["id"]
        frozen = _data(await app.ask(person, _FREEZE % (id, id)))
        ids += [id, frozen["freezeCohort"]["id"]]
    for _ in range(3):
        ids.append(_data(await app.ask("full", _SAVE, {"f": mr}))["saveCohort"]["id"])
    return ids


async def walk(seeded: Seeded, app: Served, schema: GraphQLSchema) -> Walked:
    """Everybody asks everything."""
    questions = Questions(schema, await values_of(seeded, app))
    walked = Walked(questions.fields())
    whole = list(questions.whole())
    again = [query for query in whole if query.startswith("mutation")]  # with a past, then
    for number, (query, *by_one) in enumerate([*([each] for each in whole), *questions.varied()]):
        answered = await _everybody(seeded, app, schema, walked, query, strangers=number % 9 == 0)
        for each in by_one if not answered else ():
            await _everybody(seeded, app, schema, walked, each)
    await app.ask("another", "{ studies(first: 99) { nodes { id } } }")
    for path in EXPORTS.values():
        for person in (*PEOPLE, "another"):
            reply = await app.send(person, "POST", path, json=_ATTRIBUTES)
            look(seeded, walked, person, f"POST {path}", replace(reply, body=_inflated(reply.body)))
    for query in again:
        await _everybody(seeded, app, schema, walked, query)
    return walked


def _inflated(body: bytes) -> bytes:
    """With what is compressed in it: the columns of Parquet are."""
    found, at = [body], body.find(b"\x1f\x8b\x08")
    while at >= 0:
        with contextlib.suppress(zlib.error):  # the same bytes by chance
            found.append(zlib.decompressobj(wbits=31).decompress(body[at:]))
        at = body.find(b"\x1f\x8b\x08", at + 1)
    return b"".join(found)


async def _everybody(
    seeded: Seeded, app: Served, schema: GraphQLSchema, walked: Walked, query: str, *, strangers: bool = False
) -> bool:
    """Whether it was answered to who sees everything. Strangers are refused before a question is read."""
    walked.questions += 1
    replies = {person: await app.ask(person, query) for person in PEOPLE[not strangers :]}
    for person, reply in replies.items():
        look(seeded, walked, person, query, reply)
        note(seeded, walked, schema, person, query, reply)
    return any(answer.get("data") for answer in _answers(replies["full"].body))


def look(seeded: Seeded, walked: Walked, person: str, asked: str, reply: Reply) -> None:
    """Searches one reply. A word of the caller's own may be repeated in the message of an error, only there; and
    in a filter that they saved."""
    walked.size += len(reply.body)
    access, own = access_of(person), seeded.canaries.found_in(asked)
    body, messages = _without_messages(reply.body)
    found = seeded.canaries.found_in(body + reply.head.encode())
    found |= seeded.canaries.found_in(messages) - own
    if "saveCohort" in asked:
        walked.saved[person] |= own
    if "ohort" in asked:
        found -= walked.saved[person]
    walked.leaks += [(person, asked[:300], each) for each in found if not each.is_open_to(access)]


def note(
    seeded: Seeded, walked: Walked, schema: GraphQLSchema, person: str, query: str, reply: Reply
) -> None:
    """Which fields were answered, and with what."""
    access, document, answers = access_of(person), _parsed(query), _answers(reply.body)
    for answer in answers:
        for error in answer.get("errors", ()):
            walked.codes[person][error["extensions"]["code"]] += 1
    for name, value in (each for answer in answers for each in reached(schema, document, answer.get("data"))):
        cell = walked.cells[name, person]
        cell.answers += 1
        if value is not None:
            cell.values += 1
            for each in seeded.canaries.found_in(str(value)):
                (cell.canaries if each.is_open_to(access) else cell.leaks).add(each.token)


@functools.lru_cache(maxsize=1)
def _parsed(query: str) -> DocumentNode:
    """Once for all who are asked about one after the other."""
    return parse(query)


def _answers(body: bytes) -> list[dict[str, Any]]:
    """The answer, or those of an event stream."""
    if body.startswith((b"event:", b":")):
        lines = body.decode().splitlines()
        return [orjson.loads(line[6:]) for line in lines if line.startswith("data: {")]
    return [orjson.loads(body)]


def _without_messages(body: bytes) -> tuple[bytes, str]:
    """The body without the messages of its errors, and these."""
    try:
        answers = _answers(body)
    except orjson.JSONDecodeError:
        return body, ""
    if not all(isinstance(answer, dict) for answer in answers):
        return body, ""
    told = [answer["errors"] for answer in answers if isinstance(answer.get("errors"), list)]
    messages = [error.pop("message", "") for errors in told for error in errors]
    return (orjson.dumps(answers), "\n".join(messages)) if told else (body, "")


def _data(reply: Reply) -> Any:
    answer = orjson.loads(reply.body)
    assert "errors" not in answer, answer["errors"]
    return answer["data"]
