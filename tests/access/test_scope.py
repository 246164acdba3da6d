"""The reach: who sees which archives, in rank order, and which projection of them."""

import pytest

from access.scope import AccessLevel, Grant, Projection, ScopedArchive, Viewer, access_scope_of, everyone_here

EYE, RND, VASCERN = (
    ScopedArchive(7, "eye", "ERN-EYE"),
    ScopedArchive(3, "rnd", "ERN-RND"),
    ScopedArchive(5, "vas", "VASCERN"),
)
ALL = (EYE, RND, VASCERN)


def viewer(**access: AccessLevel) -> Viewer:
    erns = {"eye": "ERN-EYE", "rnd": "ERN-RND", "vas": "VASCERN"}
    return Viewer("s", None, tuple(Grant(erns[code], level) for code, level in access.items()))


@pytest.mark.parametrize(
    ("level", "pseudonymised", "counted"),
    [
        (AccessLevel.NONE, [], []),
        (AccessLevel.COUNTS, [], [3]),
        (AccessLevel.PSEUDONYMISED, [3], []),
    ],
)
def test_only_full_access_sees_records(
    level: AccessLevel, pseudonymised: list[int], counted: list[int]
) -> None:
    access_scope = access_scope_of(viewer(eye=AccessLevel.FULL, rnd=level), ALL)
    assert access_scope.full_ids == [7]
    assert access_scope.pseudonymised_ids == pseudonymised
    assert access_scope.counted_ids == counted


def test_nobody_sees_nothing() -> None:
    access_scope = access_scope_of(Viewer("s", None, ()), ALL)
    assert access_scope.full_ids == access_scope.pseudonymised_ids == access_scope.counted_ids == []
    assert [scope.projection for scope in access_scope.scopes] == [Projection.IDENTIFIED]
    assert viewer().access_to("ERN-EYE") is AccessLevel.NONE


def test_everyone_here_sees_everything_in_rank_order() -> None:
    access_scope = access_scope_of(everyone_here(["VASCERN", "ERN-EYE", "ERN-RND", "ERN-EYE"]), ALL)
    assert access_scope.full_ids == [7, 3, 5]
    assert access_scope.records.asks_everything
    grants = everyone_here(["VASCERN", "ERN-EYE", "ERN-EYE"]).grants
    assert [grant.ern for grant in grants] == ["ERN-EYE", "VASCERN"]


def test_consent_is_needed_where_the_viewer_is_no_member() -> None:
    asking = Viewer("s", None, viewer(rnd=AccessLevel.PSEUDONYMISED).grants, frozenset({"ERN-RND"}))
    assert access_scope_of(asking, ALL).consented_ids == [3]
    assert access_scope_of(viewer(rnd=AccessLevel.PSEUDONYMISED), ALL).consented_ids == []
