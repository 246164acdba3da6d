"""What people do with cohorts: save, freeze, rename, share, delete."""

from collections.abc import Sequence

import strawberry

from access.identifying import identifying_tests
from db.cohorts import cohorts
from db.cohorts.cohorts import MAX_SHARES, Full
from db.cohorts.freeze import freeze
from db.lists.counts import counts
from db.lists.listing import Listing
from model.attributes import Level
from model.errors import BadInput, NotFound
from model.filters import CohortTest, walk
from reads.backfill import go_deep_enough
from reads.cohort_scope import cohort_id, open_cohort, person_of
from reads.list_query import list_query_of
from resolvers.cohorts.cohort import Cohort, CohortVersion, cohort_of, version_of
from resolvers.context import Context, Info
from resolvers.descriptions import described
from resolvers.filters.inputs import StudyFilter, condition_of
from resolvers.filters.matches import checked
from resolvers.filters.saved_filter import filter_of, text_of

MAX_NAME, MAX_DESCRIPTION, MAX_FILTER = 200, 1000, 100_000
_NOT_YOURS = "cohort: you own none with this id."


@strawberry.type(description="What was deleted.")
class DeletedCohort:
    id: strawberry.ID = described("The id that is no more.")


async def save_cohort(
    context: Context, name: str, description: str | None, given: StudyFilter, archives: list[str] | None
) -> Cohort:
    """Raises BadInput for a filter that could not be asked, NotFound for archives that the viewer cannot name."""
    condition = condition_of(given)
    if any(isinstance(here, CohortTest) for here in walk(condition)):
        raise BadInput("filter: a saved filter cannot name a cohort; save what the cohort asks.")
    list_query = list_query_of(context.access_scope, archives, condition, ())
    counts(Listing(list_query.scopes, Level.STUDY, condition))  # what cannot be asked is said now
    text = text_of(given)
    if len(text) > MAX_FILTER:
        raise BadInput(f"filter: at most {MAX_FILTER} characters as JSON, got {len(text)}.")
    called, said = _words(name, description)
    try:
        saved = await cohorts.save(
            context.services.owner,
            person_of(context.viewer),
            called,
            said,
            text,
            archives,
            identifying=identifying_tests(condition),
        )
    except Full as full:
        raise BadInput(f"cohort: {full}.") from None
    return await _own(context, str(saved))


async def freeze_cohort(info: Info, given: str) -> CohortVersion:
    """Raises NotFound for what is not the viewer's own."""
    context = info.context
    cohort = (await _own(context, given)).saved
    condition = condition_of(filter_of(info, cohort.filter))
    named = None if cohort.archives is None else _still_visible(context, cohort.archives)
    list_query = list_query_of(context.access_scope, named, condition, ())
    list_query = await go_deep_enough(context, list_query, Level.STUDY, condition)
    context.touched.asked(archive.archive_id for archive in list_query.asked)
    try:
        version = await freeze(
            context.services.owner,
            person_of(context.viewer),
            context.access_scope,
            cohort.cohort_id,
            list_query.scopes,
            condition,
            identifying=cohort.identifying,
            timeout_ms=round(context.services.settings.statement_timeout * 1000),
        )
    except Full as full:
        raise BadInput(f"cohort: {full}.") from None
    if version is None:
        raise NotFound(_NOT_YOURS)
    found, frozen = await open_cohort(context, str(version))
    if frozen is None:
        raise NotFound(_NOT_YOURS)
    return version_of(found, frozen)


async def with_first_version(info: Info, saved: Cohort) -> Cohort:
    """A cohort that was just saved, frozen; where that fails nothing is saved. Raises BadInput."""
    try:
        await freeze_cohort(info, str(saved.saved.cohort_id))
    except BaseException:
        await delete_cohort(info.context, str(saved.saved.cohort_id))
        raise
    return await _own(info.context, str(saved.saved.cohort_id))


async def rename_cohort(context: Context, given: str, name: str, description: str | None) -> Cohort:
    """Raises NotFound for what is not the viewer's own."""
    wanted, person = cohort_id(given), person_of(context.viewer)
    called, said = _words(name, description)
    if not await cohorts.rename(context.services.owner, person, wanted, called, said):
        raise NotFound(_NOT_YOURS)
    return await _own(context, given)


async def share_cohort(
    context: Context, given: str, people: Sequence[str], erns: Sequence[str], *, everyone: bool
) -> Cohort:
    """These may open it from now on, and nobody else. Raises NotFound for what is not the viewer's own."""
    cohort = await _own(context, given)
    if len(people) + len(erns) > MAX_SHARES:
        raise BadInput(f"people and erns: at most {MAX_SHARES} together.")
    unknown = sorted(each for each in set(erns) if each not in context.services.rules.now.networks)
    if unknown:
        raise BadInput(f"erns: {unknown[0][:64]!r} is no code of an ERN or of another network.")
    for subject in people:
        if not subject or len(str(checked("people", subject))) > MAX_NAME:
            raise BadInput(f"people: subjects of 1 to {MAX_NAME} characters.")
    with_whom = [("person", each) for each in people] + [("ern", each) for each in erns]
    with_whom += [("everyone", "")] if everyone else []
    person = person_of(context.viewer)
    await cohorts.share(context.services.owner, person, cohort.saved.cohort_id, with_whom)
    return await _own(context, given)


async def delete_cohort(context: Context, given: str) -> DeletedCohort:
    """A cohort, or one of its versions. Raises NotFound for what is not the viewer's own."""
    if not await cohorts.delete(context.services.owner, person_of(context.viewer), cohort_id(given)):
        raise NotFound(_NOT_YOURS)
    return DeletedCohort(id=strawberry.ID(given))


async def _own(context: Context, given: str) -> Cohort:
    try:
        cohort, _ = await open_cohort(context, given)
    except NotFound:
        raise NotFound(_NOT_YOURS) from None
    if not cohort.mine or str(cohort.cohort_id) != str(cohort_id(given)):
        raise NotFound(_NOT_YOURS)
    return cohort_of(cohort)


def _still_visible(context: Context, codes: Sequence[str]) -> list[str]:
    """An archive that was taken from the viewer since is not asked any more."""
    known = {archive.code for archive in context.access_scope.archives}
    return [code for code in codes if code in known]


def _words(name: str, description: str | None) -> tuple[str, str | None]:
    called = str(checked("name", name)).strip()
    if not 1 <= len(called) <= MAX_NAME:
        raise BadInput(f"name: 1 to {MAX_NAME} characters, got {len(called)}.")
    said = str(checked("description", description)).strip() if description else None
    if said and len(said) > MAX_DESCRIPTION:
        raise BadInput(f"description: at most {MAX_DESCRIPTION} characters, got {len(said)}.")
    return called, said or None
