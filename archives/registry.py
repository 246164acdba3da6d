"""The archives that this process talks to, by code, in the order of archives.toml."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType

from archives.client import ArchiveClient
from archives.dicomweb import DicomWebArchive
from archives.folder import FolderArchive
from archives.orthanc import OrthancArchive
from config.archives_file import ArchiveConfig

_CLIENTS: dict[str, Callable[[ArchiveConfig], ArchiveClient]] = {
    "dicomweb": DicomWebArchive,
    "orthanc": OrthancArchive,
    "folder": FolderArchive,
}


class Archives:
    """Clients by code. Closing closes them all; also an async context manager."""

    def __init__(self, clients: Iterable[ArchiveClient]) -> None:
        self._clients = {client.config.code: client for client in clients}

    def get(self, code: str) -> ArchiveClient | None:
        return self._clients.get(code)

    def __getitem__(self, code: str) -> ArchiveClient:
        return self._clients[code]

    def __iter__(self) -> Iterator[ArchiveClient]:
        return iter(self._clients.values())

    def __len__(self) -> int:
        return len(self._clients)

    def __contains__(self, code: object) -> bool:
        return code in self._clients

    async def aclose(self) -> None:
        await asyncio.gather(*(client.close() for client in self), return_exceptions=True)

    async def __aenter__(self) -> "Archives":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def open_archive(config: ArchiveConfig) -> ArchiveClient:
    """The client for this kind of archive. Asks it nothing yet."""
    return _CLIENTS[config.kind](config)


def open_archives(configs: Iterable[ArchiveConfig]) -> Archives:
    return Archives(open_archive(config) for config in configs)
