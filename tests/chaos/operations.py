"""Random changes of the archives, through their REST API, as modalities and curators make them."""

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.archives.files import instance
from tests.chaos.runtime import Archive
from tests.orthanc import OrthancServer

ROOT = "1.2.826.0.1.3680043.10.77"
AT_LEAST = 6  # studies are left in each archive: one that lists none is taken for a broken one


@dataclass
class Operations:
    """`done` counts them by name."""

    rng: random.Random
    done: Counter[str] = field(default_factory=Counter)
    made: int = 0
    # what moves and is copied between archives: a few studies that every archive may hold
    shared: list[str] = field(default_factory=lambda: [f"{ROOT}.9.{n}" for n in range(1, 13)])

    def one(self, archive: Archive) -> None:
        """One random operation on a running archive."""
        assert archive.server is not None
        server = archive.server
        studies: list[dict[str, Any]] = server.call("GET", "/studies?expand")
        if len(studies) <= AT_LEAST:
            name = "upload"
        else:
            names = ("upload", "upload_shared", "add", "delete", "delete_series", "resend", "move_patient")
            (name,) = self.rng.choices(names, (6, 3, 3, 5, 2, 4, 3))
        study = self.rng.choice(studies) if studies else {}
        getattr(self, f"_{name}")(server, study)
        self.done[name] += 1

    def _upload(self, server: OrthancServer, _: dict[str, Any]) -> None:
        self.made += 1
        self._store(server, f"{ROOT}.1.{self.made}")

    def _upload_shared(self, server: OrthancServer, _: dict[str, Any]) -> None:
        """What is added to a study says the same of it: where instances disagree, Orthanc's REST listing and its
        QIDO-RS answer different ones."""
        uid = self.rng.choice(self.shared)
        patient = _patient_of(uid)
        there = server.find("Study", StudyInstanceUID=uid, PatientID=patient)
        text = _description(server.call("GET", f"/studies/{there[0]}")) if there else None
        self._store(server, uid, patient, text)

    def _add(self, server: OrthancServer, study: dict[str, Any]) -> None:
        uid, patient = _uid(study), study["PatientMainDicomTags"]["PatientID"]
        number = self.rng.randint(3, 99)
        server.upload(instance(uid, number, 1, PatientID=patient, StudyDescription=_description(study)))

    def _delete(self, server: OrthancServer, study: dict[str, Any]) -> None:
        server.call("DELETE", f"/studies/{study['ID']}")

    def _delete_series(self, server: OrthancServer, study: dict[str, Any]) -> None:
        server.call("DELETE", f"/series/{self.rng.choice(study['Series'])}")

    def _resend(self, server: OrthancServer, study: dict[str, Any]) -> None:
        """The same study with another description: Orthanc keeps the first that it gets, so it is deleted first."""
        server.call("DELETE", f"/studies/{study['ID']}")
        patient = study["PatientMainDicomTags"]["PatientID"]
        self._store(server, _uid(study), patient, f"resent {self.rng.randint(1, 10**6)}")

    def _move_patient(self, server: OrthancServer, study: dict[str, Any]) -> None:
        self._store(server, _uid(study), f"M{self.rng.randint(1, 10**6)}", _description(study))
        server.call("DELETE", f"/studies/{study['ID']}")

    def _store(
        self, server: OrthancServer, uid: str, patient: str | None = None, text: str | None = None
    ) -> None:
        patient, text = patient or _patient_of(uid), text or "as first sent"
        for series in range(1, self.rng.randint(1, 2) + 1):
            for number in range(1, self.rng.randint(1, 2) + 1):
                server.upload(instance(uid, series, number, PatientID=patient, StudyDescription=text))


def _patient_of(uid: str) -> str:
    return f"P{uid.rsplit('.', 1)[1]}"


def _uid(study: dict[str, Any]) -> str:
    return str(study["MainDicomTags"]["StudyInstanceUID"])


def _description(study: dict[str, Any]) -> str:
    return str(study["MainDicomTags"].get("StudyDescription", ""))
