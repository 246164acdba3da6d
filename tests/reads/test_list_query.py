"""Which archives a list asks: named ones, hidden ones, and those that an identifying filter leaves out."""

import pytest

from access.scope import AccessScope, Projection, Scope, ScopedArchive
from db.lists.orders import Sort
from model.attributes import attribute
from model.errors import NotFound
from model.filters import EVERYTHING, AllOf, Condition, Not, Op, PathTest, Test, TextTest
from model.paths import parse_path
from reads.list_query import ListQuery, list_query_of

EYE, RND, VAS, LUNG = (
    ScopedArchive(n, code, code.upper()) for n, code in enumerate(("eye", "rnd", "vas", "lung"), 1)
)
RECORDS = Scope((EYE, VAS), (EYE, VAS))
NOBODYS = Scope((), (), Projection.PSEUDONYMISED)
REACH = AccessScope(RECORDS, Scope((RND,), (RND,), Projection.PSEUDONYMISED), counted=(LUNG,))


def ask(
    access_scope: AccessScope,
    codes: list[str] | None = None,
    condition: Condition = EVERYTHING,
    field: str = "STUDY_DATE",
) -> ListQuery:
    return list_query_of(access_scope, codes, condition, [Sort(field)])


def test_everything_is_asked_by_default_and_the_counted_are_named() -> None:
    list_query = ask(REACH)
    assert [scope.projection for scope in list_query.scopes] == [
        Projection.IDENTIFIED,
        Projection.PSEUDONYMISED,
    ]
    assert list_query.asked == (EYE, VAS, RND, LUNG)
    assert list_query.shortfall.forbidden == {4}
    assert not list_query.is_named


def test_asking_keeps_what_is_visible_and_the_rank_order() -> None:
    list_query = ask(REACH, ["vas", "eye", "vas"])
    assert list_query.scopes[0].visible == RECORDS.visible
    assert list_query.asked == (EYE, VAS)
    assert ask(REACH, ["rnd"]).asked == (RND,)
    assert ask(REACH, []).asked == ()
    named = ask(REACH, ["lung"])
    assert named.asked == (LUNG,)
    assert named.shortfall.forbidden == {4}
    assert named.is_named


def test_a_hidden_archive_answers_as_one_that_does_not_exist() -> None:
    access_scope = AccessScope(Scope((EYE,), (EYE,)), NOBODYS)
    with pytest.raises(NotFound) as hidden:
        ask(access_scope, ["eye", "rnd"])
    with pytest.raises(NotFound) as nothing:
        ask(access_scope, ["eye", "xyz"])
    assert hidden.value.message.replace("rnd", "xyz") == nothing.value.message
    assert "'eye'" not in hidden.value.message


def test_the_message_of_an_unknown_archive_is_bounded() -> None:
    with pytest.raises(NotFound) as refused:
        ask(REACH, ["x" * 1000 + str(number) for number in range(1000)])
    assert "x" * 65 not in refused.value.message
    assert len(refused.value.message) < 600


def on(keyword: str, op: Op = Op.EQ) -> Condition:
    return Test(attribute(keyword), op, "x")


IDENTIFYING: list[Condition] = [
    on("PatientName"),
    on("PatientID", Op.CONTAINS),
    on("StudyInstanceUID", Op.IS_NULL),
    Not(on("AccessionNumber")),
    AllOf((on("Modality"), on("StudyDate", Op.GTE))),
    TextTest(("thorax",)),
    PathTest(parse_path("PatientComments")),
    PathTest(parse_path("(ACME)0029xx10")),
    PathTest(parse_path("RequestAttributesSequence.ScheduledProcedureStepID")),
]
HARMLESS: list[Condition] = [
    EVERYTHING,
    on("Modality"),
    on("ModalitiesInStudy", Op.HAS),
    on("StudyInstanceUID"),
    on("PatientID", Op.IN),
    PathTest(parse_path("SliceThickness")),
]


@pytest.mark.parametrize("condition", IDENTIFYING, ids=str)
def test_an_identifying_filter_skips_pseudonymised_archives(condition: Condition) -> None:
    list_query = ask(REACH, None, condition)
    assert [scope.projection for scope in list_query.scopes] == [Projection.IDENTIFIED]
    assert list_query.shortfall.identifying == {2}
    assert RND in list_query.asked


@pytest.mark.parametrize("condition", HARMLESS, ids=str)
def test_other_filters_ask_them(condition: Condition) -> None:
    list_query = ask(REACH, None, condition)
    assert [scope.projection for scope in list_query.scopes] == [
        Projection.IDENTIFIED,
        Projection.PSEUDONYMISED,
    ]
    assert list_query.shortfall.identifying == frozenset()


@pytest.mark.parametrize(
    "field", ["PATIENT_NAME", "PATIENT_ID", "PATIENT_BIRTH_DATE", "ACCESSION_NUMBER", "STUDY_DESCRIPTION"]
)
def test_an_identifying_order_skips_them_too(field: str) -> None:
    assert ask(REACH, None, EVERYTHING, field).shortfall.identifying == {2}
    only = AccessScope(Scope((), ()), REACH.pseudonyms)
    assert ask(only, None, EVERYTHING, field).shortfall.identifying == {2}
