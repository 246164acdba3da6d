"""Networks: the 24 European Reference Networks, with fixed codes and the short names that official pages use, and those
that another federation declares beside them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

ERNS: dict[str, str] = {
    "ERN-BOND": "ERN BOND (bone)",
    "ERN-CRANIO": "ERN CRANIO (craniofacial anomalies, ear nose throat)",
    "ENDO-ERN": "Endo-ERN (endocrine)",
    "ERN-EPICARE": "ERN EpiCARE (epilepsies)",
    "ERKNET": "ERKNet (kidney)",
    "ERN-EURACAN": "ERN EURACAN (adult solid cancers)",
    "ERN-EUROBLOODNET": "ERN-EuroBloodNet (haematological)",
    "ERN-EUROGEN": "ERN eUROGEN (urogenital)",
    "ERN-EURO-NMD": "ERN EURO-NMD (neuromuscular)",
    "ERN-EYE": "ERN-EYE (eye)",
    "ERN-GENTURIS": "ERN GENTURIS (genetic tumour risk)",
    "ERN-GUARD-HEART": "ERN GUARD-HEART (heart)",
    "ERNICA": "ERNICA (inherited and congenital anomalies)",
    "ERN-ITHACA": "ERN-ITHACA (malformation syndromes, neurodevelopmental disorders)",
    "ERN-LUNG": "ERN-LUNG (respiratory)",
    "METABERN": "MetabERN (hereditary metabolic)",
    "ERN-PAEDCAN": "ERN PaedCan (paediatric cancer)",
    "ERN-RARE-LIVER": "ERN RARE-LIVER (liver)",
    "ERN-RECONNET": "ERN ReCONNET (connective tissue, musculoskeletal)",
    "ERN-RITA": "ERN RITA (immunodeficiency, autoinflammatory, autoimmune)",
    "ERN-RND": "ERN-RND (neurological)",
    "ERN-SKIN": "ERN-Skin (skin)",
    "ERN-TRANSPLANT-CHILD": "ERN TRANSPLANT-CHILD (transplantation in children)",
    "VASCERN": "VASCERN (multisystemic vascular)",
}


@dataclass(frozen=True, slots=True)
class Networks:
    """The networks of a federation: the ERNs, and those that its operator declared. declared: code → title."""

    declared: Mapping[str, str] = field(default_factory=dict)

    @property
    def titles(self) -> dict[str, str]:
        """Code → title of all."""
        return ERNS | dict(self.declared)

    def __contains__(self, code: object) -> bool:
        return code in ERNS or code in self.declared

    def code_of(self, spelling: str) -> str | None:
        """The fixed code for any spelling in use ('ERN eye', 'ERN-EYE', 'Endo-ERN'), or None."""
        letters = _letters(spelling)
        return _BY_LETTERS.get(letters) or {_letters(code): code for code in self.declared}.get(letters)

    def near(self, spelling: str) -> str | None:
        """The code that may be meant."""
        near = get_close_matches(spelling.upper(), self.titles, 1)
        return near[0] if near else None


ERNS_ALONE = Networks()
"""Where nobody declared any."""


def clash(code: str, other: str) -> bool:
    """Whether two codes could be taken for one another, also where names are made of them: the environment variables
    of ERN-EYE begin as those of an ERN-EYE-X would."""
    one, another = _letters(code), _letters(other)
    return one == another or code.startswith(f"{other}-") or other.startswith(f"{code}-")


def _letters(text: str) -> str:
    return "".join(c for c in text.upper() if c.isalnum())


_BY_LETTERS = {_letters(code): code for code in ERNS}
