"""The scope: which archives' records a viewer may read. Every read of the index requires one.

Archives stand in rank order: the first one that holds a copy gives a node its attributes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class AccessLevel(StrEnum):
    """What an ERN lets a person see."""

    NONE = "NONE"
    COUNTS = "COUNTS"
    PSEUDONYMISED = "PSEUDONYMISED"
    FULL = "FULL"


class Projection(StrEnum):
    """Which copies a scope reads; the value is the schema of its views (db/views.sql).

    IDENTIFIED: as stored. PSEUDONYMISED: with identifying attributes replaced. A node belongs to one of these.
    COUNTS: what statistics are made of; no node comes from there.
    """

    IDENTIFIED = "records"
    PSEUDONYMISED = "pseudonyms"
    COUNTS = "counts"


@dataclass(frozen=True, slots=True)
class Grant:
    """One ERN's answer to one person."""

    ern: str
    access: AccessLevel
    verbs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is asking."""

    subject: str
    name: str | None
    grants: tuple[Grant, ...]
    # ERNs whose pseudonymised records this person may see only with the patient's consent to research
    consent_needed: frozenset[str] = frozenset()

    def access_to(self, ern: str) -> AccessLevel:
        """The level for an ERN; NONE where nothing is granted."""
        return next((grant.access for grant in self.grants if grant.ern == ern), AccessLevel.NONE)

    def administrates(self, ern: str) -> bool:
        """Whether the verb admin is granted for an ERN."""
        return any(grant.ern == ern and "admin" in grant.verbs for grant in self.grants)

    def needs_consent(self, ern: str) -> bool:
        """True where pseudonymised records need the patient's consent to research."""
        return ern in self.consent_needed


@dataclass(frozen=True, slots=True)
class ScopedArchive:
    """What the scope needs to know of an archive."""

    archive_id: int
    code: str
    ern: str


@dataclass(frozen=True, slots=True)
class Scope:
    """`visible`: archives whose records may be read, in rank order. `asked`: those that a query names.

    Conditions look at copies in `asked`; attributes, ranks and locations at copies in `visible`, so that a
    node is the same node whichever query found it.
    """

    visible: tuple[ScopedArchive, ...]
    asked: tuple[ScopedArchive, ...]
    projection: Projection = Projection.IDENTIFIED

    @property
    def visible_ids(self) -> list[int]:
        return [archive.archive_id for archive in self.visible]

    @property
    def asked_ids(self) -> list[int]:
        return [archive.archive_id for archive in self.asked]

    @property
    def asks_everything(self) -> bool:
        return len(self.asked) == len(self.visible)


@dataclass(frozen=True, slots=True)
class AccessScope:
    """Everything that a viewer may read, by projection. `counted`: statistics only.

    `consented`: archives whose pseudonymised records need the patient's consent to research.
    """

    records: Scope
    pseudonyms: Scope
    counted: tuple[ScopedArchive, ...] = ()
    consented: tuple[ScopedArchive, ...] = ()

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The scopes that hold anything; the records' one where none does."""
        return tuple(scope for scope in (self.records, self.pseudonyms) if scope.visible) or (self.records,)

    @property
    def archives(self) -> tuple[ScopedArchive, ...]:
        """Every archive that the viewer may name."""
        return (*self.records.visible, *self.pseudonyms.visible, *self.counted)

    @property
    def projections(self) -> tuple[Scope, Scope]:
        return self.records, self.pseudonyms

    @property
    def full_ids(self) -> list[int]:
        return self.records.visible_ids

    @property
    def pseudonymised_ids(self) -> list[int]:
        return self.pseudonyms.visible_ids

    @property
    def counted_ids(self) -> list[int]:
        return [archive.archive_id for archive in self.counted]

    @property
    def consented_ids(self) -> list[int]:
        return [archive.archive_id for archive in self.consented]


def access_scope_of(viewer: Viewer, archives: Iterable[ScopedArchive]) -> AccessScope:
    """What `viewer` may read of each archive, by the grants of its ERN."""
    groups: dict[AccessLevel, list[ScopedArchive]] = {level: [] for level in AccessLevel}
    consented = []
    for archive in archives:
        access = viewer.access_to(archive.ern)
        groups[access].append(archive)
        if access is AccessLevel.PSEUDONYMISED and viewer.needs_consent(archive.ern):
            consented.append(archive)
    full, pseudonymised = tuple(groups[AccessLevel.FULL]), tuple(groups[AccessLevel.PSEUDONYMISED])
    return AccessScope(
        records=Scope(full, full, Projection.IDENTIFIED),
        pseudonyms=Scope(pseudonymised, pseudonymised, Projection.PSEUDONYMISED),
        counted=tuple(groups[AccessLevel.COUNTS]),
        consented=tuple(consented),
    )


def everyone_here(erns: Iterable[str]) -> Viewer:
    """The viewer of a server without an issuer, which listens on loopback only: FULL everywhere."""
    verbs = ("full", "annotate", "upload", "export", "admin")
    return Viewer("local", None, tuple(Grant(ern, AccessLevel.FULL, verbs) for ern in sorted(set(erns))))
