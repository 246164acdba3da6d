"""Orders of pages: sort keys, their SQL, and the keyset predicates that continue after a position.

Every order ends in the level's UID, ascending, and the UIDs that it is within, innermost first: total, so no row
repeats or is skipped between pages.
Nulls come last in both directions. Walking backwards is the exact mirror.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import asyncpg

from access.scope import Projection
from db.lists.name_search import likeness
from db.lists.text_search import text_rank
from db.lists.where import union_of
from db.params import Params
from model.attributes import KEY_COLUMNS, Level, attribute
from model.cursors import Position
from model.errors import BadInput
from model.filters import Condition, Test, TextTest, ranked_by


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key. `sql`: what a row sorts by, as a walk reads it."""

    name: str
    sql: Callable[["Walk"], str]
    sql_type: str
    descending: bool = False
    nullable: bool = True


def _column(column: str) -> Callable[["Walk"], str]:
    return lambda walk: f"{walk.alias}.{column}"


def _folded(column: str) -> Callable[["Walk"], str]:
    return lambda walk: f"fold({walk.alias}.{column})"


def _united(keyword: str) -> Callable[["Walk"], str]:
    """Of a shared node what the union of its copies has."""
    of = attribute(keyword)

    def sql(walk: "Walk") -> str:
        union = union_of(of, walk.projection, walk.alias, walk.archives) if walk.shared else None
        return union or f"{walk.alias}.{of.column}"

    return sql


def _first_modality(walk: "Walk") -> str:
    return f"({_united('ModalitiesInStudy')(walk)})[1]"


def _named(*keys: SortKey) -> dict[str, SortKey]:
    return {key.name: key for key in keys}


STUDY_KEYS = _named(
    SortKey("STUDY_DATE", _column("study_date"), "date"),
    SortKey("PATIENT_NAME", _folded("patient_name"), "text"),
    SortKey("PATIENT_ID", _column("patient_id"), "text"),
    SortKey("ACCESSION_NUMBER", _column("accession_number"), "text"),
    SortKey("STUDY_DESCRIPTION", _folded("study_description"), "text"),
    SortKey("PATIENT_BIRTH_DATE", _column("patient_birth_date"), "date"),
    SortKey("MODALITY", _first_modality, "text"),
    SortKey("NUMBER_OF_SERIES", _united("NumberOfStudyRelatedSeries"), "integer"),
    SortKey("NUMBER_OF_INSTANCES", _united("NumberOfStudyRelatedInstances"), "integer"),
    SortKey("SYNCED_AT", _column("synced_at"), "timestamptz", nullable=False),
)
SERIES_KEYS = _named(
    SortKey("SERIES_NUMBER", _column("series_number"), "integer"),
    SortKey("SERIES_DATE", _column("series_date"), "date"),
    SortKey("MODALITY", _column("modality"), "text"),
    SortKey("SERIES_DESCRIPTION", _folded("series_description"), "text"),
    SortKey("NUMBER_OF_INSTANCES", _united("NumberOfSeriesRelatedInstances"), "integer"),
)
INSTANCE_KEYS = _named(
    SortKey("INSTANCE_NUMBER", _column("instance_number"), "integer"),
    SortKey("SOP_INSTANCE_UID", _column("sop_uid"), "text", nullable=False),
)
KEYS = {Level.STUDY: STUDY_KEYS, Level.SERIES: SERIES_KEYS, Level.INSTANCE: INSTANCE_KEYS}


@dataclass(frozen=True, slots=True)
class Sort:
    """One entry of an orderBy argument: a field of the level's order enum and its direction."""

    field: str
    descending: bool = False


RELEVANCE = "RELEVANCE"
_DEFAULTS = {
    Level.STUDY: (Sort("STUDY_DATE", descending=True),),
    Level.SERIES: (Sort("SERIES_NUMBER"),),
    Level.INSTANCE: (Sort("INSTANCE_NUMBER"),),
}


def order_of(level: Level, sorts: Sequence[Sort], condition: Condition) -> "Order":
    """The order that a list asks for; best match first where it ranks. Raises BadInput."""
    ranked = ranked_by(condition) if level is Level.STUDY else None
    if not sorts:
        sorts = _DEFAULTS[level] if ranked is None else (Sort(RELEVANCE, descending=True),)
    fields = [sort.field for sort in sorts]
    if len(set(fields)) < len(fields):
        raise BadInput("orderBy: each field may be named once.")
    return Order(level, tuple(_key(level, sort, ranked) for sort in sorts))


def _key(level: Level, sort: Sort, ranked: Condition | None) -> SortKey:
    if sort.field == RELEVANCE:
        return replace(_relevance(ranked), descending=sort.descending)
    return replace(KEYS[level][sort.field], descending=sort.descending)


def _relevance(ranked: Condition | None) -> SortKey:
    """How well a row matches the fuzzy name or the text of the filter, as a number."""
    match ranked:
        case Test(attribute, _, value):
            name, of = f"{attribute.keyword}={value}", likeness(attribute.column, str(value))
        case TextTest():
            name, of = repr(ranked), text_rank(ranked)
        case _:
            raise BadInput("orderBy: RELEVANCE needs a filter that ranks: `text`, or `fuzzy` of a name.")
    # A position by one term means nothing to another: the cursor's signature carries the term's digest.
    digest = hashlib.blake2s(name.encode(), digest_size=8).hexdigest()

    def sql(walk: "Walk") -> str:
        return f"{of(walk.params, walk.alias)}::double precision"

    return SortKey(f"{RELEVANCE}({digest})", sql, "double precision")


