"""Orders of pages: sort keys, their SQL, and the keyset predicates that continue after a position.

Every order ends in the level's UID, ascending, and the UIDs that it is within, innermost first: total, so no row
repeats or is skipped between pages.
Nulls come last in both directions. Walking backwards is the exact mirror.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import asyncpg

from access.scope import Projection
from db.lists.name_search import likeness
from db.lists.text_search import text_rank
from db.lists.where import union_count
from db.params import Params
from model.attributes import KEY_COLUMNS, Level, attribute
from model.cursors import Position
from model.errors import BadInput
from model.filters import Condition, Test, TextTest, ranked_by


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key: `sql` with `{a}` for the row's alias; `shared_sql` where a shared node sorts by its union."""

    name: str
    sql: str
    sql_type: str
    descending: bool = False
    nullable: bool = True
    shared_sql: str | None = None

    def on(self, alias: str, *, shared: bool, projection: Projection, archives: str) -> str:
        template = self.shared_sql if shared and self.shared_sql else self.sql
        return (
            template.replace("{a}", alias).replace("{projection}", projection).replace("{archives}", archives)
        )


def _counted(keyword: str) -> str | None:
    return union_count(attribute(keyword), "{projection}", "{a}", "{archives}")


STUDY_KEYS = {
    "STUDY_DATE": SortKey("STUDY_DATE", "{a}.study_date", "date"),
    "PATIENT_NAME": SortKey("PATIENT_NAME", "fold({a}.patient_name)", "text"),
    "PATIENT_ID": SortKey("PATIENT_ID", "{a}.patient_id", "text"),
    "ACCESSION_NUMBER": SortKey("ACCESSION_NUMBER", "{a}.accession_number", "text"),
    "STUDY_DESCRIPTION": SortKey("STUDY_DESCRIPTION", "fold({a}.study_description)", "text"),
    "PATIENT_BIRTH_DATE": SortKey("PATIENT_BIRTH_DATE", "{a}.patient_birth_date", "date"),
    "MODALITY": SortKey(
        "MODALITY",
        "({a}.modalities)[1]",
        "text",
        shared_sql="({projection}.study_union_modalities({a}.study_uid, {archives}))[1]",
    ),
    "NUMBER_OF_SERIES": SortKey(
        "NUMBER_OF_SERIES",
        "{a}.number_of_series",
        "integer",
        shared_sql=_counted("NumberOfStudyRelatedSeries"),
    ),
    "NUMBER_OF_INSTANCES": SortKey(
        "NUMBER_OF_INSTANCES",
        "{a}.number_of_instances",
        "integer",
        shared_sql=_counted("NumberOfStudyRelatedInstances"),
    ),
    "SYNCED_AT": SortKey("SYNCED_AT", "{a}.synced_at", "timestamptz", nullable=False),
}
SERIES_KEYS = {
    "SERIES_NUMBER": SortKey("SERIES_NUMBER", "{a}.series_number", "integer"),
    "SERIES_DATE": SortKey("SERIES_DATE", "{a}.series_date", "date"),
    "MODALITY": SortKey("MODALITY", "{a}.modality", "text"),
    "SERIES_DESCRIPTION": SortKey("SERIES_DESCRIPTION", "fold({a}.series_description)", "text"),
    "NUMBER_OF_INSTANCES": SortKey(
        "NUMBER_OF_INSTANCES",
        "{a}.number_of_instances",
        "integer",
        shared_sql=_counted("NumberOfSeriesRelatedInstances"),
    ),
}
INSTANCE_KEYS = {
    "INSTANCE_NUMBER": SortKey("INSTANCE_NUMBER", "{a}.instance_number", "integer"),
    "SOP_INSTANCE_UID": SortKey("SOP_INSTANCE_UID", "{a}.sop_uid", "text", nullable=False),
}
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


def order_of(level: Level, sorts: Sequence[Sort], condition: Condition, params: Params) -> "Order":
    """The order that a list asks for; best match first where it ranks. Raises BadInput."""
    ranked = ranked_by(condition) if level is Level.STUDY else None
    if not sorts:
        sorts = _DEFAULTS[level] if ranked is None else (Sort(RELEVANCE, descending=True),)
    fields = [sort.field for sort in sorts]
    if len(set(fields)) < len(fields):
        raise BadInput("orderBy: each field may be named once.")
    return Order(level, tuple(_key(level, sort, ranked, params) for sort in sorts))


