"""Which conditions look at what may identify a person: never evaluated over records that stay hidden.

The attribute table says so for its columns. Any other attribute of a data set counts as identifying unless it
is a code or a number outside the patient's group that pseudonymised rows keep as it was (profile.py): a filter on
what they have not would match nothing there, and say nothing of it.
"""

from collections.abc import Sequence

from access.profile import Options, Treatment, treatment
from model.attributes import BY_KEYWORD
from model.filters import ChangedTest, CohortTest, Condition, Op, PathTest, Test, TextTest, walk
from model.paths import NUMERIC_VRS, AttributePath, Step

_HARMLESS_VRS = NUMERIC_VRS | {"CS"}
_PATIENT_GROUP = "0010"
_DEFAULT = Options()


def identifying_tests(condition: Condition) -> bool:
    """True when any test of the tree, at whatever level, is on an identifying attribute."""
    return any(_is_identifying(here) for here in walk(condition))


def _is_identifying(condition: Condition) -> bool:
    match condition:
        case Test(attribute):
            return attribute.identifying
        case TextTest():
            return True  # it reads descriptions
        case CohortTest() | ChangedTest():
            return True  # statistics of sets that one can choose would undo the noise of small counts
        case PathTest(path):
            return path_is_identifying(path)
        case _:
            return False


def path_is_identifying(path: AttributePath) -> bool:
    """True when values at this path may identify a person."""
    *sequences, last = path.steps
    if any(_treatment(step) is not Treatment.ITEMS for step in sequences):
        return True  # private, unknown, or removed as a whole
    known = BY_KEYWORD.get(last.keyword or "")
    if known is not None:
        return known.identifying
    is_harmless = last.vr in _HARMLESS_VRS and not (last.tag or _PATIENT_GROUP).startswith(_PATIENT_GROUP)
    return not is_harmless or _treatment(last) is not Treatment.KEEP


def _treatment(step: Step) -> Treatment:
    return Treatment.REMOVE if step.tag is None else treatment(step.tag, _DEFAULT)


# Searching for a pseudonym by the whole of it tells nothing but where that pseudonym is.
_PSEUDONYMS = frozenset({"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "PatientID"})
# Dates of pseudonymised rows are shifted: an order by them tells no date. These others would tell a value.
_IDENTIFYING_ORDERS = frozenset(
    {
        *("PATIENT_NAME", "PATIENT_ID", "PATIENT_BIRTH_DATE", "ACCESSION_NUMBER"),
        *("STUDY_DESCRIPTION", "SERIES_DESCRIPTION", "RELEVANCE"),
    }
)


def asks_for_identity(condition: Condition, order_fields: Sequence[str] = ()) -> bool:
    """True when a list must not be asked of pseudonymised records: it would mislead, or match nothing.

    A pseudonym may be searched for; anything else that identifies may not, nor be an order.
    """
    return not _IDENTIFYING_ORDERS.isdisjoint(order_fields) or any(
        _is_identifying(here) and not _names_pseudonym(here) for here in walk(condition)
    )


def _names_pseudonym(condition: Condition) -> bool:
    match condition:
        case Test(attribute, Op.EQ | Op.IN, _):
            return attribute.keyword in _PSEUDONYMS
        case CohortTest() | ChangedTest():
            return True  # entries are read through the projection that they were frozen from
        case _:
            return False
