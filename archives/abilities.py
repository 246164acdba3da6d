"""What an archive was seen to do. Servers differ, so it is found out by asking, once and only when it is needed."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Protocol

from archives.client import Row
from archives.pager import Page, PageMemory
from archives.queries import SearchQuery
from archives.rows import Level
from config.archives_file import ArchiveConfig

Fields = tuple[str, ...]


@dataclass(slots=True)
class Abilities:
    """None as long as nobody has needed to know.

    every: what asks for all attributes of a level; () where nothing does. brings_more: the levels where that brings
    more than is asked for by name. by_tag: it takes tags of declared attributes beside the names. since: when it began
    to be learnt. answers_others: it sent rows that nobody had asked for.
    """

    uid_list: bool | None = None
    query_decoding: bool | None = None
    top_level: bool | None = None
    includefield: bool | None = None
    pages: PageMemory = field(default_factory=PageMemory)
    since: float = field(default_factory=time.monotonic)
    every: dict[Level, Fields] = field(default_factory=dict)
    brings_more: set[Level] = field(default_factory=set)
    answers_others: bool = False
    by_tag: bool = True


class Learner(Protocol):
    """An archive as those see it that find out what it does. learning: held by who finds out what `abilities` lack."""

    config: ArchiveConfig
    abilities: Abilities
    learning: asyncio.Lock

    @property
    def server(self) -> str | None:
        """What it says that it is."""
        ...

    def named(self, level: Level) -> Fields:
        """What a search asks for besides what it is always given."""
        ...

    async def qido(self, query: SearchQuery, limit: int, offset: int, fields: Fields | None) -> Page:
        """One request, whatever was learnt."""
        ...

    async def page(self, query: SearchQuery, limit: int, offset: int) -> Page:
        """With every attribute where that can be asked for."""
        ...

    async def metadata(
        self, study_uid: str, series_uid: str | None = None, sop_uid: str | None = None
    ) -> list[Row]: ...

    async def last_change(self) -> int | None: ...
