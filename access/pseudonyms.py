"""The pseudonymiser: a record as stored in, the record that a PSEUDONYMISED viewer may read out. Pure.

What is done with which attribute stands in profile.py, what a kept value may look like in kept_values.py, how
a pseudonym is made in keyed_pseudonyms.py.

The shift of dates belongs to a patient, not to a study, so that intervals between studies survive. Rows of
series and instances often carry no PatientID, so the caller passes the patient that the study's row told.

UIDs of series and instances, and references to them, are made for the study that they are in: a UID that two patients
have would link them otherwise. Other UIDs (frames of reference, devices) are the same in all studies of a network.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from access import kept_values
from access.ages import age_band, lower_edge, years_between, years_of
from access.descriptor_words import WORDS
from access.keyed_pseudonyms import KeyedPseudonyms, Patient
from access.profile import Options, Treatment, compiled
from access.profile_table import EDITION, ROWS
from access.shifted_times import coarse_time, shifted_date, shifted_datetime
from model.attributes import Level
from model.dicom_json import clean, first, parse_date, parse_row
from model.paths import NUMERIC_VRS
from model.records import Record
from model.uids import conforms, is_uid

DataSet = Mapping[str, Any]
Row = dict[str, Any]

MAX_DEPTH = 16

_STUDY_UID, _SERIES_UID, _SOP_UID = "0020000D", "0020000E", "00080018"
_PATIENT_ID, _ISSUER, _BIRTH_DATE, _AGE = "00100020", "00100021", "00100030", "00101010"
_STUDY_DATE, _SCHEME, _SEX = "00080020", "00080102", "00100040"
_REMOVED_MARK, _METHOD_MARK, _DATES_MARK = "00120062", "00120063", "00280303"
# Of series, instances and what refers to them: within a study.
_IN_STUDY = frozenset(
    row.tag for row in ROWS if row.keyword == "SeriesInstanceUID" or "SOPInstanceUID" in row.keyword
)
_WORD = re.compile(r"[^\W_]+")


class _Run(NamedTuple):
    """What the values of one row are transformed with."""

    days: int
    depth: int
    study_uid: str


_Handler = Callable[[list[Any], _Run, DataSet], list[Any] | None]
"""(values, run, the data set that holds the element) → values; [] drops the element, None leaves it empty."""


def patient_of(data: DataSet, archive: str) -> Patient | None:
    """The patient that a study's row names; None when it names none.

    Without an issuer the archive's code stands in: two hospitals give the same number to two people.
    """
    patient_id = first(data, _PATIENT_ID)
    if not isinstance(patient_id, (str, int)):
        return None
    issuer = first(data, _ISSUER)
    return Patient(str(patient_id), issuer if isinstance(issuer, str) else archive)


class Pseudonymiser(KeyedPseudonyms):
    """For one ERN, one key and one set of options."""

    def __init__(self, key: bytes, ern: str, options: Options | None = None, *, key_id: str = "") -> None:
        """`key_id`: told in DeidentificationMethod. `made_with`: stored with every row; another key or ERN,
        other options and other rules have another one."""
        super().__init__(key, ern)
        self.key_id = key_id
        self.options = options or Options()
        self.made_with = f"{key_id}:{self.mark(rules_of(self.options))}"
        self._method = f"ernfed {EDITION} {self.options.text} key {key_id or '-'}"[:64]
        self._plan: dict[str, tuple[_Handler, str]] = {
            tag: (self._handler(tag, treatment, vr), "" if vr == "US or SS" else vr)
            for tag, (treatment, vr) in compiled(self.options).items()
        }

    def age_band(self, birth: date | None, study: date | None) -> str | None:
        """'40-44' in five years, '90+' from ninety; None when a date is missing or they contradict."""
        years = years_between(birth, study)
        return None if years is None else age_band(years)

    def record(self, record: Record, patient: Patient | None = None, named: Patient | None = None) -> Record:
        """The same copy for a pseudonymised viewer. `patient`: of the study, also for all in it. `named`: who the row
        itself says it is of, where a study is of several.

        Raises ValueError for a record whose UIDs are none.
        """
        data = orjson.loads(record.data)
        known = data if isinstance(data, dict) else {}
        made = self.row(known, patient=patient, named=named, study_uid=record.study_uid)
        made[_STUDY_UID] = _ui(self._shown_uid(record.study_uid))
        if record.level is Level.SERIES:
            made[_SERIES_UID] = _ui(self._shown_uid_in(record.study_uid, record.uid))
        elif record.level is Level.INSTANCE:
            made[_SERIES_UID] = _ui(self._shown_uid_in(record.study_uid, record.series_uid))
            made[_SOP_UID] = _ui(self._shown_uid_in(record.study_uid, record.uid))
        outcome = parse_row(record.level, made)
        if not isinstance(outcome, Record):
            raise ValueError(f"no pseudonymised {record.level} record: {outcome.reason}")
        return outcome

    def row(
        self,
        data: DataSet,
        *,
        patient: Patient | None = None,
        named: Patient | None = None,
        study_uid: str = "",
    ) -> Row:
        """A data set in DICOM JSON; never raises for what an archive can send.

        Without `patient` the row's own PatientID is taken, without that the study's UID: then the dates of
        this study are shifted on their own.
        """
        patient = patient or patient_of(data, "")
        study_uid = study_uid or _study_of(data, "")
        made = self._items(data, _Run(self.shift_days(patient, study_uid), 0, study_uid))
        person = named or patient
        if person is not None and _PATIENT_ID in data:
            made[_PATIENT_ID] = {"vr": "LO", "Value": [self.patient_id(*person)]}
        if self.options.patient_characteristics and (years := _years(data)) is not None:
            made[_AGE] = {"vr": "AS", "Value": [lower_edge(years)]}
        return self._marked(made)

    def _marked(self, made: Row) -> Row:
        dates = "MODIFIED" if self.options.modified_dates else "REMOVED"
        made[_REMOVED_MARK] = {"vr": "CS", "Value": ["YES"]}
        made[_METHOD_MARK] = {"vr": "LO", "Value": [self._method]}
        made[_DATES_MARK] = {"vr": "CS", "Value": [dates]}
        return made

    def _items(self, data: DataSet, run: _Run) -> Row:
        """One data set, of a row or of a sequence's item."""
        made: Row = {}
        plan = self._plan
        for tag, element in data.items():
            entry = plan.get(tag)
            if entry is None or type(element) is not dict:
                continue
            values = element.get("Value")
            if type(values) is not list:
                continue
            handler, vr = entry
            kept = handler(values, run, data)
            if kept:
                made[tag] = {"vr": vr or _pixel_vr(element), "Value": kept}
            elif kept is None:
                made[tag] = {"vr": vr}
        return made

    def _handler(self, tag: str, treatment: Treatment, vr: str) -> _Handler:
        by_treatment: dict[Treatment, _Handler] = {
            Treatment.UID: self._uid_handler(tag),
            Treatment.ACCESSION: self._accessions,
            Treatment.AGE_BAND: _ages,
            Treatment.CODE: _codes,
            Treatment.WORDS: _descriptors,
            Treatment.ITEMS: self._sequence,
            Treatment.EMPTY: _nothing,
            Treatment.PATIENT_ID: _nothing,  # row() fills it, for the patient that it knows
        }
        if treatment is Treatment.KEEP:
            return _keeper(tag, vr)
        if treatment is Treatment.SHIFT:
            return {"DA": _dates, "TM": self._times, "DT": self._datetimes}[vr]
        return by_treatment[treatment]

    def _sequence(self, values: list[Any], run: _Run, _item: DataSet) -> list[Any]:
        if run.depth >= MAX_DEPTH:
            return []
        return [
            made for item in values if type(item) is dict and (made := self._items(item, _deeper(run, item)))
        ]

    def _uid_handler(self, tag: str) -> _Handler:
        if tag == _STUDY_UID:
            return self._study_uids
        return self._uids_in_study if tag in _IN_STUDY else self._uids

    def _study_uids(self, values: list[Any], _run: _Run, _item: DataSet) -> list[Any]:
        return [self._shown_uid(uid) for uid in _valid_uids(values)]

    def _uids_in_study(self, values: list[Any], run: _Run, _item: DataSet) -> list[Any]:
        """Of series and instances. A reference to the study itself is made to its UID."""
        study = run.study_uid
        return [
            self._shown_uid(uid) if uid == study else self._shown_uid_in(study, uid)
            for uid in _valid_uids(values)
        ]

    def _uids(self, values: list[Any], _run: _Run, _item: DataSet) -> list[Any]:
        well_known = kept_values.is_well_known_uid
        return [uid if well_known(uid) else self._shown_uid(uid) for uid in _valid_uids(values)]

    def _shown_uid(self, uid: str) -> str:
        """UIDs that break the rules may tell anything, a name too: these never stay."""
        return uid if self.options.uids and conforms(uid) else self.uid(uid)

    def _shown_uid_in(self, study_uid: str, uid: str) -> str:
        return uid if self.options.uids else self.uid_in(study_uid, uid)

    def _accessions(self, values: list[Any], _run: _Run, _item: DataSet) -> list[Any]:
        texts = [clean(str(value)) for value in values if isinstance(value, (str, int))]
        return [self.accession(text) for text in texts if text]

    def _times(self, values: list[Any], _run: _Run, _item: DataSet) -> list[Any]:
        exact = self.options.exact_times
        return [text for v in values if type(v) is str and (text := coarse_time(v, exact=exact))]

    def _datetimes(self, values: list[Any], run: _Run, _item: DataSet) -> list[Any]:
        exact, days = self.options.exact_times, run.days
        return [text for v in values if type(v) is str and (text := shifted_datetime(v, days, exact=exact))]


