"""The scope: which archives' records a viewer may read. Every read of the index requires one.

Archives stand in rank order: the first one that holds a copy gives a node its attributes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from model.errors import NotFound


class AccessLevel(StrEnum):
    """What an ERN lets a person see."""

    NONE = "NONE"
    COUNTS = "COUNTS"
    PSEUDONYMISED = "PSEUDONYMISED"
    FULL = "FULL"


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

    def access_to(self, ern: str) -> AccessLevel:
        """The level for an ERN; NONE where nothing is granted."""
        return next((grant.access for grant in self.grants if grant.ern == ern), AccessLevel.NONE)


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

    @property
    def visible_ids(self) -> list[int]:
        return [archive.archive_id for archive in self.visible]

    @property
    def asked_ids(self) -> list[int]:
        return [archive.archive_id for archive in self.asked]

    @property
    def asks_everything(self) -> bool:
        return len(self.asked) == len(self.visible)

    def asking(self, codes: Sequence[str] | None) -> "Scope":
        """The same scope for a query that names archives. Raises NotFound.

        A code that exists but may not be seen answers as one that does not exist.
        """
        if codes is None:
            return self
        by_code = {archive.code: archive for archive in self.visible}
        unknown = sorted({code for code in codes if code not in by_code})
        if unknown:
            raise NotFound(
                f"archives: no archive with the code {', '.join(repr(code[:64]) for code in unknown[:5])}; "
                "`archives { code }` lists those that you can ask."
            )
        wanted = set(codes)
        return Scope(self.visible, tuple(archive for archive in self.visible if archive.code in wanted))


def scope_of(viewer: Viewer, archives: Iterable[ScopedArchive]) -> Scope:
    """The records that `viewer` may read as stored."""
    visible = tuple(archive for archive in archives if viewer.access_to(archive.ern) is AccessLevel.FULL)
    return Scope(visible, visible)


def everyone_here(erns: Iterable[str]) -> Viewer:
    """The viewer of a server without an issuer, which listens on loopback only: FULL everywhere."""
    verbs = ("full", "annotate", "upload", "export", "admin")
    return Viewer("local", None, tuple(Grant(ern, AccessLevel.FULL, verbs) for ern in sorted(set(erns))))
