"""The vocabulary against pydicom's context groups, and the spellings that people write."""

from typing import Any

import pytest
from pydicom.sr._cid_dict import cid_concepts
from pydicom.sr._concepts_dict import concepts

from model import vocabulary_terms, vocabulary_words
from model.errors import BadInput
from model.vocabulary import Code, Coded, code_of, codes, find, key, terms

_GROUPS = [(Coded.BODY_PART, 4), (Coded.MODALITY, 29), (Coded.MODALITY, 33), (Coded.LATERALITY, 244)]


def context_group(cid: int) -> list[tuple[str, str, str]]:
    """(code, scheme, meaning) of every concept of a context group, as pydicom carries it."""
    known: Any = concepts
    return [
        (value, scheme, meaning)
        for scheme, names in cid_concepts[cid].items()
        for name in names
        for value, (meaning, cids) in known[scheme][name].items()
        if cid in cids
    ]


@pytest.mark.parametrize(("of", "cid"), _GROUPS)
def test_every_code_of_the_context_groups_is_there_and_round_trips(of: Coded, cid: int) -> None:
    group = context_group(cid)
    assert len(group) >= 4
    for value, scheme, meaning in group:
        known = code_of(of, value)
        assert known is not None, (value, meaning)
        assert known.scheme == scheme
        assert find(of, value) == find(of, f"{scheme}:{value}") == known
        if meaning != "Hip":  # the defined term HIP is the hip joint
            assert find(of, meaning) == known
            assert terms(of)[key(meaning)] == value


@pytest.mark.parametrize("of", Coded)
def test_every_code_round_trips(of: Coded) -> None:
    for value, known in codes(of).items():
        assert code_of(of, value) == known == find(of, value)
        if known.meaning != "Hip":
            assert find(of, known.meaning) == known


def test_defined_terms_of_body_parts_are_code_strings_and_unique() -> None:
    """Each of Annex L's terms fits a CS and means one code."""
    seen: dict[str, str] = {}
    for line in vocabulary_terms.ANATOMIC_REGIONS.strip().splitlines():
        value, named, _ = line.split(" ", 2)
        for term in named.split("+") if named != "-" else ():
            assert len(term) <= 16
            assert term.isupper()
            assert seen.setdefault(term, value) == value
            assert find(Coded.BODY_PART, term).value == value
    assert len(seen) > 280


@pytest.mark.parametrize(
    "table",
    [vocabulary_words.BODY_PARTS, vocabulary_words.MODALITIES, vocabulary_words.LATERALITIES],
)
def test_no_word_is_shadowed(table: str) -> None:
    """A word that already means another code would never be found as written."""
    of = {
        vocabulary_words.BODY_PARTS: Coded.BODY_PART,
        vocabulary_words.MODALITIES: Coded.MODALITY,
        vocabulary_words.LATERALITIES: Coded.LATERALITY,
    }[table]
    for line in table.strip().replace(",\n  ", ", ").splitlines():
        named, _, said = line.partition(":")
        for word in said.split(","):
            assert word.strip(), line
            assert find(of, word) == find(of, named), word


SPELLINGS = [
    # as written, code, meaning
    ("CHEST", "816094009", "Thorax"),
    ("Chest", "816094009", "Thorax"),
    (" chest ", "816094009", "Thorax"),
    ("thorax", "816094009", "Thorax"),
    ("Tórax", "816094009", "Thorax"),
    ("θώρακας", "816094009", "Thorax"),
    ("ABDOMEN^PELVIS", "818982008", "Abdomen and pelvis"),
    ("abdomen/pelvis", "818982008", "Abdomen and pelvis"),
    ("ABD_PEL", "818982008", "Abdomen and pelvis"),
    ("Schädel", "89546000", "Skull"),
    ("SCHAEDEL", "89546000", "Skull"),
    ("Schadel", "89546000", "Skull"),
    ("genou", "72696002", "Knee"),
    ("GENOUX", "72696002", "Knee"),
    ("Fuß", "56459004", "Foot"),
    ("FUSS", "56459004", "Foot"),
    ("L-SPINE", "122496007", "Lumbar spine"),
    ("LSPINE", "122496007", "Lumbar spine"),
    ("HWS", "122494005", "Cervical spine"),
    ("œil", "81745001", "Eye"),
    ("głowa", "69536005", "Head"),
    ("HIP", "24136001", "Hip joint"),
    ("Head and Neck", "774007", "Head and neck"),
    ("WHOLE BODY", "38266002", "Entire body"),
]


@pytest.mark.parametrize(("text", "value", "meaning"), SPELLINGS)
def test_spellings(text: str, value: str, meaning: str) -> None:
    assert find(Coded.BODY_PART, text) == Code(value, "SCT", meaning)


@pytest.mark.parametrize(
    ("text", "value"), [("MRI", "MR"), ("irm", "MR"), ("PET", "PT"), ("ST", "NM"), ("TDM", "CT")]
)
def test_modalities(text: str, value: str) -> None:
    assert find(Coded.MODALITY, text).value == value


@pytest.mark.parametrize(("text", "value"), [("R", "24028007"), ("links", "7771000"), ("both", "51440002")])
def test_lateralities(text: str, value: str) -> None:
    assert find(Coded.LATERALITY, text).value == value


@pytest.mark.parametrize(
    "text", ["", "OTHER", "UNKNOWN", "Brust", "1.2.3", "^", "DCM:69536005", "山", "\U0001f9e0"]
)
def test_what_is_not_known_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="no code, term or word"):
        find(Coded.BODY_PART, text)


def test_a_slip_is_answered_with_near_words() -> None:
    with pytest.raises(BadInput, match=r"Did you mean Thorax \(816094009\)"):
        find(Coded.BODY_PART, "tohrax")