@lru_cache(maxsize=16)
def rules_of(options: Options) -> str:
    """A digest of what is done with each attribute, and of the words that stay."""
    plan = sorted((tag, chosen.name, vr) for tag, (chosen, vr) in compiled(options).items())
    words = sorted(WORDS) if options.clean_descriptors else []
    told = repr((EDITION, options, plan, words, sorted(_IN_STUDY)))
    return hashlib.sha256(told.encode()).hexdigest()


def _keeper(tag: str, vr: str) -> _Handler:
    check: Callable[[list[Any]], list[Any]]
    if tag == _SEX:
        check = kept_values.sexes
    elif vr in ("DS", "FL", "FD"):
        check = kept_values.decimals
    elif vr in NUMERIC_VRS or vr == "US or SS":
        check = kept_values.integers
    else:
        check = {
            "CS": kept_values.code_strings,
            "AT": kept_values.tags,
            "LO": kept_values.device_texts,
        }[vr]
    return lambda values, _run, _item: check(values)


def _dates(values: list[Any], run: _Run, _item: DataSet) -> list[Any]:
    return [text for v in values if type(v) is str and (text := shifted_date(v, run.days))]


def _ages(values: list[Any], _run: _Run, _item: DataSet) -> list[Any]:
    return [lower_edge(years) for v in values if (years := years_of(v)) is not None]


