"""Ages in bands: five years wide, one band from ninety on. PS3.5 6.2 (VR AS)."""

import re
from datetime import date

WIDTH = 5
TOP = 90
OLDEST = 130
_AGE = re.compile(r"(\d{3})([DWMY])")
_PER_YEAR = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0}


def years_between(birth: date | None, study: date | None) -> int | None:
    """Completed years on the day of the study; None when it is before the birth or nobody lives that long."""
    if birth is None or study is None or study < birth:
        return None
    years = study.year - birth.year - ((study.month, study.day) < (birth.month, birth.day))
    return years if years <= OLDEST else None


def years_of(age: object) -> int | None:
    """'042Y', '018M' → completed years; None when it is no AS."""
    found = _AGE.fullmatch(age.strip()) if isinstance(age, str) else None
    if found is None:
        return None
    years = int(int(found[1]) / _PER_YEAR[found[2]])
    return years if years <= OLDEST else None


def age_band(years: int) -> str:
    """42 → '40-44', 93 → '90+'."""
    if years >= TOP:
        return f"{TOP}+"
    edge = years - years % WIDTH
    return f"{edge}-{edge + WIDTH - 1}"


def lower_edge(years: int) -> str:
    """The band as an AS: 42 → '040Y', 93 → '090Y'."""
    return f"{min(years - years % WIDTH, TOP):03d}Y"


def band_of(age: str) -> str | None:
    """The band of a PatientAge, exact or already an edge: '040Y' → '40-44'."""
    years = years_of(age)
    return None if years is None else age_band(years)
