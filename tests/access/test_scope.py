"""The scope: who sees which archives, in rank order; what is hidden answers as what does not exist."""

import pytest

from access.scope import AccessLevel, Grant, Scope, ScopedArchive, Viewer, everyone_here, scope_of
from model.errors import NotFound

EYE, RND, VASCERN = (
    ScopedArchive(7, "eye", "ERN-EYE"),
    ScopedArchive(3, "rnd", "ERN-RND"),
    ScopedArchive(5, "vas", "VASCERN"),
)
ALL = (EYE, RND, VASCERN)


def viewer(**access: AccessLevel) -> Viewer:
    erns = {"eye": "ERN-EYE", "rnd": "ERN-RND", "vas": "VASCERN"}
    return Viewer("s", None, tuple(Grant(erns[code], level) for code, level in access.items()))


@pytest.mark.parametrize("level", [AccessLevel.NONE, AccessLevel.COUNTS, AccessLevel.PSEUDONYMISED])
def test_only_full_access_sees_records(level: AccessLevel) -> None:
    scope = scope_of(viewer(eye=AccessLevel.FULL, rnd=level), ALL)
    assert scope.visible == scope.asked == (EYE,)


def test_nobody_sees_nothing() -> None:
    scope = scope_of(Viewer("s", None, ()), ALL)
    assert scope.visible_ids == scope.asked_ids == []
    assert viewer().access_to("ERN-EYE") is AccessLevel.NONE


def test_everyone_here_sees_everything_in_rank_order() -> None:
    scope = scope_of(everyone_here(["VASCERN", "ERN-EYE", "ERN-RND", "ERN-EYE"]), ALL)
    assert scope.visible_ids == [7, 3, 5]
    assert scope.asks_everything
    assert [grant.ern for grant in everyone_here(["VASCERN", "ERN-EYE", "ERN-EYE"]).grants] == [
        "ERN-EYE",
        "VASCERN",
    ]


def test_asking_keeps_what_is_visible_and_the_rank_order() -> None:
    scope = Scope(ALL, ALL).asking(["vas", "eye", "vas"])
    assert scope.visible == ALL
    assert scope.asked_ids == [7, 5]
    assert not scope.asks_everything
    assert Scope(ALL, ALL).asking(None) == Scope(ALL, ALL)
    assert Scope(ALL, ALL).asking(["vas", "rnd", "eye"]).asks_everything
    assert Scope(ALL, ALL).asking([]).asked == ()


def test_a_hidden_archive_answers_as_one_that_does_not_exist() -> None:
    scope = Scope((EYE,), (EYE,))
    with pytest.raises(NotFound) as hidden:
        scope.asking(["eye", "rnd"])
    with pytest.raises(NotFound) as nothing:
        scope.asking(["eye", "xyz"])
    assert hidden.value.message.replace("rnd", "xyz") == nothing.value.message
    assert "'eye'" not in hidden.value.message


def test_the_message_of_an_unknown_archive_is_bounded() -> None:
    with pytest.raises(NotFound) as refused:
        Scope(ALL, ALL).asking(["x" * 1000 + str(number) for number in range(1000)])
    assert "x" * 65 not in refused.value.message
    assert len(refused.value.message) < 600
