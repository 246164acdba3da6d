"""The file of pseudonym keys: what is refused, which key writes, and that no message holds a key."""

import base64
import json
from datetime import date
from pathlib import Path

import pytest

from config.pseudonym_keys import PseudonymKeysError, derived_key, load_pseudonym_keys

OLD, NEW, OTHER = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2, 3))
ROTATED = {
    "ERN-EYE": [
        {"id": "2027-1", "key": NEW, "since": "2027-01-01"},
        {"id": "2026-1", "key": OLD, "since": "2026-01-01"},
    ]
}


def written(folder: Path, told: object, *, mode: int = 0o600, name: str = "keys.json") -> Path:
    path = folder / name
    path.write_text(told if isinstance(told, str) else json.dumps(told), encoding="utf-8")
    path.chmod(mode)
    return path


def entry(**changes: object) -> dict[str, object]:
    return {"id": "1", "key": OLD, "since": "2026-01-01"} | changes


def test_the_newest_key_that_has_begun_writes(tmp_path: Path) -> None:
    keys = load_pseudonym_keys(written(tmp_path, ROTATED))
    assert keys.writing("ERN-EYE", date(2026, 12, 31)).key_id == "2026-1"
    assert keys.writing("ERN-EYE", date(2027, 1, 1)).key == bytes([2]) * 32
    old = keys.of("ERN-EYE", "2026-1")
    assert old is not None
    assert old.key == bytes([1]) * 32
    assert keys.of("ERN-EYE", "x") is None
    with pytest.raises(PseudonymKeysError, match=r"no key of ERN-EYE that has begun by 2025-12-31"):
        keys.writing("ERN-EYE", date(2025, 12, 31))
    with pytest.raises(PseudonymKeysError, match="no key of ERN-RND"):
        keys.writing("ERN-RND", date(2027, 1, 1))


def test_toml(tmp_path: Path) -> None:
    text = f'[[ERN-EYE]]\nid = "1"\nkey = "{OLD}"\nsince = 2026-01-01\n'
    keys = load_pseudonym_keys(written(tmp_path, text, name="keys.toml"))
    assert keys.writing("ERN-EYE", date(2026, 1, 1)).key_id == "1"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o660])
def test_a_file_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path, ROTATED, mode=mode)
    with pytest.raises(PseudonymKeysError, match=r"mode 0\d{3}\); chmod 600 /"):
        load_pseudonym_keys(path)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ("{", "not JSON"),
        ("[]", "expected an object of ERNs, got list"),
        ("{}", "no key in it"),
        ({"ERN-NOSE": [entry()]}, "'ERN-NOSE' is no ERN code"),
        ({"ERN-EYE": []}, "expected a list"),
        ({"ERN-EYE": entry()}, "expected a list"),
        ({"ERN-EYE": ["x"]}, "expected exactly id, key and since"),
        ({"ERN-EYE": [entry(more=1)]}, "expected exactly id, key and since"),
        ({"ERN-EYE": [entry(id="")]}, "ERN-EYE, key 1: id: expected 1 to 16"),
        ({"ERN-EYE": [entry(since="soon")]}, "since: expected a date"),
        ({"ERN-EYE": [entry(since=5)]}, "since: expected a date"),
        ({"ERN-EYE": [entry(key="!!")]}, "key: expected 32 random bytes"),
        ({"ERN-EYE": [entry(key=5)]}, "key: expected 32 random bytes"),
        ({"ERN-EYE": [entry(key=base64.b64encode(b"short").decode())]}, "key: expected 32 random bytes"),
        ({"ERN-EYE": [entry(), entry(key=NEW, since="2027-01-01")]}, "two keys with the id 1"),
        ({"ERN-EYE": [entry(), entry(key=NEW, id="2")]}, "1 and 2 begin on the same day"),
        ({"ERN-EYE": [entry()], "ERN-RND": [entry()]}, "are the same key"),
    ],
)
def test_mistakes(tmp_path: Path, told: object, message: str) -> None:
    with pytest.raises(PseudonymKeysError) as raised:
        load_pseudonym_keys(written(tmp_path, told))
    assert message in str(raised.value)
    assert OLD not in str(raised.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(PseudonymKeysError, match=r"ERNFED_PSEUDONYM_KEYS_FILE: cannot read .*No such file"):
        load_pseudonym_keys(tmp_path / "none.json")
    with pytest.raises(PseudonymKeysError, match=r"cannot read .*directory"):
        load_pseudonym_keys(tmp_path)


def test_a_key_is_not_printed(tmp_path: Path) -> None:
    keys = load_pseudonym_keys(written(tmp_path, ROTATED))
    assert repr(bytes([1]) * 32) not in repr(keys)


def test_derived_keys() -> None:
    master = bytes(range(32))
    eye, rnd = derived_key(master, "ERN-EYE"), derived_key(master, "ERN-RND")
    assert len(eye.key) == 32
    assert eye.key_id == "db-1"
    assert eye == derived_key(master, "ERN-EYE")
    assert len({eye.key, rnd.key, derived_key(bytes(32), "ERN-EYE").key, master}) == 4
    with pytest.raises(PseudonymKeysError, match="16 bytes"):
        derived_key(bytes(16), "ERN-EYE")
