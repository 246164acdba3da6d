"""The index of the NCI Imaging Data Commons (package idc-index-data): where it is, and its rows as ours.

It has no names of patients, accession numbers or birth dates: they are made from what there is, always the same.
Collections are dealt out to 24 archives, one of each network, most to few of them; one study in a hundred is in
the next archive too.
"""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb

from model.erns import ERNS
from model.name_keys import keys_of

_FAMILY = ("Müller", "Novák", "Rossi", "García", "Smith", "Dubois", "Kowalski", "Jansen", "Παππάς", "Иванов")
_GIVEN = (
    "Anna",
    "Jan",
    "María",
    "Giovanni",
    "Zoé",
    "Björn",
    "Ελένη",
    "Иван",
    "Łukasz",
    "Chloé",
    "Siân",
    "Tomáš",
)
_SYLLABLES = (
    "ba",
    "del",
    "fer",
    "go",
    "hin",
    "kos",
    "lu",
    "mar",
    "nes",
    "po",
    "ri",
    "sto",
    "tal",
    "vin",
    "zer",
    "",
)

ROOT = Path(__file__).parent.parent
_FOLDER = ROOT / ".ernfed" / "bench" / "packages"
_FILE = Path("idc_index_data") / "idc_index.parquet"
ARCHIVES = tuple((f"{ern.lower()}-archive", ern) for ern in ERNS)

_PREPARE = """
create macro text(value) as nullif(trim(replace(value, chr(0), '')), '');
create table series as
select StudyInstanceUID as study_uid, SeriesInstanceUID as series_uid, collection_id, PatientID as patient_id,
    PatientAge as age, text(PatientSex) as sex, try_cast(StudyDate as date) as study_date,
    text(StudyDescription) as study_description, text(BodyPartExamined) as body_part, Modality as modality,
    text(Manufacturer) as manufacturer, text(ManufacturerModelName) as model,
    try_cast(SeriesDate as date) as series_date, text(SeriesDescription) as series_description,
    try_cast(SeriesNumber as integer) as series_number, instanceCount::integer as instances
from read_parquet('{parquet}');

create table study as
select *,
    ('0x' || md5(study_uid)[1:7])::bigint as draw,
    1 + floor({archives} * pow(('0x' || md5(collection_id)[1:7])::bigint / 268435456.0, 2))::integer as archive_id
from (
    select study_uid, min(collection_id) as collection_id, min(patient_id) as patient_id, min(sex) as sex,
        min(study_date) as study_date, min(study_description) as study_description,
        try_cast(min(age)[1:3] as integer) as years, list_sort(list_distinct(list(modality))) as modalities
    from series group by study_uid);

create table holder as
select study_uid, archive_id from study
union
select study_uid, archive_id % {archives} + 1 from study where draw % 100 = 0;
"""


def is_installed() -> bool:
    """Whether the file is there already."""
    return (_FOLDER / _FILE).exists()


def parquet() -> Path:
    """The file; installs the package of requirements-bench.lock into a folder of its own when it lacks."""
    if not is_installed():
        print("installing idc-index-data (74 MB)", flush=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
        lock = ["--require-hashes", "--no-deps", "--target", str(_FOLDER), "-r", "requirements-bench.lock"]
        subprocess.run([*pip, *lock], check=True, cwd=ROOT)
    return _FOLDER / _FILE


def prepared() -> duckdb.DuckDBPyConnection:
    """Tables `series`, `study` (with `draw`, a random number that stays), `holder`."""
    duck = duckdb.connect()
    for statement in _PREPARE.format(parquet=parquet(), archives=len(ARCHIVES)).split(";\n"):
        duck.execute(statement)
    duck.execute("create table archive (archive_id integer, code varchar, ern varchar)")
    rows = [(number, *archive) for number, archive in enumerate(ARCHIVES, start=1)]
    duck.executemany("insert into archive values (?, ?, ?)", rows)
    return duck


def sampled(duck: duckdb.DuckDBPyConnection, studies: int | None) -> str:
    """SQL condition on `draw` that about so many studies pass; all for None."""
    if studies is None:
        return "true"
    found = duck.execute("select count(*) from study").fetchone()
    assert found is not None
    return f"draw < {268435456 * studies // found[0]}"


def rows(duck: duckdb.DuckDBPyConnection, sample: str) -> list[tuple[Any, ...]]:
    """Series with what their study says, for the table that idc_load.sql reads."""
    found: list[tuple[Any, ...]] = duck.execute(
        "select s.study_uid, x.series_uid, s.patient_id, s.sex, s.study_date, s.study_description,"
        " s.years, x.body_part, x.modality, x.manufacturer, x.model, x.series_date, x.series_description,"
        f" x.series_number, x.instances from study s join series x using (study_uid) where {sample}"
    ).fetchall()
    return found


def people(duck: duckdb.DuckDBPyConnection, sample: str) -> list[tuple[Any, ...]]:
    """Each patient with a made name and a referring physician's, as the table that idc_load.sql reads."""
    found = duck.execute(f"select distinct patient_id from study where {sample}").fetchall()
    return [(patient_id, *_named(patient_id, ""), *_named(patient_id, "r")) for (patient_id,) in found]


def _named(patient_id: str, salt: str) -> tuple[str, list[str], str]:
    digest = hashlib.md5(
        f"{patient_id[:-1] if salt else patient_id}{salt}".encode(), usedforsecurity=False
    ).digest()
    family, given = _FAMILY[digest[0] % len(_FAMILY)], _GIVEN[digest[1] % len(_GIVEN)]
    tail = "".join(_SYLLABLES[byte % len(_SYLLABLES)] for byte in digest[2:5])
    name = f"{family}{tail}^{given}"
    keys = keys_of(name)
    return name, list(keys.keys), keys.forms


def holders(duck: duckdb.DuckDBPyConnection, sample: str) -> list[tuple[str, int]]:
    """(study, archive) of every copy."""
    sql = f"select h.study_uid, h.archive_id from holder h join study s using (study_uid) where {sample}"
    found: list[tuple[str, int]] = duck.execute(sql).fetchall()
    return found
