"""The archives that this process talks to, by code, in rank order. They may change while it runs."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType

from archives.client import ArchiveClient
from archives.dicomweb import DicomWebArchive
from archives.folder import FolderArchive
from archives.orthanc import OrthancArchive
from config.archives_file import ArchiveConfig
from model.declared import Declared

_CLIENTS: dict[str, Callable[[ArchiveConfig, Iterable[Declared]], ArchiveClient]] = {
    "dicomweb": DicomWebArchive,
    "orthanc": OrthancArchive,
    "folder": lambda config, _: FolderArchive(config),
}


class Archives:
    """Clients by code. Closing closes them all; also an async context manager."""

    def __init__(self, clients: Iterable[ArchiveClient], declared: Sequence[Declared] = ()) -> None:
        """declared: attributes that the clients of `follow` ask for, too."""
        self._declared = declared
        self._clients = {client.config.code: client for client in clients}
        self._leaving: dict[asyncio.Task[None], ArchiveClient] = {}

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

    def follow(self, configs: Iterable[ArchiveConfig]) -> None:
        """From now on these and no others. Clients of unchanged ones stay; those of others are closed when
        their requests under way have had their time."""
        before, self._clients = self._clients, {}
        for config in configs:
            same = before.get(config.code)
            if same is not None and same.config == config:
                self._clients[config.code] = before.pop(config.code)
            else:
                self._clients[config.code] = open_archive(config, self._declared)
        for client in before.values():
            task = asyncio.create_task(_close_later(client))
            self._leaving[task] = client
            task.add_done_callback(self._leaving.pop)

    async def aclose(self) -> None:
        leaving = dict(self._leaving)
        for task in leaving:
            task.cancel()
        clients = (*self, *leaving.values())
        await asyncio.gather(*(client.close() for client in clients), return_exceptions=True)

    async def __aenter__(self) -> "Archives":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


async def _close_later(client: ArchiveClient) -> None:
    await asyncio.sleep(client.config.timeout)
    await client.close()


def open_archive(config: ArchiveConfig, declared: Iterable[Declared] = ()) -> ArchiveClient:
    """The client for this kind of archive. Asks it nothing yet. declared: attributes that searches ask for as well."""
    return _CLIENTS[config.kind](config, declared)


def open_archives(configs: Iterable[ArchiveConfig], declared: Sequence[Declared] = ()) -> Archives:
    return Archives([open_archive(config, declared) for config in configs], declared)
