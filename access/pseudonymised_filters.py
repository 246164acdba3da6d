"""Which attributes a query may filter and order by on the rows of pseudonymised viewers.

Those rows hold only what pseudonyms.py left, so a filter on them can't confirm a real value. It can mislead:
a real date compared with a shifted one. What is `identifying` the API answers for FULL archives only.
"""

from access.profile import Options, Treatment, compiled
from model.errors import BadInput
from model.paths import parse_path

# The pseudonym is text that its reader can pass back: an equality on it means what it says.
searchable_by_pseudonym: frozenset[str] = frozenset(
    {"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "PatientID", "AccessionNumber"}
)

_AS_STORED = frozenset({Treatment.KEEP, Treatment.CODE})
_IN_ORDER = _AS_STORED | {Treatment.SHIFT}
_CLASS_UIDS = frozenset(
    {"SOPClassUID", "SOPClassesInStudy", "ReferencedSOPClassUID", "AvailableTransferSyntaxUID"}
)


def identifying(name: str, options: Options | None = None, *, order: bool = False) -> bool:
    """True when a filter (or, with `order`, an order) on it asks for a real value that the rows do not hold.

    `name`: a keyword, tag, private tag or dotted path (model/paths.py). An order by shifted dates is harmless
    and right within a patient. A name that nobody knows is identifying.
    """
    try:
        steps = parse_path(name).steps
    except BadInput:
        return True
    plan = compiled(options or Options())
    treatments = [plan[step.tag][0] if step.tag in plan else Treatment.REMOVE for step in steps]
    if any(treatment is not Treatment.ITEMS for treatment in treatments[:-1]):
        return True
    if treatments[-1] is Treatment.UID:
        return steps[-1].keyword not in _CLASS_UIDS
    return treatments[-1] not in (_IN_ORDER if order else _AS_STORED)
