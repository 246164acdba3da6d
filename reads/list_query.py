"""Which archives a list asks, and what is known of its gaps before it is answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from access.identifying import asks_for_identity
from access.scope import AccessScope, Projection, Scope, ScopedArchive
from archives.errors import ArchiveError
from db.lists.orders import Sort
from model.errors import NotFound
from model.filters import CohortTest, Condition, walk
from refresh.live import Fresh


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What a list lacks, by archive_id."""

    failures: Mapping[int, ArchiveError] = field(default_factory=dict)
    not_indexed: frozenset[int] = frozenset()
    unsearched: frozenset[int] = frozenset()
    forbidden: frozenset[int] = frozenset()
    identifying: frozenset[int] = frozenset()
    outside: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class ListQuery:
    """`scopes`: what is read. `asked`: every archive that gets a report, in rank order."""

    scopes: tuple[Scope, ...]
    asked: tuple[ScopedArchive, ...]
    shortfall: Shortfall = field(default_factory=Shortfall)
    # archives whose records the viewer may not see make an answer incomplete when the query names them
    is_named: bool = True
    # what asking the archives now has brought; None: nobody was to be asked
    fresh: Fresh | None = None

    def lacking(
        self,
        failures: Mapping[int, ArchiveError],
        not_indexed: frozenset[int],
        unsearched: frozenset[int],
    ) -> "ListQuery":
        """The same list query, with what could not be fetched for it."""
        shortfall = replace(self.shortfall, failures=failures, not_indexed=not_indexed, unsearched=unsearched)
        return replace(self, shortfall=shortfall)


def list_query_of(
    access_scope: AccessScope, codes: Sequence[str] | None, condition: Condition, sorts: Sequence[Sort]
) -> ListQuery:
    """What a list with these arguments asks. Raises NotFound for an archive that the viewer cannot name."""
    named = named_archives(access_scope, codes)
    scopes = tuple(_narrowed(scope, named) for scope in access_scope.scopes)
    asked = tuple(archive for scope in scopes for archive in scope.asked)
    forbidden = tuple(archive for archive in access_scope.counted if named is None or archive.code in named)
    skipped: tuple[ScopedArchive, ...] = ()
    if asks_for_identity(condition, [sort.field for sort in sorts]):
        skipped = tuple(
            a for scope in scopes if scope.projection is Projection.PSEUDONYMISED for a in scope.asked
        )
        scopes = tuple(scope for scope in scopes if scope.projection is Projection.IDENTIFIED) or (
            access_scope.records,
        )
    outside = outside_of(condition, scopes)
    scopes = tuple(_without(scope, outside) for scope in scopes)
    shortfall = Shortfall(
        outside=outside,
        forbidden=frozenset(archive.archive_id for archive in forbidden),
        identifying=frozenset(archive.archive_id for archive in skipped),
    )
    return ListQuery(scopes, asked + forbidden, shortfall, is_named=named is not None or not asked)


def outside_of(condition: Condition, scopes: Sequence[Scope]) -> frozenset[int]:
    """Asked archives in which a cohort of the condition cannot be read: it did not ask them as they are seen."""
    tests = [here for here in walk(condition) if isinstance(here, CohortTest)]
    return frozenset(
        archive.archive_id
        for scope in scopes
        for archive in scope.asked
        if not all((str(scope.projection), archive.archive_id) in test.readable for test in tests)
    )


def _without(scope: Scope, outside: frozenset[int]) -> Scope:
    if not outside:
        return scope
    return replace(scope, asked=tuple(each for each in scope.asked if each.archive_id not in outside))


def named_archives(access_scope: AccessScope, codes: Sequence[str] | None) -> set[str] | None:
    """The codes asked for, each one known to this viewer: one that they may not see answers as none."""
    if codes is None:
        return None
    known = {archive.code for scope in access_scope.scopes for archive in scope.visible}
    known |= {archive.code for archive in access_scope.counted}
    unknown = sorted(set(codes) - known)
    if unknown:
        raise NotFound(
            f"archives: no archive with the code {', '.join(repr(code[:64]) for code in unknown[:5])}; "
            "`archives { code }` lists those that you can ask."
        )
    return set(codes)


def _narrowed(scope: Scope, named: set[str] | None) -> Scope:
    if named is None:
        return scope
    return replace(scope, asked=tuple(archive for archive in scope.visible if archive.code in named))