def _key(level: Level, sort: Sort, ranked: Condition | None, params: Params) -> SortKey:
    if sort.field == RELEVANCE:
        return replace(_relevance(ranked, params), descending=sort.descending)
    return replace(KEYS[level][sort.field], descending=sort.descending)


def _relevance(ranked: Condition | None, params: Params) -> SortKey:
    """How well a row matches the fuzzy name or the text of the filter, as a number."""
    match ranked:
        case Test(attribute, _, value):
            sql = likeness(params, attribute.column, str(value))
            value = f"{attribute.keyword}={value}"
        case TextTest():
            value = repr(ranked)
            sql = text_rank(params, ranked)
        case _:
            raise BadInput("orderBy: RELEVANCE needs a filter that ranks: `text`, or `fuzzy` of a name.")
    # A position by one term means nothing to another: the cursor's signature carries the term's digest.
    digest = hashlib.blake2s(str(value).encode(), digest_size=8).hexdigest()
    return SortKey(f"{RELEVANCE}({digest})", f"{sql}::double precision", "double precision")


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
        return self.keys == tuple(_key(Level.STUDY, sort, None, Params()) for sort in _DEFAULTS[Level.STUDY])


@dataclass(frozen=True, slots=True)
class Walk:
    """How one statement reads an order: which rows (shared or not), which way; gathered: not along its index."""

    order: Order
    alias: str
    shared: bool
    projection: Projection
    archives: str
    backward: bool
    sorted_plan: bool = False

    @property
    def expressions(self) -> list[str]:
        return [
            key.on(self.alias, shared=self.shared, projection=self.projection, archives=self.archives)
            for key in self.order.keys
        ]

    @property
    def uids(self) -> list[str]:
        """What ends the order."""
        return [f"{self.alias}.{column}" for column in reversed(KEY_COLUMNS[self.order.level])]

    def order_of_page(self, alias: str) -> str:
        """The same ORDER BY of what a query of this order has found: its k0, k1, …, uid."""
        above = reversed(KEY_COLUMNS[self.order.level][:-1])
        keys = [f"{alias}.k{number}" for number in range(len(self.order.keys))]
        return self.order_by(keys, [f"{alias}.{column}" for column in ("uid", *above)])

    def order_by(self, expressions: Sequence[str] | None = None, uids: Sequence[str] | None = None) -> str:
        """ORDER BY terms; for the outer query the names of the columns that hold the keys."""
        terms = []
        for number, (key, expression) in enumerate(
            zip(self.order.keys, expressions or self.expressions, strict=True)
        ):
            if self.sorted_plan and number == 0:  # the same values, but in the order of no index
                expression = f"coalesce({expression}, {expression})"
            descending = key.descending != self.backward
            nulls = "" if not key.nullable else (" nulls first" if self.backward else " nulls last")
            terms.append(f"{expression}{' desc' if descending else ' asc'}{nulls}")
        terms += [f"{uid}{' desc' if self.backward else ' asc'}" for uid in uids or self.uids]
        return ", ".join(terms)

    def regions(self, params: Params, position: Position | None, *, inclusive: bool = False) -> list[str]:
        """Disjoint predicates that together are "beyond the position", each one range of the key's index.

        A single OR would make Postgres read the index from its start; the caller unites the regions.
        """
        if position is None:
            return ["true"]
        bound = self._bind(params, position)
        past = f"{'<' if self.backward else '>'}{'=' if inclusive else ''}"
        bound_uids = [params.add(uid, "text") for uid in (position.uid, *position.above)]
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

    def beyond(self, params: Params, position: Position | None, *, inclusive: bool = False) -> str:
        """The same as one predicate, for small sets that need no index range (children of one parent)."""
        if position is None:
            return "true"
        return "(" + " or ".join(self.regions(params, position, inclusive=inclusive)) + ")"

    def _bind(self, params: Params, position: Position) -> list[str | None]:
        pairs = zip(self.order.keys, position.values, strict=True)
        return [None if value is None else params.add(value, key.sql_type) for key, value in pairs]

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
