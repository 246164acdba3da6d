"""[[attribute]] tables: what is declared, and every mistake with its line."""

from pathlib import Path

import pytest

from config.archives_file import ArchivesFileError
from config.attributes_file import load_declared
from model.attributes import Level


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "archives.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_names_and_levels(tmp_path: Path) -> None:
    text = """
[[attribute]]
name = "SliceThickness"
[[attribute]]
name = "PatientWeight"
[[attribute]]
name = "(SIEMENS MR HEADER)0019xx0C"
level = "instance"
[[attribute]]
name = "RequestAttributesSequence.ScheduledProcedureStepID"
"""
    found = [(each.path.codes, each.level) for each in load_declared(written(tmp_path, text))]
    assert found == [
        (("00180050",), Level.SERIES),
        (("00101030",), Level.STUDY),
        (("(SIEMENS MR HEADER)00190C",), Level.INSTANCE),
        (("00400275", "00400009"), Level.SERIES),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[[attribute]]\nname = "SliceThicknes"',
            ":2: attribute: name: attribute name: 'SliceThicknes' is not in",
        ),
        ('[[attribute]]\nname = "Modality"', "name: has a column and an index already"),
        ('[[attribute]]\nname = "PixelData"', "VR OB or OW has no values"),
        ('[[attribute]]\nname = "BeamSequence"', "VR SQ has no values"),
        ('[[attribute]]\nlevel = "series"', ":1: attribute: name: expected a keyword"),
        ('[[attribute]]\nname = "KVP"\nlevel = "frame"', ':3: attribute: level: expected "study"'),
        ('[[attribute]]\nname = "KVP"\nfast = true', ":3: attribute: fast: unknown key"),
        (
            '[[attribute]]\nname = "KVP"\n[[attribute]]\nname = "00180060"',
            ":4: attribute: name: is declared twice",
        ),
        ('[[attribute]]\nname = "(O\'N)0029xx10"', "other than plain characters"),
        ('[attribute]\nname = "KVP"', ":1: attribute: write [[attribute]]"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ArchivesFileError) as caught:
        load_declared(written(tmp_path, text))
    assert message in str(caught.value)
    assert str(caught.value).startswith("archives.toml:")


def test_no_file_declares_nothing(tmp_path: Path) -> None:
    assert load_declared(tmp_path / "nowhere.toml") == []
