"""[[network]] of archives.toml: networks beside the 24 ERNs, and each mistake with its line."""

from pathlib import Path

import pytest

from config.access_file import load_access_rules
from config.archive_input import ArchiveInputError, archive_of_input, secret_prefix
from config.archives_file import ArchivesFileError, load_archives
from config.networks_file import load_networks
from config.pseudonym_keys import PseudonymKeysError, load_pseudonym_keys
from model.erns import ERNS, ERNS_ALONE, Networks, clash

NETWORK = '[[network]]\ncode = "NORDIC-LUNG"\ntitle = "Nordic lung network"\n'
ARCHIVE = '[[archive]]\ncode = "oslo"\nern = "{}"\ntitle = "Oslo"\nkind = "folder"\npath = "oslo"\n'


def written(folder: Path, text: str) -> Path:
    file = folder / "archives.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("spelling", ["NORDIC-LUNG", "Nordic Lung", "nordic-lung", "ERN eye", "VASCERN"])
@pytest.mark.parametrize("first", [True, False])
def test_an_archive_may_be_of_it(tmp_path: Path, spelling: str, first: bool) -> None:
    archive = ARCHIVE.format(spelling)
    (config,) = load_archives(written(tmp_path, NETWORK + archive if first else archive + NETWORK))
    assert config.ern == {"ERN eye": "ERN-EYE", "VASCERN": "VASCERN"}.get(spelling, "NORDIC-LUNG")


def test_policies_and_groups_may_name_it(tmp_path: Path) -> None:
    more = '[policy.nordic-lung]\nothers = "none"\n[groups.oslo]\nNORDIC-LUNG = ["full"]\n'
    rules = load_access_rules(written(tmp_path, NETWORK + ARCHIVE.format("NORDIC-LUNG") + more))
    assert rules.policy_of("NORDIC-LUNG").others == "none"
    assert rules.groups == {"oslo": {"NORDIC-LUNG": ("full",)}}
    assert rules.networks.titles == ERNS | {"NORDIC-LUNG": "Nordic lung network"}
    with pytest.raises(ArchivesFileError, match=r"policy\.nordic-lung: expected one of the 24 ERNs"):
        load_access_rules(written(tmp_path, ARCHIVE.format("ERN-EYE") + more))


def network(code: str, title: str = '"T"', more: str = "") -> str:
    return f"[[network]]\ncode = {code}\ntitle = {title}\n{more}"


MISTAKES: dict[str, tuple[str, str]] = {
    "an unknown one": (
        NETWORK + ARCHIVE.format("NORDIC-LUNGS"),
        'archives.toml:6: archive "oslo": ern: expected "NORDIC-LUNG" or another code of a [[network]], or one of'
        ' the 24 ERNs, got "NORDIC-LUNGS"',
    ),
    "small letters": (network('"nordic"'), "archives.toml:2: network: code: expected capital letters"),
    "a hyphen at the end": (network('"NORDIC-"'), "archives.toml:2: network: code: expected capital letters"),
    "too long": (network(f'"{"N" * 41}"'), "archives.toml:2: network: code: expected capital letters"),
    "no text": (network("7"), "archives.toml:2: network: code: expected capital letters"),
    "no code": ('[[network]]\ntitle = "T"\n', "archives.toml:1: network: code: expected capital letters"),
    "no title": (
        '[[network]]\ncode = "N"\n',
        "archives.toml:1: network: title: expected its name for people",
    ),
    "an empty title": (
        network('"N"', '" "'),
        "archives.toml:3: network: title: expected its name for people",
    ),
    "an unknown key": (
        network('"N"', more='url = "x"\n'),
        'archives.toml:4: network: url: unknown key; a network has "code" and "title"',
    ),
    "twice": (network('"N"') + network('"N"'), "archives.toml:5: network: code: is declared twice"),
    "an ERN": (network('"ERN-EYE"'), "archives.toml:2: network: code: could be taken for the ERN ERN-EYE"),
    "an ERN, spelt otherwise": (
        network('"ERNEYE"'),
        "archives.toml:2: network: code: could be taken for the ERN ERN-EYE",
    ),
    "begins like an ERN": (
        network('"ERN-EYE-NORTH"'),
        "archives.toml:2: network: code: could be taken for the ERN ERN-EYE",
    ),
    "an ERN begins like it": (
        network('"ERN"'),
        "archives.toml:2: network: code: could be taken for the ERN ERN-BOND",
    ),
    "begins like another": (
        network('"NORDIC"') + network('"NORDIC-LUNG"'),
        "archives.toml:5: network: code: could be taken for the network NORDIC",
    ),
    "one bracket": (
        '[network]\ncode = "N"\n',
        "archives.toml:1: network: write [[network]], with two brackets",
    ),
    "no table": ("network = 1\n", "archives.toml:1: network: write [[network]], with two brackets"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(tmp_path: Path, name: str) -> None:
    text, expected = MISTAKES[name]
    text = text if "[[archive]]" in text else text + ARCHIVE.format("ERN-EYE")
    with pytest.raises(ArchivesFileError) as caught:
        load_archives(written(tmp_path, text))
    (said,) = str(caught.value).splitlines()
    assert said.startswith(expected)


def test_no_file_declares_none(tmp_path: Path) -> None:
    assert load_networks(tmp_path / "none.toml") == ERNS_ALONE
    assert load_networks(written(tmp_path, "[[network")) == ERNS_ALONE


def test_no_two_erns_clash() -> None:
    assert not [(one, other) for one in ERNS for other in ERNS if one != other and clash(one, other)]


def test_over_the_api_too() -> None:
    table = {
        "code": "oslo",
        "ern": "nordic lung",
        "title": "Oslo",
        "kind": "orthanc",
        "url": "http://a/dicom-web",
    }
    networks = Networks({"NORDIC-LUNG": "Nordic"})
    assert archive_of_input(table, None, networks).ern == "NORDIC-LUNG"
    assert secret_prefix("NORDIC-LUNG") == "ARCHIVE_SECRET_NORDIC_LUNG_"
    with pytest.raises(ArchiveInputError, match="ern: expected one of the 24 ERNs"):
        archive_of_input(table, None, ERNS_ALONE)


def test_it_has_keys_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    key = "00" * 31 + "01"
    file.write_text(
        f'{{"NORDIC-LUNG": [{{"id": "k1", "key": "{key}", "since": "2020-01-01"}}]}}', encoding="utf-8"
    )
    file.chmod(0o600)
    assert load_pseudonym_keys(file, Networks({"NORDIC-LUNG": "Nordic"})).keys[0].ern == "NORDIC-LUNG"
    with pytest.raises(PseudonymKeysError, match="'NORDIC-LUNG' is no ERN code"):
        load_pseudonym_keys(file)
