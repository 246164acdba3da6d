"""Opening cohorts: who asks, which version an id means, and which archives it can be read in."""

from dataclasses import replace
from uuid import UUID

from access.scope import AccessLevel, Projection, Viewer
from db.cohorts import cohorts
from db.cohorts.cohorts import Cohort, Person, Version
from model.errors import BadInput, NotFound
from model.filters import CohortTest, Condition, replaced, walk
from reads.ids import from_id
from reads.request import Request

_NONE = "cohort: there is none with this id that you may open."


def person_of(viewer: Viewer) -> Person:
    """The person as cohorts know them: by the subject, and the ERNs that let them see anything."""
    erns = (grant.ern for grant in viewer.grants if grant.access is not AccessLevel.NONE)
    return Person(viewer.subject, viewer.name, tuple(erns))


def cohort_id(given: str) -> UUID:
    """The key in the id of a cohort or a version, or as it is. Raises NotFound for what is no id: not there, not yours
    and no id are one answer."""
    try:
        return UUID(given)
    except ValueError:
        pass
    try:
        type_name, key = from_id(given)
    except BadInput:
        raise NotFound(_NONE) from None
    if type_name not in ("Cohort", "CohortVersion"):
        raise NotFound(_NONE)
    return UUID(key[0])


async def open_cohort(request: Request, given: str) -> tuple[Cohort, Version | None]:
    """The cohort of an id and the version that it means: its own, or the cohort's newest; None: none yet.
    Raises NotFound."""
    wanted = cohort_id(given)
    found = await cohorts.opened(request.services.owner, person_of(request.viewer), [wanted])
    if not found:
        raise NotFound(_NONE)
    (cohort,) = found
    return cohort, version_meant(cohort, wanted)


def version_meant(cohort: Cohort, key: UUID) -> Version | None:
    """The version of its own key, or the newest for the cohort's; None: none yet."""
    if cohort.cohort_id == key:
        return cohort.versions[0] if cohort.versions else None
    return next(each for each in cohort.versions if each.version_id == key)


async def open_version(request: Request, given: str) -> tuple[Cohort, Version]:
    """The same, of a cohort that was frozen. Raises NotFound."""
    cohort, version = await open_cohort(request, given)
    if version is None:
        raise NotFound("cohort: it was never frozen; freezeCohort keeps what its filter finds.")
    return cohort, version


def in_version(cohort: Cohort, version: Version) -> CohortTest:
    """Being in a version. A list that was found by what identifies is read through the projection that it was asked
    through alone, so that it joins no pseudonym to a record."""
    readable = {
        (str(projection), archive_id)
        for archive_id, asked in version.projections.items()
        for projection in (Projection.IDENTIFIED, Projection.PSEUDONYMISED)
        if asked == projection or not cohort.identifying
    }
    return CohortTest(str(version.version_id), str(version.version_id), frozenset(readable))


async def opened(request: Request, condition: Condition) -> Condition:
    """The condition with every cohort in it opened for the viewer. Raises NotFound."""
    named = {here.cohort for here in walk(condition) if isinstance(here, CohortTest) and here.version is None}
    if not named:
        return condition
    tests = {each: in_version(*await open_version(request, each)) for each in sorted(named)}

    def change(leaf: Condition) -> Condition:
        if isinstance(leaf, CohortTest) and leaf.version is None:
            return replace(tests[leaf.cohort], cohort=leaf.cohort)
        return leaf

    return replaced(condition, change)
