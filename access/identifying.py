"""Which conditions and orders could confirm a real value: they are never evaluated on pseudonymised rows.

Pseudonyms themselves may be searched for: UIDs and PatientID of pseudonymised rows are no real values.
"""

from collections.abc import Sequence

from model.filters import Condition, Op, PathTest, Test, TextTest, walk
from model.paths import TEMPORAL_VRS

# Searching for a pseudonym by the whole of it tells nothing but where that pseudonym is.
_PSEUDONYMS = frozenset({"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "PatientID"})
_KEPT_VRS = frozenset({"CS", "DS", "IS", "FL", "FD", "US", "UL", "SS", "SL", "UV", "SV"})
_IDENTIFYING_ORDERS = frozenset(
    {"PATIENT_NAME", "PATIENT_ID", "ACCESSION_NUMBER", "STUDY_DESCRIPTION", "SERIES_DESCRIPTION", "RELEVANCE"}
)


def is_identifying(condition: Condition) -> bool:
    """True when any test of the tree compares an identifying attribute."""
    return any(_tests_identity(here) for here in walk(condition))


def orders_by_identity(fields: Sequence[str]) -> bool:
    """True when an order field would sort by an identifying attribute; dates are shifted, hence not."""
    return not _IDENTIFYING_ORDERS.isdisjoint(fields)


def _tests_identity(condition: Condition) -> bool:
    match condition:
        case Test(attribute, op, _):
            searched = attribute.keyword in _PSEUDONYMS and op in (Op.EQ, Op.IN)
            return attribute.identifying and not searched
        case PathTest(path):
            return any(step.vr not in _KEPT_VRS | {"SQ"} or step.vr in TEMPORAL_VRS for step in path.steps)
        case TextTest():
            return True
        case _:
            return False
