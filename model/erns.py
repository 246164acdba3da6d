"""The 24 European Reference Networks: fixed codes and the short names that official pages use."""

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


def ern_code(spelling: str) -> str | None:
    """The fixed code for any spelling in use ('ERN eye', 'ERN-EYE', 'Endo-ERN'), or None."""
    return _BY_LETTERS.get(_letters(spelling))


def _letters(text: str) -> str:
    return "".join(c for c in text.upper() if c.isalnum())


_BY_LETTERS = {_letters(code): code for code in ERNS}