def _codes(values: list[Any], _run: _Run, item: DataSet) -> list[Any]:
    """Of a code sequence's item: kept whole under a public scheme, else dropped whole."""
    scheme = item.get(_SCHEME)
    told = scheme.get("Value") if type(scheme) is dict else None
    return kept_values.code_texts(values) if kept_values.is_public_scheme(told) else []


def _descriptors(values: list[Any], _run: _Run, _item: DataSet) -> list[Any]:
    """The whitelisted words of each text, in capitals, at most what an LO may have."""
    texts = (_WORD.findall(v.upper()) for v in values if type(v) is str)
    cleaned = (" ".join(word for word in words if word in WORDS)[:64].strip() for words in texts)
    return [text for text in cleaned if text]


def _nothing(_values: list[Any], _run: _Run, _item: DataSet) -> None:
    return None


def _study_of(item: DataSet, otherwise: str) -> str:
    """The study that a data set or an item says it is of."""
    element = item.get(_STUDY_UID)
    values = element.get("Value") if type(element) is dict else None
    return next(iter(_valid_uids(values)), otherwise) if type(values) is list else otherwise


def _deeper(run: _Run, item: DataSet) -> _Run:
    return _Run(run.days, run.depth + 1, _study_of(item, run.study_uid))


def _valid_uids(values: list[Any]) -> list[str]:
    cleaned = [clean(value) for value in values if type(value) is str]
    return [uid for uid in cleaned if is_uid(uid)]


def _years(data: DataSet) -> int | None:
    """Age at the study from the row's own birth date, which does not survive itself."""
    birth, study = first(data, _BIRTH_DATE), first(data, _STUDY_DATE)
    if not isinstance(birth, str) or not isinstance(study, str):
        return None
    return years_between(parse_date(birth), parse_date(study))


def _ui(uid: str) -> Row:
    return {"vr": "UI", "Value": [uid]}


def _pixel_vr(element: DataSet) -> str:
    """Of an attribute that is 'US or SS' in PS3.6: as the archive says."""
    return "SS" if element.get("vr") == "SS" else "US"