@dataclass(frozen=True, slots=True)
class Order:
    """A level's sort keys in sequence; the UIDs that end every order are implied."""

    level: Level
    keys: tuple[SortKey, ...]

    @property
    def signature(self) -> str:
        """What a cursor is bound to: the same text means the same order."""
        keys = ",".join(f"{key.name}{'-' if key.descending else '+'}" for key in self.keys)
        return f"{self.level}:{keys}"

    def position(self, row: asyncpg.Record) -> Position:
        """Where a row of a page stands: its k0, k1, …, and its UIDs."""
        values = tuple(row[f"k{number}"] for number in range(len(self.keys)))
        above = reversed(KEY_COLUMNS[self.level][:-1])
        return Position(values, row["uid"], tuple(row[column] for column in above))

    @property
    def is_newest_first(self) -> bool:
        """The order of studies that lists have when nothing else is asked for."""
        return self.keys == tuple(_key(Level.STUDY, sort, None) for sort in _DEFAULTS[Level.STUDY])

    def of_found(self, alias: str, *, backward: bool) -> str:
        """ORDER BY of what a query of this order has found: its k0, k1, …, uid."""
        keys = [f"{alias}.k{number}" for number in range(len(self.keys))]
        above = reversed(KEY_COLUMNS[self.level][:-1])
        return self.terms(keys, [f"{alias}.{column}" for column in ("uid", *above)], backward=backward)

    def terms(self, keys: Sequence[str], uids: Sequence[str], *, backward: bool) -> str:
        """ORDER BY of the SQL of each key, and of the UIDs that end the order."""
        terms = []
        for key, expression in zip(self.keys, keys, strict=True):
            direction = " desc" if key.descending != backward else " asc"
            nulls = "" if not key.nullable else (" nulls first" if backward else " nulls last")
            terms.append(f"{expression}{direction}{nulls}")
        terms += [f"{uid}{' desc' if backward else ' asc'}" for uid in uids]
        return ", ".join(terms)


@dataclass(frozen=True, slots=True)
class Walk:
    """How one statement reads an order: which rows (shared or not), which way; sorted_plan: not along its index.
    archives: SQL of the visible ones."""

    params: Params
    order: Order
    alias: str
    shared: bool
    projection: Projection
    archives: str
    backward: bool
    sorted_plan: bool = False

    @property
    def expressions(self) -> list[str]:
        return [key.sql(self) for key in self.order.keys]

    @property
    def uids(self) -> list[str]:
        """What ends the order."""
        return [f"{self.alias}.{column}" for column in reversed(KEY_COLUMNS[self.order.level])]

    @property
    def order_by(self) -> str:
        """ORDER BY of the rows."""
        first, *others = self.expressions
        if self.sorted_plan:  # the same values, but in the order of no index
            first = f"coalesce({first}, {first})"
        return self.order.terms([first, *others], self.uids, backward=self.backward)

    def regions(self, position: Position | None, *, inclusive: bool = False) -> list[str]:
        """Disjoint predicates that together are "beyond the position", each one range of the key's index.

        A single OR would make Postgres read the index from its start; the caller unites the regions.
        """
        if position is None:
            return ["true"]
        bound = self._bind(position)
        past = f"{'<' if self.backward else '>'}{'=' if inclusive else ''}"
        bound_uids = [self.params.add(uid, "text") for uid in (position.uid, *position.above)]
        uid_test = f"({', '.join(self.uids)}) {past} ({', '.join(bound_uids)})"
        if not bound:
            return [uid_test]
        first, value = self.expressions[0], bound[0]
        ties = self._beyond(1, bound, uid_test)
        if value is None:
            regions = [f"({first} is null and {ties})"]
            return [*regions, f"{first} is not null"] if self.backward else regions
        regions = [f"({first} = {value} and {ties})", f"{first} {self._past(0)} {value}"]
        if self.order.keys[0].nullable and not self.backward:
            regions.append(f"{first} is null")
        return regions

    def beyond(self, position: Position | None, *, inclusive: bool = False) -> str:
        """The same as one predicate, for small sets that need no index range (children of one parent)."""
        if position is None:
            return "true"
        return "(" + " or ".join(self.regions(position, inclusive=inclusive)) + ")"

    def _bind(self, position: Position) -> list[str | None]:
        pairs = zip(self.order.keys, position.values, strict=True)
        return [None if value is None else self.params.add(value, key.sql_type) for key, value in pairs]

    def _past(self, index: int) -> str:
        return "<" if self.order.keys[index].descending != self.backward else ">"

    def _beyond(self, index: int, bound: list[str | None], uid_test: str) -> str:
        """Lexicographic comparison from the key at `index` on."""
        if index == len(bound):
            return uid_test
        expression, value = self.expressions[index], bound[index]
        rest = self._beyond(index + 1, bound, uid_test)
        if value is None:
            equal = f"({expression} is null and {rest})"
            return f"({expression} is not null or {equal})" if self.backward else equal
        parts = [f"{expression} {self._past(index)} {value}", f"({expression} = {value} and {rest})"]
        if self.order.keys[index].nullable and not self.backward:
            parts.append(f"{expression} is null")
        return f"({' or '.join(parts)})"
