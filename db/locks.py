"""The advisory locks of the database. Every key stands here: two things that shared one would wait for each other.

Postgres keeps keys of one bigint and keys of two integers apart.
"""

from enum import IntEnum, unique
from typing import Final

_ERNF: Final = 0x65726E66  # 'ernf'

LEASES: Final = _ERNF
"""Class of the leases of runs; the object is the archive_id (db/indexing/runs.py)."""


@unique
class Lock(IntEnum):
    """Keys of one bigint. What takes its key from a text (cohorts of a person) is above 2^32 but by chance."""

    MIGRATIONS = _ERNF
    """Whoever brings the schema up to date."""
    AUDIT = 1634493799
    """The writer of the audit trail: 0003_audit.sql takes it."""
    INDEX = _ERNF << 32 | 1
    """Writers of the index, from their first row to their commit."""
    CONSENTS = _ERNF << 32 | 2
    """Makers of pseudonymised rows share it, a change of consents has it alone."""
    DECLARED_INDEXES = _ERNF << 32 | 3
    """Whoever builds indexes of declared attributes."""
    DEFINITIONS = _ERNF << 32 | 4
    """A change of the definitions of archives."""
    PSEUDONYM_EVENTS = _ERNF << 32 | 5
    """The writer of pseudonymised events."""
