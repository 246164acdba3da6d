"""The CSV of consents: its form, and every line of it that cannot be used."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from db.writing.consent import StoredConsent, StudyConsent
from model.errors import OperatorError
from model.uids import MAX_LENGTH, is_uid

COLUMNS = ("StudyInstanceUID", "care", "registry", "research")
TOLD = ("changed_at", "changed_by")
"""What `ernfed consent list` adds; an import does not look at it."""
_WORDS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


class ConsentFileError(OperatorError):
    """The file cannot be used: one line for each mistake, with its number and never its values."""


def read_consents(path: Path) -> list[StudyConsent]:
    """Every consent of the file. Raises ConsentFileError with all that is wrong."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _read(path, csv.reader(file))
    except OSError as error:
        raise ConsentFileError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConsentFileError(f"{path}: not UTF-8 text") from None


def consent_lines(stored: Iterable[StoredConsent]) -> Iterator[list[str]]:
    """The lines of a CSV, the header first."""
    yield [*COLUMNS, *TOLD]
    for each in stored:
        given = each.consent
        words = ("yes" if told else "no" for told in (given.care, given.registry, given.research))
        yield [given.study_uid, *words, each.changed_at.isoformat(timespec="seconds"), each.changed_by]


def _read(path: Path, reader: Any) -> list[StudyConsent]:
    mistakes: list[str] = []
    found: dict[str, StudyConsent] = {}
    first_line: dict[str, int] = {}
    rows = _numbered(reader, mistakes)
    _, header = next(rows, (1, []))
    header = [name.strip() for name in header]
    if set(header) - {*TOLD} != {*COLUMNS} or len(set(header)) != len(header):
        raise ConsentFileError(f"{path}:1: expected the columns {','.join(COLUMNS)}")
    for number, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        consent, problems = _consent(header, cells)
        if consent is not None and consent.study_uid in first_line:
            problems.append(f"the study of line {first_line[consent.study_uid]} again")
        mistakes += [f"{number}: {problem}" for problem in problems]
        if consent is not None and not problems:
            found[consent.study_uid], first_line[consent.study_uid] = consent, number
    if mistakes:
        raise ConsentFileError("\n".join(f"{path}:{mistake}" for mistake in mistakes))
    return list(found.values())


def _numbered(reader: Any, mistakes: list[str]) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells)"""
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            mistakes.append(f"{reader.line_num}: not CSV")
            continue
        yield reader.line_num, cells


def _consent(header: list[str], cells: list[str]) -> tuple[StudyConsent | None, list[str]]:
    if len(cells) != len(header):
        return None, [f"expected {len(header)} values, got {len(cells)}"]
    told = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    problems = []
    if not is_uid(told["StudyInstanceUID"]):
        problems.append(
            f"StudyInstanceUID: expected 1 to {MAX_LENGTH} characters without spaces, backslashes, * and ?"
        )
    given = {name: _WORDS.get(told[name].lower()) for name in COLUMNS[1:]}
    problems += [
        f"{name}: expected yes or no, true or false, 1 or 0" for name in given if given[name] is None
    ]
    if problems:
        return None, problems
    return StudyConsent(told["StudyInstanceUID"], *(bool(given[name]) for name in COLUMNS[1:])), []
