"""The one protocol of ernfed: what every archive client can do, and the shapes it speaks in.

Rows are DICOM JSON objects (PS3.18 Annex F) as plain dicts, one a study, series or instance.
Every method raises an ArchiveError (errors.py) and nothing else, inside the archive's deadline: the
`timeout` of archives.toml, counted from the call and started anew by each page that arrives. Who needs
a total puts asyncio.timeout around the call: a cancelled call frees its connection at once.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, BinaryIO, Protocol, runtime_checkable

from archives.standing import Standing
from config.archives_file import ArchiveConfig
from model.attributes import Key

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Selection:
    """What to search for. Only what real archives answer right: UIDs, patient ID, dates, modality.

    Empty means all. `study_date` is inclusive on both ends; None is open; undated studies are in no range.
    undated: only studies without a StudyDate (what a full pass by date windows leaves over).
    Where both study and series UIDs are known, give both: an archive without top-level routes needs them.
    most: read no more than so many studies (a search by UID reads all); more than that is an incomplete answer.
    expected: by parent's UID, how many children the archive said that it has: an answer with as many is whole, and
    need not be asked for its end. One with fewer or more proves nothing.
    """

    study_uids: Sequence[str] = ()
    series_uids: Sequence[str] = ()
    sop_uids: Sequence[str] = ()
    patient_id: str | None = None
    modality: str | None = None
    study_date: tuple[date | None, date | None] | None = None
    undated: bool = False
    most: int | None = None
    expected: Mapping[str, int] = field(default_factory=dict, hash=False)

    @classmethod
    def of_studies(cls, studies: Iterable[Key]) -> "Selection":
        """These studies."""
        return cls(study_uids=[study for (study,) in studies])

    @classmethod
    def of_series(cls, series: Iterable[Key]) -> "Selection":
        """These series, (study, series). Its answer may also hold a series of the same UID in another of the studies:
        see `told_apart`."""
        pairs = list(series)
        return cls(sorted({study for study, _ in pairs}), list(dict.fromkeys(uid for _, uid in pairs)))


def told_apart(series: Iterable[Key]) -> list[list[Key]]:
    """Series (study, series) in lists that can be asked for at once: UIDs that several of them have are asked for
    study by study, so that it shows when one of them is not answered."""
    pairs = sorted(set(series))
    studies = Counter(uid for _, uid in pairs)
    lists: defaultdict[str | None, list[Key]] = defaultdict(list)
    for study, uid in pairs:
        lists[study if studies[uid] > 1 else None].append((study, uid))
    return list(lists.values())


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows of a search, each once and each re-checked against the selection.

    complete: False when the archive holds more than it gave, or that cannot be found out (it says that there is more,
    a page does not move on), with the reason in `incomplete_because`.
    unending: it is not complete as its pages went on beyond all that is read; nothing of it is believed, no rows.
    unasked: how many rows it sent that do not match the selection. requests: how many HTTP requests it took.
    unread: rows that name nothing (unread.py), of whatever they may be.
    """

    rows: list[Row]
    complete: bool = True
    incomplete_because: str | None = None
    requests: int = 1
    unending: bool = False
    unasked: int = 0
    unread: list[Row] = field(default_factory=list)

    @property
    def all_rows(self) -> list[Row]:
        """What came, that which names nothing last."""
        return [*self.rows, *self.unread]


@dataclass(frozen=True, slots=True)
class ArchiveChange:
    """One entry of a change feed: a study was new, changed or deleted after `sequence`."""

    sequence: int
    study_uid: str | None
    kind: str  # new | changed | deleted
    native_id: str | None = None


@dataclass(frozen=True, slots=True)
class ChangePage:
    """A page of the change feed. `last` is the sequence to continue from."""

    changes: list[ArchiveChange]
    last: int
    done: bool


@dataclass(frozen=True, slots=True)
class Health:
    """One look at the archive: 'UP', 'DEGRADED' or 'DOWN', with the error that makes it so."""

    state: str
    latency_ms: float | None = None
    error_code: str | None = None
    error_message: str | None = None


@dataclass(frozen=True, slots=True)
class Spooled:
    """A DICOM file that lies at `start` in another one, and is read from there when it is sent. uids: of study, series
    and instance."""

    file: BinaryIO
    start: int
    size: int
    uids: Key
    sop_class: str | None = None


@dataclass(frozen=True, slots=True)
class StoreResult:
    """Judged by the sequences of the STOW-RS answer (PS3.18 10.5.3), never by its status. codes: FailureReason of each
    instance that it names as failed, None where it gives none."""

    stored: list[str]
    failed: list[tuple[str | None, str]] = field(default_factory=list)
    codes: dict[str, int | None] = field(default_factory=dict)


class ArchiveClient(Protocol):
    """One archive. Safe to share between tasks; never more than `max_connections` requests at once."""

    config: ArchiveConfig
    standing: Standing

    async def search_studies(self, selection: Selection) -> Answer: ...

    async def search_series(self, selection: Selection) -> Answer: ...

    async def search_instances(self, selection: Selection) -> Answer: ...

    async def metadata(
        self, study_uid: str, series_uid: str | None = None, sop_uid: str | None = None
    ) -> list[Row]:
        """Full data sets without bulk data (WADO-RS RetrieveMetadata). [] when it is not there."""
        ...

    async def representative(self, study_uid: str, series_uid: str) -> Row | None:
        """The full data set of one instance of a series, which one is the archive's choice. None for a series
        that is not there. Raises NotSupported where the archive gives no whole data sets."""
        ...

    async def list_study_uids(self) -> list[str] | None:
        """Every StudyInstanceUID, in one cheap and complete listing; None where there is none."""
        ...

    async def last_change(self) -> int | None:
        """Newest sequence of the change feed, None where there is no feed."""
        ...

    async def changes(self, since: int, limit: int = 1000) -> ChangePage:
        """Changes after `since`. Raises NotSupported where there is no feed."""
        ...

    async def store(self, files: Iterable[bytes | Spooled]) -> StoreResult:
        """STOW-RS of DICOM Part 10 files, sent once; store_surely.py asks for what the answer does not tell of."""
        ...

    async def health(self) -> Health:
        """Looks now, however often the archive has failed: this is the trial that closes its breaker."""
        ...

    async def probe(self) -> dict[str, str]:
        """What the archive can really do, found by asking it: name → value, both for people to read."""
        ...

    def needs_probe(self, known: Mapping[str, str]) -> str | None:
        """Why `known`, which a probe found earlier, may no longer hold; None: nothing speaks against it."""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class Reconciled(Protocol):
    """What an archive can that is looked over at each run, at little cost: deletions are in no feed."""

    async def copies(self) -> dict[str, int]:
        """Every StudyInstanceUID, and under how many patients it stands: one complete listing."""
        ...

    async def feed_marks(self, upto: int) -> dict[int, str]:
        """The newest entries of the change feed up to a sequence, sequence → digest. While it is the same feed,
        later answers for the same sequence hold the same digests, of fewer entries perhaps."""
        ...

    async def totals(self) -> tuple[int, int]:
        """How many series and instances it holds."""
        ...
