"""[policy] and [groups] of archives.toml: what they say, and each mistake with its line."""

from pathlib import Path

import pytest

from config.access_file import AccessRules, ErnPolicy, load_access_rules
from config.archives_file import ArchivesFileError, load_archives

ARCHIVE = """
[[archive]]
code = "eye"
ern = "ERN-EYE"
title = "Eye"
kind = "folder"
path = "eye"
"""


def rules(folder: Path, text: str) -> AccessRules:
    file = folder / "archives.toml"
    file.write_text(text, encoding="utf-8")
    return load_access_rules(file)


def test_without_tables_the_defaults_hold(tmp_path: Path) -> None:
    found = rules(tmp_path, ARCHIVE)
    assert found.policy_of("ERN-EYE") == ErnPolicy("full", "counts")
    assert found.groups == {}
    assert found == AccessRules()


def test_no_file_has_no_rules(tmp_path: Path) -> None:
    """The defaults may be more open than what the file said before it went."""
    with pytest.raises(ArchivesFileError):
        load_access_rules(tmp_path / "none.toml")


def test_all_tables_beside_archives(tmp_path: Path) -> None:
    text = (
        ARCHIVE
        + """
[policy]
others = "none"
[policy.ERN-EYE]
members = "pseudonymised"
[policy."Endo-ERN"]
others = "pseudonymised"

[groups]
"/eye/doctors" = { ERN-EYE = ["full", "annotate"], "ern rnd" = ["counts"] }
[groups.curators]
VASCERN = ["export"]
"""
    )
    found = rules(tmp_path, text)
    assert found.policy_of("VASCERN") == ErnPolicy("full", "none")
    assert found.policy_of("ERN-EYE") == ErnPolicy("pseudonymised", "none")
    assert found.policy_of("ENDO-ERN") == ErnPolicy("full", "pseudonymised")
    assert found.groups == {
        "/eye/doctors": {"ERN-EYE": ("full", "annotate"), "ERN-RND": ("counts",)},
        "curators": {"VASCERN": ("export",)},
    }
    assert found.small_counts == {}
    assert [each.code for each in load_archives(tmp_path / "archives.toml")] == ["eye"]


def test_consent_and_small_counts(tmp_path: Path) -> None:
    found = rules(
        tmp_path,
        "[policy]\nresearch_consent = false\n[policy.ERN-EYE]\nresearch_consent = true\n"
        "[policy.VASCERN]\nsmall_count = 25\n",
    )
    assert found.policy_of("ERN-EYE").research_consent
    assert not found.policy_of("VASCERN").research_consent
    assert not found.policy_of("ERN-RND").research_consent
    assert found.small_counts == {"VASCERN": 25}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[policy]\nmembers = "all"', 'archives.toml:2: policy.members: expected "none" or "counts" or'),
        ('[policy]\nmember = "full"', 'archives.toml:2: policy.member: unknown key; did you mean "members"?'),
        ("[policy]\nothers = true", "archives.toml:2: policy.others: expected"),
        ('[policy]\nresearch_consent = "yes"', "archives.toml:2: policy.research_consent: expected true or"),
        ("[policy]\nsmall_count = 9", "archives.toml:2: policy.small_count: only in [policy.<ERN>]"),
        (
            "[policy.VASCERN]\nsmall_count = 0",
            "archives.toml:2: policy.VASCERN.small_count: expected a whole",
        ),
        (
            "[policy.VASCERN]\nsmall_count = true",
            "policy.VASCERN.small_count: expected a whole number from 1",
        ),
        ('policy = "open"', "archives.toml:1: policy: expected a table"),
        ('\n[policy.ERN-EY]\nothers = "none"', "archives.toml:2: policy.ERN-EY: expected one of the 24 ERNs"),
        ('[policy.ERN-EYE]\n\nothers = "some"', "archives.toml:3: policy.ERN-EYE.others: expected"),
        ('[policy]\nmembers = "counts"\nothers = "full"', "archives.toml:3: policy.others: expected no more"),
        ('[policy.ERN-EYE]\n[policy."ERN EYE"]\n', "archives.toml:2: policy.ERN EYE: ERN-EYE has a policy"),
        ('[groups]\ndoctors = "full"', "archives.toml:2: groups.doctors: expected a table"),
        ('[groups.doctors]\nERN-EYE = "full"', "archives.toml:2: groups.doctors.ERN-EYE: expected a list"),
        ('[groups.doctors]\nERN-EYE = ["ful"]', 'did you mean "full"?'),
        ('[groups.doctors]\nERN-EYE = [["full"]]', "archives.toml:2: groups.doctors.ERN-EYE: expected words"),
        ('[groups.doctors]\nEYES = ["full"]', "archives.toml:2: groups.doctors.EYES: expected one of the 24"),
        ('[groups]\ndoctors = { EYES = ["full"] }', "archives.toml:2: groups.doctors.EYES: expected one of"),
        ("groups = []", "archives.toml:1: groups: expected a table"),
        ("[policy", "archives.toml: cannot be read"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ArchivesFileError) as told:
        rules(tmp_path, text)
    assert message in str(told.value)


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    with pytest.raises(ArchivesFileError) as told:
        rules(tmp_path, "[policy]\nmembers = 1\nothers = 2\n[groups.a]\nX = 1\n")
    assert [line.split(":")[1] for line in str(told.value).splitlines()] == ["2", "3", "5", "5"]
