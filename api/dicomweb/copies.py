"""Which archives are asked for what somebody wants to retrieve: where its copies are, as the schema tells this person.

A study may stand in several archives, each of which has a part of it: then it is put together of series, and a series
of instances.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from access.scope import AccessLevel
from api.dicomweb.asked import WebRequest
from api.problems import HttpProblem
from model.attributes import Key

PAGE: Final = 1_000
_NOT_THERE: Final = "There is no such study, series or instance that you may see."
_NOT_KNOWN: Final = "Archives that may hold it could not be asked just now."
_PLACES: Final = "locations { archive { code } }"
_DOCUMENTS: Final = {
    1: f"query Places($study: UID!) {{ found: study(studyInstanceUid: $study) {{ access {_PLACES} }} }}",
    2: "query Places($study: UID!, $series: UID!) { found: seriesByUid(seriesInstanceUid: $series, "
    f"studyInstanceUid: $study) {{ study {{ access }} {_PLACES} }} }}",
    3: "query Places($study: UID!, $series: UID!, $instance: UID!) { found: instanceByUid(sopInstanceUid: $instance, "
    "seriesInstanceUid: $series, studyInstanceUid: $study) "
    f"{{ transferSyntaxUid series {{ study {{ access }} }} {_PLACES} }} }}",
}
_PAGE: Final = (
    "query Children($filter: {type}Filter, $archives: [String!], $first: Int, $after: String) {{"
    " page: {list}(filter: $filter, archives: $archives, first: $first, after: $after) {{"
    " pageInfo {{ hasNextPage endCursor }} sources {{ archive {{ code }} state }}"
    " nodes {{ uid: {uid} locations {{ archive {{ code }} }} }} }} }}"
)
_CHILDREN: Final = {
    1: _PAGE.format(type="Series", list="series", uid="seriesInstanceUid"),
    2: _PAGE.format(type="Instance", list="instances", uid="sopInstanceUid"),
}
_NAMES: Final = ("study", "series", "instance")


@dataclass(frozen=True, slots=True)
class Piece:
    """What one archive is asked for, the best-ranked of those that hold all of it, else another of them."""

    uids: Key
    archives: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HeldCopies:
    """A node that the asker may see. archives: of its copies, best-ranked first. access: of the study."""

    uids: Key
    access: str
    archives: tuple[str, ...]

    @property
    def is_pseudonymised(self) -> bool:
        return self.access == AccessLevel.PSEUDONYMISED


async def find(asked: WebRequest, uids: Key) -> HeldCopies:
    """Raises HttpProblem 404 for what is not there, or not for this person: nothing tells these apart."""
    given = dict(zip(_NAMES, uids, strict=False))
    node = (await asked.run(_DOCUMENTS[len(uids)], given))["found"]
    if node is None and asked.failed:
        raise HttpProblem(503, _NOT_KNOWN, headers={"Retry-After": "30"})
    archives = () if node is None else _archives(asked, node)
    if not archives:
        raise HttpProblem(404, _NOT_THERE)
    return HeldCopies(uids, _study_of(node, len(uids))["access"], archives)


def _study_of(node: Mapping[str, Any], length: int) -> Mapping[str, Any]:
    found: Any = node
    for above in ("series", "study")[3 - length :]:
        found = found[above]
    return found  # type: ignore[no-any-return]


def _archives(asked: WebRequest, node: Mapping[str, Any]) -> tuple[str, ...]:
    codes = [place["archive"]["code"] for place in node["locations"]]
    return tuple(code for code in codes if asked.archive in (None, code))


async def pieces_of(asked: WebRequest, found: HeldCopies) -> list[Piece]:
    """All of it, each instance once."""
    if len(found.archives) == 1 or len(found.uids) == 3:
        return [Piece(found.uids, found.archives)]
    children = [
        HeldCopies((*found.uids, uid), found.access, held) for uid, held in await _children(asked, found)
    ]
    if not children:
        return [Piece(found.uids, found.archives)]
    below = [await pieces_of(asked, child) for child in children]
    whole = [code for code in found.archives if all(_is_whole(each, code) for each in below)]
    if whole:
        return [Piece(found.uids, tuple(whole))]
    return [piece for each in below for piece in each]


def _is_whole(pieces: Sequence[Piece], code: str) -> bool:
    return all(code in piece.archives for piece in pieces)


async def series_of(asked: WebRequest, found: HeldCopies) -> list[Piece]:
    """The same, no piece larger than a series."""
    if len(found.uids) > 1:
        return await pieces_of(asked, found)
    children = await _children(asked, found)
    below = [
        await pieces_of(asked, HeldCopies((*found.uids, uid), found.access, held)) for uid, held in children
    ]
    return [piece for each in below for piece in each]


async def _children(asked: WebRequest, parent: HeldCopies) -> list[tuple[str, tuple[str, ...]]]:
    """Series of a study, instances of a series, with the archives that hold each."""
    uids = parent.uids
    above: dict[str, Any] = {"studyInstanceUid": {"eq": uids[0]}}
    given: dict[str, Any] = {"study": above}
    if len(uids) == 2:
        given = {"series": {"seriesInstanceUid": {"eq": uids[1]}, **given}}
    found: list[tuple[str, tuple[str, ...]]] = []
    after = None
    while True:
        variables = {"filter": given, "archives": asked.archives, "first": PAGE, "after": after}
        page = (await asked.run(_CHILDREN[len(uids)], variables))["page"]
        asked.note(page["sources"], parent.archives)
        found += [(node["uid"], _archives(asked, node)) for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return [(uid, held) for uid, held in found if held]
        after = page["pageInfo"]["endCursor"]
