"""Claims and policy to grants: each word gives what it says, and nothing else gives anything."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.grants import name_of, viewer_of_claims, words_of_claim
from access.scope import AccessLevel, Viewer
from config.access_file import VERBS, WORDS, AccessRules, ErnPolicy
from model.erns import ERNS, Networks

FULL, PSEUDONYMISED, COUNTS, NONE = (
    AccessLevel.FULL,
    AccessLevel.PSEUDONYMISED,
    AccessLevel.COUNTS,
    AccessLevel.NONE,
)
HERE = ("ERN-EYE", "ERN-RND", "VASCERN")
CLOSED = AccessRules(ErnPolicy(others="none"))


def viewer(claim: Any, rules: AccessRules = CLOSED, **more: Any) -> Viewer:
    return viewer_of_claims({"sub": "anna", "ern_grants": claim, **more}, rules, HERE, "groups")


def test_the_documented_claim() -> None:
    claim = {
        "ERN-EYE": ["full", "annotate", "upload", "export"],
        "ERN-RND": ["pseudonymised"],
        "VASCERN": ["counts"],
    }
    found = viewer(claim)
    assert [found.access_to(ern) for ern in HERE] == [FULL, PSEUDONYMISED, COUNTS]
    assert [grant.verbs for grant in found.grants] == [("annotate", "upload", "export"), (), ()]


@pytest.mark.parametrize(
    "claim",
    [
        None, "full", 1, True, [], ["full"], [["ERN-EYE", "full"]], {},
        {"ERN-EYE": "full"}, {"ERN-EYE": None}, {"ERN-EYE": {"full": True}}, {"ERN-EYE": [True]},
        {"ERN-EYE": ["full", 1]}, {"ERN-EYE": [["full"]]}, {"ERN-EYE": ["full"], "ERN-RND": "full"},
        {"*": ["full"]}, {"": ["full"]}, {"ern-eye": ["full"]}, {"ERN-EYE ": ["full"]}, {"ERN": ["full"]},
        {"ERN-EYE": ["FULL"]}, {"ERN-EYE": ["full "]}, {"ERN-EYE": ["full,admin"]}, {"ERN-EYE": ["*"]},
        {"ERN-EYE": ["none"]}, {"ERN-EYE": []},
    ],
)  # fmt: skip
def test_what_gives_nothing(claim: Any) -> None:
    assert viewer(claim).grants == ()


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        (["full"], False), (["pseudonymised", "annotate"], False), (["upload"], False), ([], True),
        (["counts"], True), (["pseudonymised"], True), (["pseudonymised", "export", "admin"], True),
    ],
)  # fmt: skip
def test_consent_to_research_is_needed_for_who_is_no_member(words: list[str], needed: bool) -> None:
    open_rules = AccessRules(ErnPolicy(others="pseudonymised"))
    found = viewer({"ERN-EYE": words, "VASCERN": ["full"]}, open_rules)
    assert found.needs_consent("ERN-EYE") is needed
    assert found.consent_needed - {"ERN-EYE"} == {"ERN-RND"}
    without = AccessRules(ErnPolicy(others="pseudonymised", research_consent=False))
    assert viewer({"ERN-EYE": words}, without).consent_needed == frozenset()


def test_an_unknown_word_takes_nothing_away() -> None:
    assert viewer({"ERN-EYE": ["full", "fly"], "ERN-X": ["full"]}).access_to("ERN-EYE") is FULL


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([*WORDS, *ERNS]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*ERNS]) | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(json_values)
def test_no_claim_gives_more_than_its_words(claim: Any) -> None:
    for grant in viewer(claim).grants:
        words = claim[grant.ern]
        assert grant.access is NONE or grant.access.value.lower() in words
        assert set(grant.verbs) <= set(words) & set(VERBS)
    for ern, words in words_of_claim(claim).items():
        assert words <= set(claim[ern])


@pytest.mark.parametrize(
    ("policy", "words", "level"),
    [
        (ErnPolicy(), [], COUNTS),
        (ErnPolicy(), ["counts"], COUNTS),
        (ErnPolicy(), ["full"], FULL),
        (ErnPolicy(), ["counts", "full", "pseudonymised"], FULL),
        (ErnPolicy(), ["export"], COUNTS),
        (ErnPolicy("pseudonymised", "none"), ["full"], PSEUDONYMISED),
        (ErnPolicy("pseudonymised", "none"), ["counts"], COUNTS),
        (ErnPolicy("counts", "none"), ["full"], COUNTS),
        (ErnPolicy("none", "none"), ["full"], NONE),
        (ErnPolicy("full", "none"), [], NONE),
        (ErnPolicy("full", "pseudonymised"), [], PSEUDONYMISED),
        (ErnPolicy("full", "pseudonymised"), ["counts"], PSEUDONYMISED),
    ],
)
def test_a_policy_holds_members_down_and_others_up(
    policy: ErnPolicy, words: list[str], level: AccessLevel
) -> None:
    rules = AccessRules(ErnPolicy("none", "none"), {"ERN-EYE": policy})
    found = viewer({"ERN-EYE": words, "ERN-RND": ["full"]}, rules)
    assert found.access_to("ERN-EYE") is level
    assert found.access_to("ERN-RND") is NONE


GROUPS = AccessRules(
    ErnPolicy(others="none"),
    groups={
        "/eye/doctors": {"ERN-EYE": ("full",)},
        "curators": {"ERN-EYE": ("export",), "VASCERN": ("counts",)},
    },
)


def test_groups_add_to_the_claim() -> None:
    found = viewer({"ERN-RND": ["full"]}, GROUPS, groups=["/eye/doctors", "curators", "strangers"])
    assert [(grant.ern, grant.access, grant.verbs) for grant in found.grants] == [
        ("ERN-EYE", FULL, ("export",)),
        ("ERN-RND", FULL, ()),
        ("VASCERN", COUNTS, ()),
    ]


@pytest.mark.parametrize("groups", [None, 7, {"curators": True}, ["curators", 7], ["Curators"], [""], "eye"])
def test_groups_of_another_shape_give_nothing(groups: Any) -> None:
    assert viewer(None, GROUPS, groups=groups).grants == ()


def test_groups_count_only_where_they_are_named() -> None:
    claims = {"sub": "anna", "groups": ["curators"], "realm_access": {"roles": ["curators"]}}
    assert viewer_of_claims(claims, GROUPS, HERE).grants == ()
    assert len(viewer_of_claims(claims, GROUPS, HERE, "realm_access.roles").grants) == 2
    assert viewer_of_claims(claims, GROUPS, HERE, "realm_access.nothing.at.all").grants == ()
    url = {"sub": "anna", "https://ern.example.org/groups": "curators"}
    assert len(viewer_of_claims(url, GROUPS, HERE, "https://ern.example.org/groups").grants) == 2


def test_only_erns_of_the_federation_are_listed() -> None:
    found = viewer({"ERN-LUNG": ["full"], "ERN-EYE": ["full"]}, AccessRules())
    assert [grant.ern for grant in found.grants] == list(HERE)


@given(st.dictionaries(st.sampled_from(["name", "preferred_username"]), json_values))
def test_a_name_is_one_line_or_none(claims: dict[str, Any]) -> None:
    name = name_of(claims)
    assert name is None or (0 < len(name) <= 200 and name.isprintable())


def test_names() -> None:
    assert name_of({"name": "  ", "preferred_username": "anna"}) == "anna"
    assert name_of({"name": f"Anna\n\x1b[31m{string.ascii_letters}"}) == f"Anna[31m{string.ascii_letters}"


def test_a_declared_network_is_granted_like_an_ern() -> None:
    claims = {"sub": "anna", "ern_grants": {"NORDIC-LUNG": ["full", "admin"], "NOWHERE": ["full"]}}
    declared = AccessRules(networks=Networks({"NORDIC-LUNG": "Nordic lung network"}))
    granted = viewer_of_claims(claims, declared, ["NORDIC-LUNG", "NOWHERE"]).grants
    assert [(each.ern, each.access, each.verbs) for each in granted] == [
        ("NORDIC-LUNG", AccessLevel.FULL, ("admin",)),
        ("NOWHERE", AccessLevel.COUNTS, ()),
    ]
    (unknown,) = viewer_of_claims(claims, AccessRules(), ["NORDIC-LUNG"]).grants
    assert (unknown.access, unknown.verbs) == (AccessLevel.COUNTS, ())
