"""From the claims of an access token to a Viewer. No token is checked here, and nothing is read or written.

A claim can only ever give: an unknown word or ERN gives nothing, and a claim of another shape gives
nothing at all. What remains is held against the policy of each ERN (config/access_file.py).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from access.scope import AccessLevel, Grant, Viewer
from config.access_file import VERBS, WORDS, AccessRules
from model.erns import ERNS_ALONE, Networks

CLAIM = "ern_grants"
"""`{"ERN-EYE": ["full", "annotate"], "VASCERN": ["counts"]}`"""

MEMBERS_WORDS = frozenset({"full", "annotate", "upload"})

Words = dict[str, frozenset[str]]
"""What a person was granted: ERN → words."""

_LEVELS = {level.value.lower(): level for level in AccessLevel}  # from NONE to FULL
_MOST_GROUPS = 1000
_NAME_LENGTH = 200


def viewer_of_claims(
    claims: Mapping[str, Any], rules: AccessRules, erns: Iterable[str], groups_claim: str | None = None
) -> Viewer:
    """Who the claims of a checked token are: a grant for each of `erns` that lets them see or do anything.

    groups_claim: name of the claim that holds names of groups; None where groups give nothing.
    """
    words = granted_words(claims, rules, groups_claim)
    # Who administers an ERN may add its first archive.
    here = sorted({*erns, *(ern for ern, given in words.items() if "admin" in given)})
    grants = (_grant(ern, words.get(ern, frozenset()), rules) for ern in here)
    kept = tuple(grant for grant in grants if grant.access is not AccessLevel.NONE or grant.verbs)
    strangers = (ern for ern in here if not is_member(words.get(ern, frozenset())))
    needed = frozenset(ern for ern in strangers if rules.policy_of(ern).research_consent)
    return Viewer(str(claims["sub"]), name_of(claims), kept, needed)


def is_member(words: frozenset[str]) -> bool:
    """Who takes part in an ERN's care: the word full, annotate or upload. Who may only count, look at
    pseudonyms, export or administer is no member; patients' consent to research is asked for them."""
    return not words.isdisjoint(MEMBERS_WORDS)


def granted_words(claims: Mapping[str, Any], rules: AccessRules, groups_claim: str | None) -> Words:
    """The words of the claim `ern_grants` and of the person's groups, together."""
    words = words_of_claim(claims.get(CLAIM), rules.networks)
    names = _groups(_claim_at(claims, groups_claim)) if groups_claim else ()
    for name in names:
        for ern, more in rules.groups.get(name, {}).items():
            words[ern] = words.get(ern, frozenset()) | frozenset(more)
    return words


def words_of_claim(claim: object, networks: Networks = ERNS_ALONE) -> Words:
    """The known words by known network; nothing when any part of the claim is not as it should be."""
    if not isinstance(claim, dict):
        return {}
    if not all(
        isinstance(words, list) and all(isinstance(w, str) for w in words) for words in claim.values()
    ):
        return {}
    found = {ern: frozenset(words).intersection(WORDS) for ern, words in claim.items() if ern in networks}
    return {ern: words for ern, words in found.items() if words}


def name_of(claims: Mapping[str, Any]) -> str | None:
    """The name for people, in one line."""
    for claim in ("name", "preferred_username"):
        name = claims.get(claim)
        if isinstance(name, str) and (shown := "".join(c for c in name if c.isprintable()).strip()):
            return shown[:_NAME_LENGTH]
    return None


def _grant(ern: str, words: frozenset[str], rules: AccessRules) -> Grant:
    """Members see what their words say, at most `members`; nobody signed in sees less than `others`."""
    policy = rules.policy_of(ern)
    said = max((_rank(word) for word in words if word in _LEVELS), default=0)
    rank = max(min(said, _rank(policy.members)), _rank(policy.others))
    return Grant(ern, list(AccessLevel)[rank], tuple(verb for verb in VERBS if verb in words))


def _rank(word: str) -> int:
    return list(_LEVELS).index(word)


def _groups(claim: object) -> tuple[str, ...]:
    if isinstance(claim, str):
        return (claim,)  # some providers write a single group without a list
    if isinstance(claim, list) and len(claim) <= _MOST_GROUPS and all(isinstance(g, str) for g in claim):
        return tuple(claim)
    return ()


def _claim_at(claims: Mapping[str, Any], name: str) -> object:
    """The claim of that name; else a path into claims (`realm_access.roles`)."""
    if name in claims:
        return claims[name]
    found: object = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
