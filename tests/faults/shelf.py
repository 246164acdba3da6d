"""An archive that behaves: 14 studies, the first with 14 series, the first of these with 14 instances.

It speaks QIDO-RS with pages and UIDs. 14 is more than a page of the tests and more than a cap of 12.

The misbehaviours (misbehaviours.py) start from what it would have answered.
"""

from collections.abc import Callable, Collection, Iterable, Mapping

from tests.archives.faulty import Exchange, Json

STUDY, SERIES, SOP = "0020000D", "0020000E", "00080018"
STUDIES = tuple(f"1.2.3.{n}" for n in range(1, 15))
_LEVELS = {"studies": STUDY, "series": SERIES, "instances": SOP}
_PATHS = {"StudyInstanceUID": STUDY, "SeriesInstanceUID": SERIES, "SOPInstanceUID": SOP}

Answer = Callable[[Exchange, list[Json]], None]
"""Answers an exchange, given the rows of it that a well-behaved server would send."""


def value(vr: str, *values: object) -> Json:
    return {"vr": vr, "Value": list(values)}


def first(row: Json, tag: str) -> str:
    return str(row[tag]["Value"][0])  # type: ignore[index]


def study_row(uid: str, patient: str = "") -> Json:
    return {
        STUDY: value("UI", uid),
        "00100020": value("LO", patient or f"P{uid.rpartition('.')[2]}"),
        "00100010": value("PN", {"Alphabetic": f"Name^{uid}"}),
        "00080020": value("DA", "20200315"),
        "00081030": value("LO", f"study {uid}"),
        "00080061": value("CS", "MR"),
    }


def series_row(study: str, uid: str) -> Json:
    return {STUDY: value("UI", study), SERIES: value("UI", uid), "00080060": value("CS", "MR")}


def instance_row(study: str, series: str, uid: str) -> Json:
    number = int(uid.rsplit(".", 1)[1])
    return series_row(study, series) | {SOP: value("UI", uid), "00200013": value("IS", number)}


def _held() -> dict[str, list[Json]]:
    many, one = range(1, 15), range(1, 2)
    studies = [study_row(uid) for uid in STUDIES]
    series = [series_row(uid, f"{uid}.{n}") for uid in STUDIES for n in (many if uid == STUDIES[0] else one)]
    instances = [
        instance_row(first(row, STUDY), first(row, SERIES), f"{first(row, SERIES)}.{n}")
        for row in series
        for n in (many if row is series[0] else one)
    ]
    return {"studies": studies, "series": series, "instances": instances}


HELD = _held()


def level_of(exchange: Exchange) -> str:
    return exchange.path.rsplit("/", 1)[1]


def asked_rows(exchange: Exchange, held: Mapping[str, list[Json]] = HELD) -> list[Json]:
    """The rows of this level that fit the route and its UIDs, before paging."""
    parts = exchange.path.split("/dicom-web/")[1].split("/")
    wanted = {
        tag: set(exchange.query[name].split(",")) for name, tag in _PATHS.items() if name in exchange.query
    }
    for name, uid in zip(parts[:-1:2], parts[1::2], strict=False):
        wanted[_LEVELS[name]] = {uid}
    if "PatientID" in exchange.query:
        wanted["00100020"] = {exchange.query["PatientID"]}
    rows = held.get(parts[-1], [])
    return [row for row in rows if all(tag not in row or first(row, tag) in of for tag, of in wanted.items())]


def behaves(exchange: Exchange, rows: list[Json]) -> None:
    """The page that was asked for."""
    exchange.rows(page(exchange, rows))


def page(exchange: Exchange, rows: Iterable[Json]) -> list[Json]:
    return list(rows)[exchange.offset : exchange.offset + exchange.limit]


class Shelf:
    """The server's behaviour: well until `sick` is set, and again when it is None."""

    def __init__(self, studies: Collection[str] = STUDIES) -> None:
        self.sick: Answer | None = None
        self.studies = studies

    def __call__(self, exchange: Exchange) -> None:
        rows = [row for row in asked_rows(exchange) if first(row, STUDY) in self.studies]
        (self.sick or behaves)(exchange, rows)
