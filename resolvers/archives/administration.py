"""What administrators do with archives: asking for a look at one, adding, changing, switching off, removing."""

import re
from datetime import datetime
from enum import Enum
from typing import Any

import strawberry

from access.scope import ScopedArchive
from config.archive_input import ArchiveInputError, archive_of_input, changed
from db import definitions
from db.definitions import Definition, DefinitionRefused
from db.indexing import removals
from db.indexing.jobs import JobKind, ask_for
from model.errors import BadInput, Forbidden, NotFound
from reads.list_query import named_archives
from reads.request import Request
from resolvers.archives.archive import Archive, archive_of
from resolvers.descriptions import described
from resolvers.levels import ArchiveKind, LevelName


@strawberry.type(description="What became of a request to look at an archive.")
class RefreshRequest:
    accepted: bool = described("False when the same request waits, or is being done, already.")
    archive: Archive = described("The archive; `index` tells how the run goes.")


_OPTIONAL = {
    "username": "User name of HTTP basic authentication.",
    "password_env": "Name of the environment variable of the server that holds the password, never the password. "
    "It begins with ARCHIVE_SECRET_ and the ERN: ARCHIVE_SECRET_ERN_EYE_STRASBOURG, say.",
    "index": "How deep runs go.",
    "sync_every": "How often to look for changes, such as 60s or 5m.",
    "reconcile_every": "How often to compare everything, such as 6h.",
    "timeout": "An answer that takes longer is a failure, such as 5s.",
    "max_connections": "Never more requests at once (1 to 32).",
    "page_size": "Rows asked for at a time (1 to 10000).",
}


@strawberry.input(description="An archive, as a table of archives.toml describes it.")
class ArchiveInput:
    code: str = described("Stable code: lower-case letters, digits and hyphens.")
    ern: str = described("Code of its European Reference Network.")
    title: str = described("Its name for people.")
    kind: ArchiveKind = described("What it speaks; no folder.")
    url: str = described("Its DICOMweb root, http:// or https://.")
    username: str | None = described(_OPTIONAL["username"], default=None)
    password_env: str | None = described(_OPTIONAL["password_env"], default=None)
    index: LevelName | None = described(_OPTIONAL["index"], default=None)
    sync_every: str | None = described(_OPTIONAL["sync_every"], default=None)
    reconcile_every: str | None = described(_OPTIONAL["reconcile_every"], default=None)
    timeout: str | None = described(_OPTIONAL["timeout"], default=None)
    max_connections: int | None = described(_OPTIONAL["max_connections"], default=None)
    page_size: int | None = described(_OPTIONAL["page_size"], default=None)


@strawberry.input(description="What is different of an archive; what is not given stays.")
class ArchiveChanges:
    title: str | None = described("Its name for people.", default=None)
    kind: ArchiveKind | None = described("What it speaks; no folder.", default=None)
    url: str | None = described("Its DICOMweb root, http:// or https://.", default=None)
    username: str | None = described(_OPTIONAL["username"], default=None)
    password_env: str | None = described(_OPTIONAL["password_env"], default=None)
    index: LevelName | None = described(_OPTIONAL["index"], default=None)
    sync_every: str | None = described(_OPTIONAL["sync_every"], default=None)
    reconcile_every: str | None = described(_OPTIONAL["reconcile_every"], default=None)
    timeout: str | None = described(_OPTIONAL["timeout"], default=None)
    max_connections: int | None = described(_OPTIONAL["max_connections"], default=None)
    page_size: int | None = described(_OPTIONAL["page_size"], default=None)


@strawberry.type(description="An archive as its administrators see it.")
class ManagedArchive:
    code: str = described("Its code.")
    ern: str = described("Code of its European Reference Network.")
    title: str = described("Its name for people.")
    kind: ArchiveKind = described("What it speaks.")
    url: str | None = described("Its DICOMweb root; null for a folder.")
    username: str | None = described(_OPTIONAL["username"])
    password_env: str | None = described("Name of the variable that holds the password.")
    index: LevelName = described("How deep runs go.")
    enabled: bool = described("False while it is switched off.")
    in_file: bool = described("Whether archives.toml says all this; else a mutation did.")
    changed_at: datetime = described("When this was last changed.")
    changed_by: str | None = described("Who changed it; null for the file.")


@strawberry.type(description="An archive that was removed.")
class RemovedArchive:
    code: str = described("Its code.")
    purging: bool = described("Whether a worker removes its rows now; else they are kept.")


async def refresh(request: Request, code: str, *, reconcile: bool) -> RefreshRequest:
    """Raises NotFound for an archive that the viewer cannot see, else Forbidden for one where the viewer does
    not administrate."""
    archive = _administrated(request, code)
    kind = JobKind.RECONCILE if reconcile else JobKind.SYNC
    accepted = await ask_for(request.services.owner, code, kind)
    request.touched.asked([archive.archive_id])
    row = (await request.archives())[archive.archive_id]
    return RefreshRequest(accepted=accepted, archive=archive_of(request, row))


