"""The archives that are asked and shown, as this process knows them now."""

from collections.abc import Awaitable, Callable, Iterator

from db.archives import ArchiveRow, list_archives
from db.pool import Database


class Directory:
    """The enabled archives in rank order; read again when they change.

    follow: makes this process follow a change at once, clients of archives included; without one only these rows
    are read again.
    """

    def __init__(self, owner: Database) -> None:
        self._owner = owner
        self._rows: tuple[ArchiveRow, ...] = ()
        self.follow: Callable[[], Awaitable[None]] | None = None

    def __iter__(self) -> Iterator[ArchiveRow]:
        return iter(self._rows)

    def __getitem__(self, place: int) -> ArchiveRow:
        return self._rows[place]

    def code_of(self, archive_id: int) -> str | None:
        """None for an archive that was removed or switched off."""
        return next((row.code for row in self._rows if row.archive_id == archive_id), None)

    async def refresh(self) -> None:
        """Reads the rows again."""
        self._rows = tuple(row for row in await list_archives(self._owner) if row.enabled)

    async def changed(self) -> None:
        """This process has changed the archives itself."""
        await (self.follow or self.refresh)()
