"""The demo's made-up consents: told once, the same for every copy, and never over what somebody said."""

from cli.demo.consents import tell_consents
from db.pool import Database
from db.writing.consent import StudyConsent, consents_of_archive, set_consents
from model.attributes import Level
from tests.resolvers.conftest import shallow_runtime


async def test_consents_are_told_once(database: Database) -> None:
    assert await tell_consents(database) == ""
    await shallow_runtime(database, Level.STUDY, 40)
    said = await tell_consents(database)
    told = {stored.consent.study_uid: stored.consent for stored in await consents_of_archive(database, 1)}
    agreed = [uid for uid, consent in told.items() if consent.research]
    assert 0 < len(agreed) < len(told)
    assert said.startswith("consent to research for ")
    await set_consents(database, 1, [StudyConsent(agreed[0], True, True, False)], "tester")
    assert await tell_consents(database) == ""
    again = {stored.consent.study_uid: stored.consent for stored in await consents_of_archive(database, 1)}
    assert not again[agreed[0]].research
    for stored in await consents_of_archive(database, 2):
        if stored.consent.study_uid in told and stored.consent.study_uid != agreed[0]:
            assert stored.consent.research is told[stored.consent.study_uid].research
