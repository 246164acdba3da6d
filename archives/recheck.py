"""Does an answer fit what was asked? Archives ignore keys they do not know and send everything, or nothing."""

from collections.abc import Sequence

from archives.client import Row, Selection
from archives.rows import (
    MODALITIES_IN_STUDY,
    MODALITY,
    PATIENT_ID,
    SERIES_INSTANCE_UID,
    SOP_INSTANCE_UID,
    STUDY_DATE,
    STUDY_INSTANCE_UID,
    Level,
    study_date,
    text,
    values,
)
from model.uids import is_plain


class Recheck:
    """A selection made ready to judge many rows of one level.

    On a study row an absent PatientID or StudyDate is an empty one. On a series or instance row it may
    only not have been sent, and so proves nothing; the same for the modality at every level.
    """

    def __init__(self, level: Level, selection: Selection) -> None:
        self.level = level
        self.selection = selection
        lists: list[tuple[str, Sequence[str]]] = [(STUDY_INSTANCE_UID, selection.study_uids)]
        if level != "studies":
            lists.append((SERIES_INSTANCE_UID, selection.series_uids))
        if level == "instances":
            lists.append((SOP_INSTANCE_UID, selection.sop_uids))
        self._uids = [(tag, frozenset(uids)) for tag, uids in lists if uids]

    @property
    def is_exact(self) -> bool:
        """Whether what does not fit was not asked for by any reading of the question: servers differ about undated
        studies in ranges that begin anywhere, and about wildcards."""
        selection = self.selection
        open_range = selection.study_date is not None and selection.study_date[0] is None
        has_wildcard = selection.patient_id is not None and not {"*", "?"}.isdisjoint(selection.patient_id)
        return not (selection.undated or open_range or has_wildcard)

    def fits(self, row: Row) -> bool:
        return (
            all(text(row, tag) in wanted for tag, wanted in self._uids)
            and self._fits_patient(row)
            and self._fits_modality(row)
            and self._fits_date(row)
        )

    def _fits_patient(self, row: Row) -> bool:
        wanted = self.selection.patient_id
        if wanted is None or (self.level != "studies" and PATIENT_ID not in row):
            return True
        return text(row, PATIENT_ID) == wanted.strip()

    def _fits_modality(self, row: Row) -> bool:
        wanted = self.selection.modality
        if wanted is None:
            return True
        found = values(row, MODALITIES_IN_STUDY if self.level == "studies" else MODALITY)
        return not found or wanted in found

    def _fits_date(self, row: Row) -> bool:
        selection = self.selection
        if selection.study_date is None and not selection.undated:
            return True
        if self.level != "studies" and STUDY_DATE not in row:
            return True
        found = study_date(row)
        if selection.undated or found is None:
            return found is None and selection.undated
        first, last = selection.study_date or (None, None)
        return (first is None or first <= found) and (last is None or found <= last)


def childless(level: Level, selection: Selection, rows: Sequence[Row]) -> str | None:
    """Why an answer cannot be whole: a study has series and a series has instances, or they are not there.

    None where every asked parent has children, and where the selection asks for some of these only. Of studies: silence
    says nothing of a UID that a URL must encode, as not every server decodes it.
    """
    narrowed = selection.patient_id is not None or selection.modality is not None or selection.undated
    if narrowed or selection.study_date is not None or selection.sop_uids:
        return None
    if level == "studies":
        odd = {uid for uid in selection.study_uids if not is_plain(uid)}
        odd -= {text(row, STUDY_INSTANCE_UID) or "" for row in rows}
        return f"it does not answer {len(odd)} UIDs with special characters" if odd else None
    if level == "series":
        parent, tag, asked = (
            "studies",
            STUDY_INSTANCE_UID,
            () if selection.series_uids else selection.study_uids,
        )
    elif selection.series_uids:
        parent, tag, asked = "series", SERIES_INSTANCE_UID, selection.series_uids
    else:
        parent, tag, asked = "studies", STUDY_INSTANCE_UID, selection.study_uids
    lacking = set(asked) - {text(row, tag) for row in rows}
    return f"it answers no {level} of {len(lacking)} of {len(set(asked))} {parent}" if lacking else None
