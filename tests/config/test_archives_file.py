"""archives.toml: what is read from it, and a table of mistakes with the line that each must give."""

from dataclasses import fields
from pathlib import Path

import pytest

from config.archives_file import ArchiveConfig, ArchivesFileError, load_archives

GOOD = """\
[[archive]]
code = "eye"
ern = "ERN eye"
title = "Eye"
kind = "orthanc"
url = "http://127.0.0.1:8042/dicom-web/"
"""
EXAMPLE = Path(__file__).parents[2] / "config" / "archives.example.toml"


def load(tmp_path: Path, text: str) -> list[ArchiveConfig]:
    file = tmp_path / "archives.toml"
    file.write_text(text, encoding="utf-8")
    return load_archives(file)


def test_defaults_and_normal_forms(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD) == [
        ArchiveConfig("eye", "ERN-EYE", "Eye", "orthanc", url="http://127.0.0.1:8042/dicom-web")
    ]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("60s", 60), ("5m", 300), ("6h", 21600), ("1d", 86400), ("0.5s", 0.5), ("1.5h", 5400)],
)
def test_durations(tmp_path: Path, written: str, seconds: float) -> None:
    assert load(tmp_path, f'{GOOD}sync_every = "{written}"\n')[0].sync_every == seconds


def test_order_is_kept_and_a_path_is_from_the_files_folder(tmp_path: Path) -> None:
    more = '[[archive]]\ncode = "a"\nern = "VASCERN"\ntitle = "A"\nkind = "folder"\npath = "files/a"\n'
    configs = load(tmp_path, GOOD + more)
    assert [config.code for config in configs] == ["eye", "a"]
    assert configs[1].path == tmp_path / "files" / "a"


