"""The made-up studies of the demo: who, when, in which archive. How objects are made: images.py.

Nobody in here exists. One study lies in two archives (SPLIT_STUDY_UID), and in it one series is held by
both (SHARED_SERIES_UID), whose copies disagree about one attribute (DISAGREEING).
"""

from collections.abc import Iterator
from dataclasses import replace

from pydicom.dataset import FileDataset

from cli.demo import images
from cli.demo.images import SamplePatient, SampleStudy

RND, VASCERN = "ern-rnd-tuebingen", "vascern-paris"
EYE, EURACAN = "ern-eye-strasbourg", "ern-euracan-lyon"

_TUEBINGEN, _PARIS = "Universitätsklinikum Tübingen", "Hôpital Bichat, Paris"
_STRASBOURG, _LYON = "Hôpitaux Universitaires de Strasbourg", "Centre Léon Bérard, Lyon"

_SPLIT = SampleStudy(
    key="split radiotherapy",
    patient=SamplePatient("EUR-0007", "Moreau^Éléonore", "19610423", "F"),
    date="20220912",
    description="Radiotherapy planning, retroperitoneal sarcoma",
    institution=_LYON,
    referring="Girard^Hélène",
    accession="A7001",
)
# What the other archive says about the same study.
_SPLIT_IN_PARIS = replace(_SPLIT, referring="Girard^H.^^Dr.")

SPLIT_STUDY_UID = _SPLIT.uid
SHARED_SERIES = "CT angio, arterial"
SHARED_SERIES_UID = _SPLIT.series_uid(SHARED_SERIES)
DISAGREEING = "ReferringPhysicianName"


def made_studies() -> Iterator[tuple[str, FileDataset]]:
    """(archive code, object) for each object, the same every time and in the same order."""
    for objects, code in ((_brains(), RND), (_vessels(), VASCERN), (_eyes(), EYE), (_slides(), EURACAN)):
        for made in objects:
            yield code, made
    yield from _split()


def _brains() -> Iterator[FileDataset]:
    camille = SamplePatient("RND-0001", "Lefèvre^Camille", "19870516", "F")
    lucja = SamplePatient("RND-0002", "Kowalczyk^Łucja", "19720830", "F")
    undated = SamplePatient("RND-0003", "Weiß^Jürgen", "19550102", "M")
    for study in (
        SampleStudy("brain 2021", camille, "20210314", "MR Brain, ataxia", _TUEBINGEN, "Groß^Sören", "A1001"),
        SampleStudy(
            "brain 2023", camille, "20230320", "MR Brain, follow-up", _TUEBINGEN, "Groß^Sören", "A1002"
        ),
        SampleStudy("brain 2019", lucja, "20191105", "MR głowy", _TUEBINGEN, "Zając^Michał", "A1003"),
        SampleStudy(
            "brain undated", undated, "", "MR Schädel, ohne Datum", _TUEBINGEN, "Groß^Sören", "A1004"
        ),
    ):
        for number in (1, 2):
            yield images.mr(study, "T1", number, echo=12.0, repetition=550.0, order=1)
        for number in (1, 2):
            yield images.mr(study, "T2", number, echo=95.0, repetition=4200.0, order=2)


def _vessels() -> Iterator[FileDataset]:
    for study in (
        SampleStudy(
            "aorta 2018",
            SamplePatient("VAS-0001", "Παπαδόπουλος^Γεώργιος", "19580211", "M"),
            "20180604",
            "CT Angio αορτής",
            _PARIS,
            "Νικολάου^Ελένη",
            "A2001",
        ),
        SampleStudy(
            "aorta 2020",
            SamplePatient("VAS-0002", "Müller^Hans-Jörg", "19660719", "M"),
            "20201022",
            "CT-Angiographie Aorta",
            _PARIS,
            "Dupont^Amélie",
            "A2002",
        ),
        SampleStudy(
            "aorta 2024",
            SamplePatient("VAS-0003", "Wiśniewska^Żaneta", "19910309", "F"),
            "20240215",
            "Angio-TK aorty",
            _PARIS,
            "Dupont^Amélie",
            "A2003",
        ),
    ):
        for number in (1, 2, 3):
            yield images.ct(
                study, "Arterial phase", number, order=1, body_part="AORTA", contrast="Iohexol 350"
            )
        yield images.ct(study, "Native", 1, order=2, body_part="AORTA")


def _eyes() -> Iterator[FileDataset]:
    for study in (
        SampleStudy(
            "retina 2017",
            SamplePatient("EYE-0001", "Schröder^Änne", "20020928", "F"),
            "20170511",
            "Retinitis pigmentosa",
            _STRASBOURG,
            "Koch^Mathieu",
            "A3001",
        ),
        SampleStudy(
            "retina 2022",
            SamplePatient("EYE-0002", "Ωραιοπούλου^Φωτεινή", "19940617", "F"),
            "20220118",
            "Stargardt, contrôle",
            _STRASBOURG,
            "Koch^Mathieu",
            "A3002",
        ),
        SampleStudy(
            "retina 2025",
            SamplePatient("EYE-0003", "Nováková^Božena", "20110404", "F"),
            "20250130",
            "Aniridie",
            _STRASBOURG,
            "Koch^Mathieu",
            "A3003",
        ),
    ):
        for number, laterality in ((1, "R"), (2, "L")):
            yield images.fundus(study, "Fundus photographs", number, laterality=laterality)
        for laterality in ("R", "L"):
            yield images.tomography(study, f"OCT macula {laterality}", 1, laterality=laterality)


def _slides() -> Iterator[FileDataset]:
    for study in (
        SampleStudy(
            "slide 2020",
            SamplePatient("EUR-0001", "García Núñez^José", "19490922", "M"),
            "20200707",
            "Biopsy, soft tissue",
            _LYON,
            "Girard^Hélène",
            "A4001",
        ),
        SampleStudy(
            "slide 2023",
            SamplePatient("EUR-0002", "Øster^Åse", "19780126", "F"),
            "20231129",
            "Biopsy, thymus",
            _LYON,
            "Girard^Hélène",
            "A4002",
        ),
    ):
        for stain in ("H&E", "Ki-67"):
            yield images.slide(study, f"Whole slide {stain}", 1, stain=stain)


def _split() -> Iterator[tuple[str, FileDataset]]:
    """CT, structures and dose in Lyon; the plan in Paris; the angiography in both."""
    for number in (1, 2, 3):
        yield EURACAN, images.ct(_SPLIT, "CT planning", number, order=1, body_part="ABDOMEN")
    for code, study in ((EURACAN, _SPLIT), (VASCERN, _SPLIT_IN_PARIS)):
        for number in (1, 2):
            yield (
                code,
                images.ct(study, SHARED_SERIES, number, order=2, body_part="ABDOMEN", contrast="Iohexol 350"),
            )
    yield EURACAN, images.structure_set(_SPLIT, "RT structures", of="CT planning")
    yield VASCERN, images.plan(_SPLIT_IN_PARIS, "RT plan", structures="RT structures")
    yield EURACAN, images.dose(_SPLIT, "RT dose", plan="RT plan")
