"""A whole index in both projections, people who see more or less of it, and what they do with cohorts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from access.pseudonyms import Pseudonymiser
from access.scope import AccessLevel, Grant, Viewer
from access.small_counts import Policies, Policy
from db.archives import sync_archives
from db.pool import Database
from db.writing.projections import Projections
from tests.federation import Federation, generate, load
from tests.resolvers.runtime import CONFIGS, Answer, Runtime, open_services

EYE, RND, VASC = (config.ern for config in CONFIGS)
FULL, PSEUDO, COUNTS = AccessLevel.FULL, AccessLevel.PSEUDONYMISED, AccessLevel.COUNTS


def person(subject: str, *, consent: bool = False, **access: AccessLevel) -> Viewer:
    erns = {"eye": EYE, "rnd": RND, "vasc": VASC}
    grants = tuple(Grant(erns[name], level) for name, level in access.items())
    return Viewer(subject, subject.title(), grants, frozenset({EYE}) if consent else frozenset())


OWNER = person("owner", eye=FULL, rnd=FULL, vasc=FULL)
ANALYST = person("analyst", eye=PSEUDO, rnd=PSEUDO)
STRANGER = person("stranger", eye=FULL)
COUNTER = person("counter", eye=COUNTS)

SAVE = """mutation ($name: String!, $filter: StudyFilter!, $archives: [String!]) {
  saveCohort(name: $name, filter: $filter, archives: $archives, description: "why") {
    id name description mine owner identifying filter archives { code } createdAt versions { id }
    sharedWith { people erns everyone } } }"""
FREEZE = """mutation ($id: ID!) { freezeCohort(id: $id) { id number frozenAt sources { archive { code } asOf }
  studies(first: 1000) { totalCount nodes { studyInstanceUid access } } } }"""
LIST = """query ($id: ID!) { studies(first: 1000, filter: {cohort: $id}) { totalCount complete
  nodes { studyInstanceUid access } sources { archive { code } state matched error { code } } } }"""
SHARE = """mutation ($id: ID!, $people: [String!]!, $erns: [String!]!, $everyone: Boolean!) {
  shareCohort(id: $id, people: $people, erns: $erns, everyone: $everyone) {
    sharedWith { people erns everyone } } }"""
OPEN = """query ($id: ID!) { cohort(id: $id) { id name filter identifying mine owner archives { code }
  sharedWith { everyone } versions { id number sources { archive { code } }
    studies(first: 1000) { totalCount nodes { studyInstanceUid } } } } }"""
COMPARE = """query ($a: ID!, $b: ID) { compareCohorts(a: $a, b: $b) { gone
  added(first: 1000) { totalCount nodes { studyInstanceUid } }
  removed(first: 1000) { totalCount nodes { studyInstanceUid } }
  changed(first: 1000) { totalCount nodes { studyInstanceUid } } } }"""
EMPTY: dict[str, Any] = {"totalCount": 0, "nodes": []}
IMAGES = {"modalitiesInStudy": {"any": ["MR", "CT", "OP", "OPT"]}}
MR = {"modalitiesInStudy": {"any": ["MR"]}}


@dataclass
class Home:
    """A whole index with both projections."""

    runtime: Runtime
    database: Database
    made: Federation
    makers: dict[int, Pseudonymiser]
    projections: Projections

    async def data(self, viewer: Viewer, query: str, **variables: Any) -> Any:
        return await self.runtime.asked_by(viewer).data(query, variables)

    async def ask(self, viewer: Viewer, query: str, **variables: Any) -> Answer:
        return await self.runtime.asked_by(viewer).ask(query, variables)

    async def saved(self, viewer: Viewer, given: dict[str, Any], archives: list[str] | None = None) -> Any:
        return (await self.data(viewer, SAVE, name="mine", filter=given, archives=archives))["saveCohort"]

    async def frozen(
        self, viewer: Viewer, given: dict[str, Any], archives: list[str] | None = None
    ) -> tuple[str, Any]:
        """The id of a cohort and its first version."""
        cohort = await self.saved(viewer, given, archives)
        return cohort["id"], (await self.data(viewer, FREEZE, id=cohort["id"]))["freezeCohort"]

    async def share(self, id: str, **with_whom: Any) -> None:
        everything = {"people": [], "erns": [], "everyone": False} | with_whom
        await self.data(OWNER, SHARE, id=id, **everything)

    async def uids(self, viewer: Viewer, id: str) -> set[str]:
        return uids_of((await self.data(viewer, LIST, id=id))["studies"])

    async def now(self, viewer: Viewer, given: dict[str, Any]) -> set[str]:
        ask = "query ($f: StudyFilter) { studies(first: 1000, filter: $f) { nodes { studyInstanceUid } } }"
        return uids_of((await self.data(viewer, ask, f=given))["studies"])


def uids_of(studies: Any) -> set[str]:
    uids = [node["studyInstanceUid"] for node in studies["nodes"]]
    assert len(set(uids)) == len(uids) == studies.get("totalCount", len(uids))
    return set(uids)


async def fill_home(database: Database) -> None:
    """A generated federation in both projections."""
    made, _, _ = await _made(database)
    await load(database, made)


async def _made(database: Database) -> tuple[Federation, dict[int, Pseudonymiser], Projections]:
    """What is to be in the index, and what makes pseudonymised copies of what is written from now on."""
    ids = await sync_archives(database, CONFIGS)
    makers = {ids[c.code]: Pseudonymiser(bytes([7]) * 32, c.ern, key_id="k1") for c in CONFIGS}
    projections = Projections(database, makers, {each: code for code, each in ids.items()})
    database.after_write.append(lambda: projections.drain())
    return generate(9, list(ids.values()), 30), makers, projections


@asynccontextmanager
async def at_home(database: Database) -> AsyncIterator[Home]:
    """Services on an index that `fill_home` has filled."""
    made, makers, projections = await _made(database)
    services = replace(await open_services(database), small_counts=Policies(Policy(1, 0)))
    try:
        yield Home(Runtime(services), database, made, makers, projections)
    finally:
        await services.close()
