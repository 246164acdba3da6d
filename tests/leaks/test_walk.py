"""Everybody asks for every field with every kind of argument: nothing of others' shows."""

import pytest

from tests.leaks.people import PEOPLE
from tests.leaks.walk import Walked

pytestmark = pytest.mark.timeout(1200)


def test_nobody_sees_what_is_hidden_from_them(walked: Walked, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{walked.table()}")  # noqa: T201
        print(f"{walked.questions} documents x {len(PEOPLE)} people, {walked.size} bytes")  # noqa: T201
        print({person: dict(codes) for person, codes in walked.codes.items()})  # noqa: T201
    told = {(person, leak.what): asked for person, asked, leak in walked.leaks}
    assert told == {}


def test_every_field_of_the_schema_was_answered(walked: Walked) -> None:
    """By somebody: a restriction is told to those only who are under one."""
    reached = {name for (name, _), cell in walked.cells.items() if cell.answers}
    assert walked.fields - reached == set()


def test_the_walk_sees_what_is_there(walked: Walked) -> None:
    """The search itself works: who sees everything finds canaries in every kind of place."""
    seen = {name for (name, person), cell in walked.cells.items() if person == "full" and cell.canaries}
    assert {
        "PersonName.family", "Study.studyDate", "Study.studyTime", "Study.id", "Series.id",
        "Instance.sopInstanceUid", "Attribute.value", "Attribute.text", "LocatedValue.text", "Archive.title",
        "StudyLocation.retrieveUrl", "FacetBucket.value", "SourceError.message", "Series.seriesDescription",
    } <= seen  # fmt: skip


def test_nothing_broke(walked: Walked) -> None:
    assert all("INTERNAL" not in codes for codes in walked.codes.values())
    assert set(walked.codes["nobody"]) == {"UNAUTHENTICATED"}
