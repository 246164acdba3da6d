"""Microseconds a row for the pseudonymiser: `python -m bench.pseudonyms` at the root of the repository.

Rows as QIDO answers them; each has a UID and a patient of its own, so that nothing is answered from a cache
but what a real run of many series and instances finds there too.
"""

import time
from typing import Any

from access.keyed_pseudonyms import Patient
from access.profile import Options
from access.pseudonyms import Pseudonymiser
from model.attributes import Level
from model.dicom_json import parse
from model.records import Record
from tests.rows import instance, series, study

COUNT = 20_000
CODE = {
    "00080100": {"vr": "SH", "Value": ["241601008"]},
    "00080102": {"vr": "SH", "Value": ["SCT"]},
    "00080104": {"vr": "LO", "Value": ["MRI of head"]},
}


def _study(number: int) -> dict[str, Any]:
    told = study(
        f"1.2.826.0.1.3680043.8.498.{number}",
        PatientID=f"PID{number}",
        StudyDate="20200304",
        StudyTime="101523.250",
        AccessionNumber=f"ACC{number}",
        StudyID="1",
        StudyDescription="MR brain with contrast",
        ReferringPhysicianName="House^Gregory",
        PatientName="Canarius^Wilhelm",
        PatientBirthDate="19800305",
        PatientSex="M",
        ModalitiesInStudy=["MR", "SR"],
        NumberOfStudyRelatedSeries=7,
        NumberOfStudyRelatedInstances=812,
    )
    told["00080005"] = {"vr": "CS", "Value": ["ISO_IR 192"]}
    told["00080054"] = {"vr": "AE", "Value": ["ARCHIVE"]}
    told["00080056"] = {"vr": "CS", "Value": ["ONLINE"]}
    told["00081032"] = {"vr": "SQ", "Value": [CODE]}
    told["00081190"] = {"vr": "UR", "Value": [f"http://archive/studies/{number}"]}
    return told


def _series(number: int) -> dict[str, Any]:
    uid = f"1.2.826.0.1.3680043.8.498.{number // 7}"
    told = series(
        uid,
        f"{uid}.{number}",
        SeriesNumber=number % 7,
        SeriesDate="20200304",
        SeriesTime="102030",
        SeriesDescription="t1_mprage_sag",
        BodyPartExamined="BRAIN",
        ProtocolName="head routine",
        Manufacturer="SIEMENS",
        ManufacturerModelName="Skyra",
        NumberOfSeriesRelatedInstances=192,
    )
    told["00400244"] = {"vr": "DA", "Value": ["20200304"]}
    told["00400245"] = {"vr": "TM", "Value": ["101523.250"]}
    told["00081010"] = {"vr": "SH", "Value": ["MRC35001"]}
    return told


def _instance(number: int) -> dict[str, Any]:
    uid = f"1.2.826.0.1.3680043.8.498.{number // 400}"
    return instance(
        uid,
        f"{uid}.{number // 100}",
        f"{uid}.{number // 100}.{number}",
        SOPClassUID="1.2.840.10008.5.1.4.1.1.4",
        InstanceNumber=number % 100,
        Rows=512,
        Columns=512,
    ) | {
        "00080022": {"vr": "DA", "Value": ["20200304"]},
        "00080008": {"vr": "CS", "Value": ["ORIGINAL", "M"]},
    }


def _measure(name: str, jobs: list[tuple[Record, Patient]], pseudonymiser: Pseudonymiser) -> None:
    best = min(_once(jobs, pseudonymiser) for _ in range(3))
    print(f"{name:<40} {best * 1e6 / len(jobs):8.1f} µs")


def _once(jobs: list[tuple[Record, Patient]], pseudonymiser: Pseudonymiser) -> float:
    begun = time.process_time()
    for record, patient in jobs:
        pseudonymiser.record(record, patient)
    return time.process_time() - begun


def main() -> None:
    """Prints one line a level and setting."""
    makers = {Level.STUDY: _study, Level.SERIES: _series, Level.INSTANCE: _instance}
    most = Options(clean_descriptors=True, exact_times=True)
    for name, options in (("default", Options()), ("clean descriptors, exact times", most)):
        for level, make in makers.items():
            records, rejected = parse(level, [make(number) for number in range(COUNT)])
            assert not rejected
            begun = time.perf_counter()
            pseudonymiser = Pseudonymiser(bytes(32), "ERN-EYE", options)
            made_in = time.perf_counter() - begun
            patients = [Patient(f"PID{number}", "archive") for number in range(64)]
            jobs = [(record, patients[number % 64]) for number, record in enumerate(records)]
            _measure(f"{level.value}, {name}", jobs, pseudonymiser)
    print(f"{'making a pseudonymiser':<40} {made_in * 1e3:8.1f} ms")


if __name__ == "__main__":
    main()
