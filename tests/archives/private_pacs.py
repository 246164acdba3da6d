"""A DICOMweb server whose records have private attributes: on the faulty server, with searches and whole data sets.

Studies 1.2.N with one series 1.2.N.1 and `per_series` instances each; CREATOR's attribute 0009xx01 in block 10 or 11.
"""

from dataclasses import dataclass, field

from tests.archives.faulty import Exchange, Json

STUDY, SERIES, SOP = "0020000D", "0020000E", "00080018"
CREATOR = "CREATOR"
NAME = f"({CREATOR})0009xx01"


@dataclass
class PrivatePacs:
    """Called with each exchange. every: `includefield=all` works. metadata: it gives whole data sets.

    refused: series that are answered with 500 when their data sets are asked for.
    """

    studies: int = 3
    per_series: int = 2
    every: bool = True
    metadata: bool = True
    refused: set[str] = field(default_factory=set)

    def __call__(self, exchange: Exchange) -> None:
        parts = exchange.path.split("/dicom-web/")[1].split("/")
        if parts[-1] == "metadata":
            self._metadata(exchange, parts[1:-1:2])
            return
        level = ("studies", "series", "instances").index(parts[-1])
        tags = (STUDY, SERIES, SOP)
        asked = {tag: {uid} for tag, uid in zip(tags, parts[1:-1:2], strict=False)}
        for tag, name in zip(tags, ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"), strict=True):
            if name in exchange.query:
                asked[tag] = set(exchange.query[name].split(","))
        found = [row for row in self._rows(level) if all(_uid(row, tag) in asked[tag] for tag in asked)]
        if self.every and "all" in exchange.fields:
            found = [row | private(row) for row in found]
        exchange.rows(found[exchange.offset : exchange.offset + exchange.limit])

    def _metadata(self, exchange: Exchange, uids: list[str]) -> None:
        if not self.metadata:
            exchange.reply(404)
        elif uids[1] in self.refused:
            exchange.reply(500)
        else:
            found = [
                row
                for row in self._rows(2)
                if all(_uid(row, tag) == uid for tag, uid in zip((STUDY, SERIES, SOP), uids, strict=False))
            ]
            exchange.rows([row | private(row) | {"00180050": _of("DS", 2.5)} for row in found])

    def _rows(self, level: int) -> list[Json]:
        rows: list[Json] = []
        for number in range(1, self.studies + 1):
            study = f"1.2.{number}"
            row: Json = {
                STUDY: _of("UI", study),
                "00100020": _of("LO", f"P{number}"),
                "00080020": _of("DA", "20200101"),
            }
            if level == 0:
                rows.append(row)
                continue
            row = {**row, SERIES: _of("UI", f"{study}.1"), "00080060": _of("CS", "MR")}
            if level == 1:
                rows.append(row)
                continue
            for each in range(1, self.per_series + 1):
                rows.append(
                    {
                        **row,
                        SOP: _of("UI", f"{study}.1.{each}"),
                        "00080016": _of("UI", "1.2.840.10008.5.1.4.1.1.4"),
                    }
                )
        return rows


def private(row: Json) -> Json:
    """In studies of even numbers another creator has the first block."""
    uid = _uid(row, STUDY)
    block = 10 + (int(uid.split(".")[2]) % 2 == 0)
    before: Json = {} if block == 10 else {"00090010": _of("LO", "ANOTHER"), "00091001": _of("LO", "another")}
    return before | {f"000900{block}": _of("LO", CREATOR), f"0009{block}01": _of("LO", f"private of {uid}")}


def _of(vr: str, *values: object) -> Json:
    return {"vr": vr, "Value": list(values)}


def _uid(row: Json, tag: str) -> str:
    found = row.get(tag)
    return str(found["Value"][0]) if isinstance(found, dict) else ""