async def confirm_removals(request: Request, code: str, since: datetime) -> RefreshRequest:
    """Raises NotFound, Forbidden, BadInput where not that waits."""
    archive = _administrated(request, code)
    owner = request.services.owner
    if not await removals.confirm(owner, archive.archive_id, since, request.viewer.subject):
        raise BadInput(
            "since: no removal waits since then: it was settled, or more is gone by now. "
            "Look at `archives { index { suspiciousRemoval { since } } }` again"
        )
    return await refresh(request, code, reconcile=True)


async def managed_archives(request: Request) -> list[ManagedArchive]:
    """Those of ERNs where the viewer administrates, switched off ones too."""
    found = await definitions.definitions(request.services.owner)
    return [_managed(each) for each in found if request.viewer.administrates(each.config.ern)]


async def add_archive(request: Request, given: ArchiveInput) -> ManagedArchive:
    """Raises Forbidden, BadInput."""
    services = request.services
    networks = services.rules.now.networks
    if (ern := networks.code_of(given.ern)) is not None:
        _require_admin(request, ern)
    try:
        config = archive_of_input(_table(given), services.settings.archive_hosts, networks)
        await definitions.add(services.owner, config, request.viewer.subject)
    except (ArchiveInputError, DefinitionRefused) as error:
        raise BadInput(f"archive: {_in_graphql(str(error))}") from None
    return await _followed(request, config.code)


async def change_archive(request: Request, code: str, changes: ArchiveChanges) -> ManagedArchive:
    """Raises NotFound, Forbidden, BadInput."""
    services = request.services
    before = await _defined(request, code)
    if before.in_file:
        raise BadInput("code: this archive is in archives.toml, which decides: have it changed there")
    try:
        config = changed(
            before.config, _table(changes), services.settings.archive_hosts, services.rules.now.networks
        )
        await definitions.change(services.owner, config, request.viewer.subject)
    except (ArchiveInputError, DefinitionRefused) as error:
        raise BadInput(f"changes: {_in_graphql(str(error))}") from None
    return await _followed(request, code)


async def switch_archive(request: Request, code: str, *, disabled: bool) -> ManagedArchive:
    """Raises NotFound, Forbidden."""
    await _defined(request, code)
    await definitions.switch(request.services.owner, code, disabled=disabled, by=request.viewer.subject)
    return await _followed(request, code)


async def remove_archive(request: Request, code: str, *, purge: bool) -> RemovedArchive:
    """Raises NotFound, Forbidden, BadInput."""
    services = request.services
    await _require_admin_of(request, code)
    try:
        await definitions.remove(services.owner, code)
    except DefinitionRefused:
        raise BadInput(
            "code: this archive is in archives.toml: have it removed there, then purge it here if you want"
        ) from None
    await services.directory.changed()
    if purge:
        await ask_for(services.owner, code, JobKind.PURGE)
    return RemovedArchive(code=code, purging=purge)


async def _followed(request: Request, code: str) -> ManagedArchive:
    """The archive as it is now; this process follows at once, the others are told."""
    await request.services.directory.changed()
    found = await definitions.definition(request.services.owner, code)
    if found is None:
        raise NotFound("code: the archive was removed just now.")
    return _managed(found)


async def _defined(request: Request, code: str) -> Definition:
    await _require_admin_of(request, code)
    found = await definitions.definition(request.services.owner, code)
    if found is None:
        raise NotFound(f"code: the archive {code!r} was removed; add it again.")
    return found


def _administrated(request: Request, code: str) -> ScopedArchive:
    """An archive that the viewer sees anything of, and administrates."""
    named_archives(request.access_scope, [code])
    archive = next(each for each in request.access_scope.archives if each.code == code)
    _require_admin(request, archive.ern)
    return archive


async def _require_admin_of(request: Request, code: str) -> None:
    """The same for an archive that may be switched off or removed: to others it is not there."""
    if any(each.code == code for each in request.access_scope.archives):
        _administrated(request, code)
        return
    ern = await definitions.network_of(request.services.owner, code)
    if ern is None or not request.viewer.administrates(ern):
        raise NotFound(f"code: no archive with the code {code[:64]!r}.")


def _require_admin(request: Request, ern: str) -> None:
    if not request.viewer.administrates(ern):
        raise Forbidden("This is for people with the verb admin for the archive's ERN.")


def _managed(found: Definition) -> ManagedArchive:
    config = found.config
    return ManagedArchive(
        code=config.code,
        ern=config.ern,
        title=config.title,
        kind=ArchiveKind(config.kind),
        url=config.url,
        username=config.username,
        password_env=config.password_env,
        index=LevelName(config.index),
        enabled=not found.disabled,
        in_file=found.in_file,
        changed_at=found.changed_at,
        changed_by=found.changed_by,
    )


def _table(given: ArchiveInput | ArchiveChanges) -> dict[str, Any]:
    """The input as a table of archives.toml."""
    return {name: value.value if isinstance(value, Enum) else value for name, value in vars(given).items()}


def _in_graphql(problem: str) -> str:
    """Keys of archives.toml as GraphQL spells them: sync_every is syncEvery."""
    return re.sub(r"\b([a-z]+)_([a-z]+)\b(?=:)", lambda m: m[1] + m[2].title(), problem)
