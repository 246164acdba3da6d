"""The archives of a running process, and what their ERNs let whom see: both follow archives.toml, archives also the
database, without a restart."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from access.pseudonyms import Pseudonymiser
from archives.registry import Archives
from cli.runner import beside
from config.access_file import AccessRules, load_access_rules
from config.archives_file import ArchiveConfig, ArchivesFileError, load_archives
from config.pseudonym_keys import PseudonymKeysError
from db.definitions import Definition, definitions, heed, sync_archives
from db.outage import is_told
from db.pool import Database
from model.erns import ERNS_ALONE, Networks

LOOK_EVERY = 2.0  # seconds; a change that another process makes is told at once
SETTLED_AFTER = 0.5  # a file that changes within this may be half written
_log = structlog.get_logger(__name__)

_Stamp = tuple[int, int, int]


@dataclass(slots=True)
class LiveArchives:
    """ids, makers, codes: of the archives that are asked, changed in place. maker_of: the pseudonymiser of an ERN.

    rules: what the ERNs say, as of the file's last good state; archives that are not in the file are under it too.
    told: called after each change of archives, ruled: after one of the rules, before anything else is done.
    problem: what is wrong with the file; what it said before holds on.
    """

    file: Path
    database: Database
    archives: Archives
    maker_of: Callable[[str], Pseudonymiser]
    ids: dict[str, int] = field(default_factory=dict)
    makers: dict[int, Pseudonymiser] = field(default_factory=dict)
    codes: dict[int, str] = field(default_factory=dict)
    rules: AccessRules = field(default_factory=AccessRules)
    told: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    ruled: list[Callable[[AccessRules], None]] = field(default_factory=list)
    problem: str | None = None
    _known: list[Definition] = field(default_factory=list)
    _networks: Networks = ERNS_ALONE
    _read: _Stamp | None = None
    _seen: _Stamp | None = None
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def read_file(self) -> None:
        """Takes over the file's rules and writes its archives into the database, if it changed. Raises
        ArchivesFileError: nothing of the file is taken over then."""
        stamp = _stamp(self.file)
        if stamp is not None and stamp == self._read:
            return
        self._read = self._seen = stamp
        configs = await asyncio.to_thread(load_archives, self.file)
        rules = await asyncio.to_thread(load_access_rules, self.file)
        if _stamp(self.file) != stamp:
            self._read = None  # written meanwhile: the next look reads it whole
            return
        self.problem = None
        if rules != self.rules:
            self.rules = rules
            for tell in self.ruled:
                tell(rules)
            _log.info("access.followed", policies=len(rules.by_ern), groups=len(rules.groups))
        await sync_archives(self.database, configs)

    async def look(self) -> None:
        """Follows the definitions in the database."""
        async with self._one_at_a_time:
            found = await definitions(self.database)
            if (found, self.rules.networks) == (self._known, self._networks):
                return
            asked = [
                each for each in found if not each.disabled and self._is_known(each) and self._has_maker(each)
            ]
            self.archives.follow(each.config for each in asked)
            self.ids.clear()
            self.ids |= {each.config.code: each.archive_id for each in asked}
            self._known, self._networks = found, self.rules.networks
            for tell in self.told:
                await tell()

    async def run(self) -> None:
        """Follows until it is cancelled. What fails is logged and tried again."""
        woken = asyncio.Event()
        async with beside("archives.heeding", heed(self.database.url, woken.set)):
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(woken.wait(), LOOK_EVERY if self._settled() else SETTLED_AFTER)
                woken.clear()
                await self._turn()

    def _settled(self) -> bool:
        """Whether the file is as it was at the last look: who writes it begins with an empty one, and an ERN without
        a policy would be open for a moment."""
        return _stamp(self.file) == self._seen

    async def _turn(self) -> None:
        settled, self._seen = self._settled(), _stamp(self.file)
        try:
            if settled:
                await self.read_file()
        except ArchivesFileError as error:
            if str(error) != self.problem:
                self.problem = str(error)
                _log.error("archives.toml cannot be used: its last good state holds on", problem=self.problem)
        except Exception as error:
            self._read = None  # the database, most likely
            if not is_told(error):
                _log.error("archives.not_followed", error=type(error).__name__)
            return
        try:
            await self.look()
        except Exception as error:
            if not is_told(error):
                _log.exception("archives.not_followed")

    def _is_known(self, each: Definition) -> bool:
        """An archive of the API may be of a network that archives.toml no longer declares."""
        if each.config.ern in self.rules.networks:
            return True
        _log.error(
            "archive left out", archive=each.config.code, problem=f"no [[network]] declares {each.config.ern}"
        )
        return False

    def _has_maker(self, each: Definition) -> bool:
        config: ArchiveConfig = each.config
        try:
            self.makers[each.archive_id] = self.maker_of(config.ern)
        except PseudonymKeysError as error:
            _log.error("archive left out", archive=config.code, problem=str(error))
            return False
        self.codes[each.archive_id] = config.code
        return True


def _stamp(file: Path) -> _Stamp | None:
    """What changes when the file is written; None where it cannot be read."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
