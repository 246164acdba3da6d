"""The people of the demo, and the issuer that vouches for them. Their tokens are honoured, none is needed."""

from pathlib import Path

from cli.demo.issuer import DemoIssuer, DemoPerson, key_at
from cli.demo.samples import ARCHIVES

_ERNS = [archive.ern for archive in ARCHIVES]

CLINICIAN = DemoPerson(
    "clinician",
    "demo-clinician",
    "Clinician (demo)",
    "clinician of ERN-EYE: sees its patients in full, annotates, uploads; counts elsewhere",
    {"ERN-EYE": ["full", "annotate", "upload"]},
)
RESEARCHER = DemoPerson(
    "researcher",
    "demo-researcher",
    "Researcher (demo)",
    "researcher across networks: pseudonymised records of all four, and export",
    {ern: ["pseudonymised", "export"] for ern in _ERNS},
)
OFFICER = DemoPerson(
    "officer",
    "demo-officer",
    "Data protection officer (demo)",
    "data protection officer: counts everywhere, and administration",
    {ern: ["counts", "admin"] for ern in _ERNS},
)
PEOPLE = (CLINICIAN, RESEARCHER, OFFICER)


def demo_issuer(base_url: str, folder: Path) -> DemoIssuer:
    """The issuer of a demo at `base_url`; its key stays in `folder`, so that tokens outlive a restart."""
    return DemoIssuer(base_url, key_at(folder / "issuer-key.pem"), PEOPLE)
