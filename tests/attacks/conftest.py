"""The application of the leak tests: a filled index, an issuer, four people."""

from tests.leaks.conftest import _quiet, app, seeded

__all__ = ["_quiet", "app", "seeded"]
