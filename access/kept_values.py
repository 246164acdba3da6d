"""Which values of a kept attribute are really kept: what its VR allows, so that no sentence hides in a code.

An archive can put anything anywhere. Every function takes the Value array of one element and gives the values
that pass, in order; null stays (PS3.18 F.2.5: an empty value of a multi-valued attribute).
"""

import re
from functools import lru_cache
from typing import Any

from pydicom._uid_dict import UID_dictionary
from pydicom.datadict import dictionary_has_tag

from model.dicom_json import clean

# Eight digits are a date, a record number or an order: no count, index or size of an image needs them.
_LARGEST = 9_999_999
_CODE_STRING = re.compile(r"(?!.*\d{5})[A-Za-z0-9 _]+(?:[-/+][A-Za-z _]+)*")
_INTEGER_TEXT = re.compile(r"[+-]?\d{1,7}")
_DECIMAL_TEXT = re.compile(r"[+-]?(?:\d{1,7}(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")
_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_DEVICE_TEXT = re.compile(r"(?!.*\d{6})[^\^=@\\]{1,64}")
_CODE_TEXT = re.compile(r"[^\^=@\\]{1,64}")
_SEXES = frozenset("MFOU")

# Schemes that anyone can look up (PS3.16 section 8). A local one (99…, L) can hold a hospital's own words.
_SCHEMES = """
SCT SRT SNM3 99SDM DCM LN RADLEX UCUM FMA I9 I9C I9P I10 I10C I10P ICDO ICDO3 ICD10 ICD11 ORPHA MDR RXNORM
UMLS NCIt NEU UBERON MSH ACR BI BARI CD2 CPT4 C4 C5 HPO
"""
PUBLIC_SCHEMES = frozenset(_SCHEMES.split())

# SOP classes of vendors, which tell a kind of image and no instance.
_VENDOR_CLASSES = frozenset(
    {
        "1.2.840.113619.4.2",
        "1.2.840.113619.4.3",
        "1.2.840.113619.4.26",
        "1.2.840.113619.4.27",
        "1.2.840.113619.4.30",
        "1.3.12.2.1107.5.9.1",
        "1.3.46.670589.2.3.1.1",
        "1.3.46.670589.2.4.1.1",
        "1.3.46.670589.2.5.1.1",
        "1.3.46.670589.5.0.1",
        "1.3.46.670589.11.0.0.12.1",
        "1.3.46.670589.11.0.0.12.2",
        "1.3.46.670589.11.0.0.12.4",
    }
)
_SCHEME_ROOT = "2.16.840.1.113883.6."  # HL7's register of external coding schemes


def is_well_known_uid(uid: str) -> bool:
    """Of PS3.6 Annex A, of a registered coding scheme, or a vendor's SOP class: the same for everyone."""
    return uid in UID_dictionary or uid in _VENDOR_CLASSES or uid.startswith(_SCHEME_ROOT)


def integers(values: list[Any]) -> list[Any]:
    """IS, US, UL, SS, SL, UV, SV; numbers as such or as text."""
    return [
        value
        for value in values
        if value is None
        or (type(value) is int and -_LARGEST <= value <= _LARGEST)
        or (type(value) is float and value.is_integer() and -_LARGEST <= value <= _LARGEST)
        or (type(value) is str and _INTEGER_TEXT.fullmatch(value.strip()) is not None)
    ]


def decimals(values: list[Any]) -> list[Any]:
    """DS, FL, FD."""
    return [
        value
        for value in values
        if value is None
        or (type(value) is float and (not value.is_integer() or -_LARGEST <= value <= _LARGEST))
        or (type(value) is int and -_LARGEST <= value <= _LARGEST)
        or (type(value) is str and len(value) <= 16 and _DECIMAL_TEXT.fullmatch(value.strip()) is not None)
    ]


def code_strings(values: list[Any]) -> list[Any]:
    """CS."""
    return [value for value in values if value is None or (type(value) is str and _is_code_string(value))]


def sexes(values: list[Any]) -> list[Any]:
    """PatientSex."""
    return [value for value in values if type(value) is str and value.strip() in _SEXES]


def tags(values: list[Any]) -> list[Any]:
    """AT: of attributes that PS3.6 knows; eight other digits may be a date."""
    return [
        value
        for value in values
        if type(value) is str and _TAG.fullmatch(value) is not None and dictionary_has_tag(int(value, 16))
    ]


def device_texts(values: list[Any]) -> list[Any]:
    """Manufacturer and model: short, no name, no serial number."""
    return [value for value in values if type(value) is str and _DEVICE_TEXT.fullmatch(value) is not None]


def code_texts(values: list[Any]) -> list[Any]:
    """Code value, meaning, scheme and version of an item whose scheme is public."""
    return [value for value in values if type(value) is str and _CODE_TEXT.fullmatch(value) is not None]


def is_public_scheme(values: object) -> bool:
    """True for the values of a CodingSchemeDesignator that stands in PS3.16 and is nobody's own."""
    if type(values) is not list or len(values) != 1 or type(values[0]) is not str:
        return False
    return values[0] in PUBLIC_SCHEMES or clean(values[0]) in PUBLIC_SCHEMES


@lru_cache(maxsize=8192)
def _is_code_string(text: str) -> bool:
    return len(text) <= 16 and _CODE_STRING.fullmatch(text) is not None