def test_passwords_come_from_the_environment_or_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = GOOD + 'username = "ernfed"\npassword_env = "EYE_PASSWORD"\n'
    monkeypatch.setenv("EYE_PASSWORD", "from the environment")
    assert load(tmp_path, text)[0].password() == "from the environment"
    monkeypatch.delenv("EYE_PASSWORD")
    (
        (
            GOOD + "removal_limit = 2\n",
            [
                'archives.toml:7: archive "eye": removal_limit: expected a share up to 1, such as 0.2, got 2',
            ],
        ),
    )
    (tmp_path / "secret").write_text("from a file\n", encoding="utf-8")
    monkeypatch.setenv("EYE_PASSWORD_FILE", str(tmp_path / "secret"))
    assert load(tmp_path, text)[0].password() == "from a file"
    monkeypatch.setenv("EYE_PASSWORD_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(ArchivesFileError, match="EYE_PASSWORD_FILE names a file that cannot be read"):
        load(tmp_path, text)


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


URL = 'url = "http://127.0.0.1:8042/dicom-web/"'

MISTAKES: dict[str, tuple[str, list[str]]] = {
    "number for a duration": (
        GOOD + "timeout = 5\n",
        ['archives.toml:7: archive "eye": timeout: expected a duration such as "5s", got 5'],
    ),
    "duration without unit": (
        GOOD + '\n# a remark\ntimeout = "5"\n',
        ['archives.toml:9: archive "eye": timeout: expected a duration such as "5s", got "5"'],
    ),
    "no time at all": (
        GOOD + 'timeout = "0s"\n',
        ['archives.toml:7: archive "eye": timeout: expected a duration such as "5s", got "0s"'],
    ),
    "unknown key, near one known": (
        GOOD + 'sync_evry = "5s"\n',
        ['archives.toml:7: archive "eye": sync_evry: unknown key; did you mean "sync_every"?'],
    ),
    "unknown key": (GOOD + "zzz = 1\n", ['archives.toml:7: archive "eye": zzz: unknown key']),
    "unknown ERN": (
        changed("ERN eye", "ERN-EYES"),
        [
            'archives.toml:3: archive "eye": ern: expected one of the 24 ERNs such as "ERN-EYE",'
            ' or the code of a [[network]], got "ERN-EYES"'
        ],
    ),
    "bad code": (
        changed('"eye"', '"Eye 1"'),
        [
            'archives.toml:2: archive "Eye 1": code: expected lower-case letters, digits and hyphens,'
            ' got "Eye 1"'
        ],
    ),
    "bad kind": (
        changed('"orthanc"', '"pacs"'),
        ['archives.toml:5: archive "eye": kind: expected "orthanc" or "dicomweb" or "folder", got "pacs"'],
    ),
    "bad index": (
        GOOD + 'index = "frame"\n',
        ['archives.toml:7: archive "eye": index: expected "study" or "series" or "instance", got "frame"'],
    ),
    "bad url": (
        changed("http://", "ftp://"),
        [
            'archives.toml:6: archive "eye": url: expected an http:// or https:// URL,'
            ' got "ftp://127.0.0.1:8042/dicom-web/"'
        ],
    ),
    "credentials in the url": (
        changed("http://", "http://ann:secret@"),
        [
            'archives.toml:6: archive "eye": url: expected a URL without credentials, ? and # (use username'
            ' and password_env), got "http://…@127.0.0.1:8042/dicom-web/"'
        ],
    ),
    "orthanc's root instead of its DICOMweb root": (
        changed("8042/dicom-web/", "8042"),
        [
            'archives.toml:6: archive "eye": url: expected Orthanc\'s DICOMweb root, such as'
            " http://host:8042/dicom-web"
        ],
    ),
    "no url": (
        changed(URL, ""),
        ['archives.toml:1: archive "eye": url: is missing (kind = "orthanc" needs one)'],
    ),
    "folder without path, with url": (
        changed('"orthanc"', '"folder"'),
        [
            'archives.toml:1: archive "eye": path: is missing (kind = "folder" needs one)',
            'archives.toml:6: archive "eye": url: a folder has none; remove it',
        ],
    ),
    "path without folder": (
        GOOD + 'path = "x"\n',
        ['archives.toml:7: archive "eye": path: only for kind = "folder"'],
    ),
    "missing keys": (
        "[[archive]]\n",
        [f"archives.toml:1: archive: {key}: is missing" for key in ("code", "ern", "kind", "title")],
    ),
    "same code twice": (
        GOOD + GOOD,
        ['archives.toml:8: archive "eye": code: expected a code of its own, line 2 has the same'],
    ),
    "variable not set": (
        GOOD + 'username = "x"\npassword_env = "NOT_SET"\n',
        [
            'archives.toml:8: archive "eye": password_env: set the environment variable NOT_SET'
            " (or NOT_SET_FILE)"
        ],
    ),
    "password without user": (
        GOOD + 'password_env = "HOME"\n',
        ['archives.toml:1: archive "eye": username: is missing (password_env is there)'],
    ),
    "too many connections": (
        GOOD + "max_connections = 1000\n",
        ['archives.toml:7: archive "eye": max_connections: expected a number from 1 to 32, got 1000'],
    ),
    "true is no number": (
        GOOD + "page_size = true\n",
        ['archives.toml:7: archive "eye": page_size: expected a number from 1 to 10000, got true'],
    ),
    "list for a text": (
        changed('"Eye"', '["Eye"]'),
        ['archives.toml:4: archive "eye": title: expected a text, got a list'],
    ),
    "single brackets": (
        changed("[[archive]]", "[archive]"),
        ["archives.toml:1: archive: write [[archive]], with two brackets"],
    ),
    "a key outside": (
        "version = 2\n\n[other]\nx = 1\n" + GOOD,
        [
            "archives.toml:1: version: unknown; each archive is a [[archive]] table",
            "archives.toml:3: other: unknown; each archive is a [[archive]] table",
        ],
    ),
    "nothing": ("# later\n", ["archives.toml:1: no [[archive]] table; see config/archives.example.toml"]),
    "several, in the order of their lines": (
        changed('"Eye"', "7").replace("ERN eye", "?") + 'timeout = "x"\n' + GOOD.replace('"eye"', '"EYE"'),
        [
            'archives.toml:3: archive "eye": ern: expected one of the 24 ERNs such as "ERN-EYE",'
            ' or the code of a [[network]], got "?"',
            'archives.toml:4: archive "eye": title: expected a text, got 7',
            'archives.toml:7: archive "eye": timeout: expected a duration such as "5s", got "x"',
            'archives.toml:9: archive "EYE": code: expected lower-case letters, digits and hyphens,'
            ' got "EYE"',
        ],
    ),
    "keys in a multi-line string are none": (
        changed('"Eye"', '"""\ntimeout = 1\n"""') + "timeout = 5\n",
        ['archives.toml:9: archive "eye": timeout: expected a duration such as "5s", got 5'],
    ),
    "not TOML": (
        changed('"Eye"', "Eye"),
        ["archives.toml:4: not TOML: Invalid value"],
    ),
    "a key twice": (GOOD + 'code = "b"\n', ["archives.toml:7: not TOML: Cannot overwrite a value"]),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(tmp_path: Path, name: str) -> None:
    text, expected = MISTAKES[name]
    with pytest.raises(ArchivesFileError) as caught:
        load(tmp_path, text)
    assert str(caught.value).splitlines() == expected


def test_a_password_in_the_file_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ArchivesFileError) as caught:
        load(tmp_path, GOOD + 'password = "hunter2"\n')
    message = str(caught.value)
    assert message.startswith('archives.toml:7: archive "eye": password: secrets are not written here')
    assert "password_env" in message
    assert "hunter2" not in message


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ArchivesFileError, match=r"no such file; copy config/archives\.example\.toml"):
        load_archives(tmp_path / "archives.toml")


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "archives.toml").write_bytes(GOOD.replace("Eye", "Müller").encode("latin-1"))
    with pytest.raises(ArchivesFileError, match="not UTF-8"):
        load_archives(tmp_path / "archives.toml")


def test_inline_tables_are_read_too(tmp_path: Path) -> None:
    text = 'archive = [{code = "a", ern = "VASCERN", title = "A", kind = "folder", path = "x"}]\n'
    assert [config.code for config in load(tmp_path, text)] == ["a"]


def test_the_example_can_be_used_and_shows_every_key() -> None:
    configs = load_archives(EXAMPLE)
    assert {config.kind for config in configs} == {"orthanc", "dicomweb", "folder"}
    text = EXAMPLE.read_text(encoding="utf-8")
    for key in fields(ArchiveConfig):
        assert f"{key.name} " in text, f"{key.name} is not in the example"
