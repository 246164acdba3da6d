"""Archives: what they are, how they are, how far their index has come."""

from datetime import datetime
from enum import Enum

import strawberry

from access.scope import AccessLevel
from archives.standing import Standing
from db.archives import ArchiveRow
from db.archives import IndexState as StateOfIndex
from reads.ids import to_id
from reads.reports import trouble
from reads.request import Request
from refresh.reading import Trouble
from resolvers.context import Info
from resolvers.descriptions import described
from resolvers.engine import enum_of
from resolvers.levels import ArchiveKind
from resolvers.node import Node

enum_of(
    AccessLevel,
    "What a person may see of an ERN.",
    {
        AccessLevel.NONE: "Not even counted.",
        AccessLevel.COUNTS: "Statistics only, small ones hidden.",
        AccessLevel.PSEUDONYMISED: "Records with identifying attributes replaced by keyed pseudonyms.",
        AccessLevel.FULL: "Records as stored.",
    },
)


@strawberry.enum(description="What the last look at an archive found.")
class HealthState(Enum):
    UP = strawberry.enum_value("UP", description="It answers as it should.")
    DEGRADED = strawberry.enum_value("DEGRADED", description="It answers, slowly or not to everything.")
    DOWN = strawberry.enum_value("DOWN", description="It does not answer.")
    UNKNOWN = strawberry.enum_value("UNKNOWN", description="Nobody has looked yet.")


@strawberry.enum(description="Whether the answering process asks an archive, or leaves it alone for a while.")
class BreakerState(Enum):
    CLOSED = strawberry.enum_value("CLOSED", description="It is asked.")
    OPEN = strawberry.enum_value(
        "OPEN", description="It failed too often in a row and is not asked before retryAt."
    )
    HALF_OPEN = strawberry.enum_value(
        "HALF_OPEN", description="Its rest is over: one request tries whether it is back."
    )


@strawberry.type(description="What went wrong with an archive: never patient data, URLs or credentials.")
class SourceError:
    code: str = described(
        "A stable code: TIMEOUT, UNREACHABLE, REJECTED, SERVER_ERROR, BAD_ANSWER, NOT_INDEXED, …"
    )
    message: str = described("A sentence for people.")


@strawberry.type(description="A count, or a bound when policy hides a small one.")
class Count:
    value: int | None = described("The count; null when it is hidden, not known, or larger than an Int.")
    at_most: int | None = described(
        "Where the count is hidden: what you may see of it and the most patients that stay hidden."
    )
    suppressed: bool = described("True when policy hides the count.")


@strawberry.type(
    description="The last look at an archive: the indexer's, or what this process has met since."
)
class ArchiveHealth:
    state: HealthState = described("What it found.")
    checked_at: datetime | None = described("When it was.")
    latency_ms: float | None = described("How long the archive took, in milliseconds.")
    error: SourceError | None = described("What was wrong.")
    breaker: BreakerState = described("Whether the process that answers you asks it now.")
    retry_at: datetime | None = described("When it is asked again; null while the breaker is closed.")


@strawberry.type(
    description="One finding of a probe: what the archive really does, whatever the standard says."
)
class Capability:
    name: str = described("What was tried: query_decoding, uid_list, offset, change_feed, …")
    value: str = described("What was found.")


@strawberry.type(
    description="Studies that an archive does not list any more, too many to be removed without a word: "
    "`confirmRemovals` says that it is right. It is settled too when the archive lists them again."
)
class SuspiciousRemoval:
    since: datetime = described("Since when so many are gone; for `confirmRemovals`.")
    studies: Count = described("How many.")
    of_studies: Count = described("Of how many that the index has of this archive.")
    confirmed: bool = described(
        "True when somebody has confirmed it, and a run that removes them is to come."
    )


@strawberry.type(description="How far the index of an archive has come.")
class IndexState:
    studies: Count = described("Studies of this archive in the index.")
    series: Count = described("Series of this archive in the index.")
    instances: Count = described("Instances of this archive in the index; the others are fetched on demand.")
    last_completed_at: datetime | None = described("When the last complete run ended; null: none yet.")
    last_change_at: datetime | None = described("When a run last changed something.")
    running: bool = described("True while a run is under way.")
    progress: float | None = described("Share of the running run that is done, 0 to 1; null when not known.")
    error: SourceError | None = described("Why the last run failed.")
    last_reconciled_at: datetime | None = described(
        "When everything was last compared with the archive, and removed what it no longer had."
    )
    row: strawberry.Private[ArchiveRow]
    access: strawberry.Private[AccessLevel]
    instance_rows: strawberry.Private[int]

    @strawberry.field(
        description="Instances whose whole data set is in the index, so that filters find any attribute of them. Where "
        "runs go down to instances the others follow; elsewhere they are fetched on demand."
    )
    async def data_sets(self, info: Info) -> Count | None:
        if self.access is not AccessLevel.FULL:
            return _count_of(0, self.access)
        lacking = (await info.context.searched_only()).get(self.row.archive_id, 0)
        return _count_of(max(0, self.instance_rows - lacking), self.access)

    @strawberry.field(
        description="At most so many seconds old is the index's picture of the archive: all that it held before "
        "is in the index. Null: no complete run yet."
    )
    async def lag_seconds(self, info: Info) -> float | None:
        lag = (await info.context.job_state(self.row.archive_id)).lag_seconds
        return None if lag is None else round(lag, 1)

    @strawberry.field(description="True while a job of this archive waits for a worker.")
    async def queued(self, info: Info) -> bool | None:
        state = await info.context.job_state(self.row.archive_id)
        return state.kind is not None and not state.running

    @strawberry.field(
        description="What waits for a word of yours; null where nothing does, and for all who lack the verb admin for "
        "the archive's ERN."
    )
    async def suspicious_removal(self, info: Info) -> SuspiciousRemoval | None:
        if not info.context.viewer.administrates(self.row.ern):
            return None
        found = (await info.context.removals()).get(self.row.archive_id)
        if found is None:
            return None
        studies, of_studies = (_count_of(each, self.access) for each in (found.gone, found.total))
        return SuspiciousRemoval(
            since=found.since, studies=studies, of_studies=of_studies, confirmed=found.confirmed
        )

    @strawberry.field(description="When the next run is due; null where none is planned.")
    async def next_run_at(self, info: Info) -> datetime | None:
        return (await info.context.job_state(self.row.archive_id)).next_sync_at if self.row.enabled else None


