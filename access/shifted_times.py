"""Dates, times and date-times of DICOM moved by whole days. What is no valid value gives ''."""

import re
from datetime import timedelta
from functools import lru_cache

from model.dicom_json import clean, parse_date, parse_time

# YYYYMMDD[HH[MM[SS[.F…]]]][&ZZXX]; a shorter one has no day to move (PS3.5 6.2, VR DT).
_DATETIME = re.compile(r"(\d{8})(\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?)?(?:[+-]\d{4})?")


@lru_cache(maxsize=16384)
def shifted_date(text: str, days: int) -> str:
    """A DA, always as YYYYMMDD."""
    day = parse_date(clean(text))
    if day is None:
        return ""
    try:
        moved = day + timedelta(days=days)
    except OverflowError:
        return ""
    return f"{moved.year:04d}{moved.month:02d}{moved.day:02d}"


def coarse_time(text: str, *, exact: bool) -> str:
    """A TM: its hour, or all of it. To the second it would find the examination in any hospital's list."""
    text = clean(text)
    if parse_time(text) is None:
        return ""
    return text if exact else text[:2]


def shifted_datetime(text: str, days: int, *, exact: bool) -> str:
    """A DT: date moved, time as coarse_time does it, time zone (a place) dropped."""
    found = _DATETIME.fullmatch(clean(text))
    day = shifted_date(found[1], days) if found is not None else ""
    if found is None or not day or not found[2]:
        return day
    return day + coarse_time(found[2], exact=exact)
