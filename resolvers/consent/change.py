"""Saying what the patient of one study agreed to, and who saw the study before a consent was withdrawn."""

from datetime import datetime

import strawberry

from access.scope import AccessLevel, ScopedArchive
from db.audit.lines import Accesses, accesses_of_others, exports_of
from db.audit.past_pseudonyms import past_pseudonyms
from db.writing.consent import StoredConsent, StudyConsent, consent_of, set_consents
from model.attributes import Level
from model.errors import Forbidden, NotFound
from reads.list_query import named_archives
from resolvers.context import Context
from resolvers.descriptions import described
from resolvers.records.nodes import Study, study_of


@strawberry.type(description="Requests of one purpose whose answers showed the study.")
class PurposeAccesses:
    purpose: str | None = described("HL7 code that the requests named (X-Purpose-Of-Use); null: none.")
    requests: int = described("How many requests.")
    people: int = described("Of how many people; one who asked for several purposes counts in each.")


@strawberry.type(
    description="Who else was shown the study since the consent that held before was given, from the audit "
    "trail: in full or pseudonymised."
)
class EarlierAccesses:
    since: datetime = described("When that consent was given.")
    requests: int = described("How many requests of others.")
    people: int = described("Of how many people.")
    by_purpose: list[PurposeAccesses] = described("The same by purpose.")


@strawberry.type(description="An export that held the study.")
class EarlierExport:
    at: datetime = described("When it was made.")
    purpose: str | None = described("HL7 code that it was made for; null: none was named.")


@strawberry.type(
    description="What became of a consent. A withdrawal takes effect at once, but does not undo what was "
    "seen before: that is listed here."
)
class ConsentChange:
    study: Study = described("The study, as it is now.")
    accesses: EarlierAccesses | None = described(
        "Earlier accesses of others; null where no consent held before."
    )
    exports: list[EarlierExport] = described(
        "Earlier exports that held the study, since that consent was given, oldest first; at most 1000."
    )


async def change_consent(context: Context, archive_code: str, wanted: StudyConsent) -> ConsentChange:
    """Raises NotFound for an archive or a study that the viewer cannot see there, else Forbidden for one
    where the viewer does not administrate."""
    archive = _administrated(context, archive_code)
    loaders = context.loaders[context.access_scope.records.projection]
    if archive.archive_id not in await loaders.archives_holding(Level.STUDY, (wanted.study_uid,)):
        raise NotFound(
            "studyInstanceUid: the index knows no such study in this archive; `ernfed consent import` "
            "takes consents of studies that come later."
        )
    owner = context.services.owner
    before = await consent_of(owner, archive.archive_id, wanted.study_uid)
    await set_consents(owner, archive.archive_id, [wanted], context.viewer.subject)
    row = await loaders.nodes(Level.STUDY).load((wanted.study_uid,))
    if row is None:
        raise NotFound("studyInstanceUid: the study was removed from the index just now.")
    accesses, exports = await _earlier(context, wanted.study_uid, before)
    return ConsentChange(study=study_of(row), accesses=accesses, exports=exports)


def _administrated(context: Context, code: str) -> ScopedArchive:
    named_archives(context.access_scope, [code])
    archive = next((each for each in context.access_scope.records.visible if each.code == code), None)
    grant = next((each for each in context.viewer.grants if archive and each.ern == archive.ern), None)
    if archive is None or grant is None or grant.access is not AccessLevel.FULL or "admin" not in grant.verbs:
        raise Forbidden(
            "archive: consents are set by people with full access and the verb admin for its ERN."
        )
    return archive


async def _earlier(
    context: Context, study_uid: str, before: StoredConsent | None
) -> tuple[EarlierAccesses | None, list[EarlierExport]]:
    if before is None or before.given_at is None:
        return None, []
    services = context.services
    past = await past_pseudonyms(
        services.owner, services.settings.pseudonym_keys_file, services.rules.now.networks
    )
    total, parts = await accesses_of_others(
        services.owner, study_uid, past, before.given_at, context.viewer.subject
    )
    accesses = EarlierAccesses(
        since=before.given_at,
        requests=total.requests,
        people=total.people,
        by_purpose=[_purpose(part) for part in parts],
    )
    exports = await exports_of(services.owner, study_uid, past, before.given_at)
    return accesses, [EarlierExport(at=each.at, purpose=each.purpose) for each in exports]


def _purpose(part: Accesses) -> PurposeAccesses:
    return PurposeAccesses(purpose=part.purpose, requests=part.requests, people=part.people)