@strawberry.type(description="One DICOMweb archive of the federation.")
class Archive(Node):
    row: strawberry.Private[ArchiveRow]
    access: AccessLevel = described("What you may see of it.")

    @strawberry.field(description="Global id.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(to_id("Archive", (self.row.code,)))

    @strawberry.field(description="Stable code: lower-case letters, digits and hyphens.")
    def code(self) -> str:
        return self.row.code

    @strawberry.field(
        description="Code of the European Reference Network that it belongs to, or of another declared network."
    )
    def ern(self) -> str:
        return self.row.ern

    @strawberry.field(description="The network's name for people.")
    def ern_title(self, info: Info) -> str:
        return info.context.services.rules.now.networks.titles.get(self.row.ern, self.row.ern)

    @strawberry.field(description="Its name for people.")
    def title(self) -> str:
        return self.row.title

    @strawberry.field(description="What it speaks.")
    def kind(self) -> ArchiveKind:
        return ArchiveKind(self.row.kind)

    @strawberry.field(description="The last look at it.")
    def health(self, info: Info) -> ArchiveHealth:
        client = info.context.services.archives.get(self.row.code)
        return health_of(self.row, client.standing if client else None, self.access)

    @strawberry.field(
        description="What a probe found: offset honoured, wildcards decoded, UID lists, counts, change feed."
    )
    def capabilities(self) -> list[Capability]:
        open_here = self.access is AccessLevel.FULL
        return [
            # "no: what the archive answered": why it can't is for those who may see its answers
            Capability(name=name, value=value if open_here else value.partition(": ")[0])
            for name, value in sorted(self.row.capabilities.items())
        ]

    @strawberry.field(description="How far its index has come.")
    async def index(self, info: Info) -> IndexState | None:
        state = await info.context.index_state(self.row.archive_id)
        return IndexState(
            studies=self._count(state.studies),
            series=self._count(state.series),
            instances=self._count(state.instances),
            last_completed_at=self.row.last_completed_at,
            last_change_at=self.row.last_change_at,
            running=state.running,
            progress=self._progress(state),
            error=source_error(state.error_code, state.error_message, self.access),
            last_reconciled_at=self.row.last_reconciled_at,
            row=self.row,
            access=self.access,
            instance_rows=state.instance_rows,
        )

    def _progress(self, state: StateOfIndex) -> float | None:
        """To the tenth where records are not open: an exact share is a fraction that tells how many there are."""
        if not state.running or not state.total:
            return None
        share = state.done / state.total
        return share if self.access is AccessLevel.FULL else round(share, 1)

    def _count(self, value: int) -> Count:
        return _count_of(value, self.access)


def _count_of(value: int, access: AccessLevel) -> Count:
    """Exact where records are open; elsewhere a change of it by one would tell of one patient."""
    if access is not AccessLevel.FULL:
        return Count(value=None, at_most=None, suppressed=True)
    return Count(value=value, at_most=None, suppressed=False)


def health_of(row: ArchiveRow, standing: Standing | None, access: AccessLevel) -> ArchiveHealth:
    """The indexer's last look, but where this process knows better: it is kept from asking, or was answered."""
    breaker = standing.breaker if standing else None
    health = ArchiveHealth(
        state=HealthState[row.health_state],
        checked_at=row.health_checked_at,
        latency_ms=row.health_latency_ms,
        error=source_error(row.health_error_code, row.health_error_message, access),
        breaker=BreakerState[breaker.state.name] if breaker else BreakerState.CLOSED,
        retry_at=breaker.retry_at if breaker else None,
    )
    if breaker is not None and breaker.last_error is not None and breaker.opened_at is not None:
        error = breaker.last_error
        health.state, health.checked_at, health.latency_ms = HealthState.DOWN, breaker.opened_at, None
        health.error = source_error(error.code, error.message, access)
    elif health.state is HealthState.DOWN and standing and _is_newer(standing.answered_at, health.checked_at):
        health.state, health.checked_at = HealthState.UP, standing.answered_at
        health.latency_ms, health.error = standing.latency_ms, None
    return health


def _is_newer(answered: datetime | None, looked: datetime | None) -> bool:
    return answered is not None and (looked is None or answered > looked)


def source_error(code: str | None, message: str | None, access: AccessLevel) -> SourceError | None:
    """The GraphQL type of an error that is kept as two columns."""
    return error_of(None if code is None else trouble(code, message, access))


def error_of(trouble: Trouble | None) -> SourceError | None:
    """The GraphQL type of what is wrong with an archive."""
    return None if trouble is None else SourceError(code=trouble.code, message=trouble.message)


def archive_of(context: Request, row: ArchiveRow) -> Archive:
    """The node of an archive, with what the viewer may see of it."""
    return Archive(row=row, access=context.viewer.access_to(row.ern))
