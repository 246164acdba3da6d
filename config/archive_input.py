"""An archive as an administrator describes it over the API: the rules of archives.toml, and stricter ones.

Who may name a URL makes this server ask there, and who may name a secret makes it send that secret: so only
http and https to the hosts that the operator allows, no folders, and only secrets that were made for the ERN.
"""

from collections.abc import Mapping
from dataclasses import asdict
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from config.archives_file import ArchiveConfig, TableReader
from config.toml_lines import TableLines
from model.erns import Networks


class ArchiveInputError(Exception):
    """The description cannot be used; a line for each mistake, that begins with its key."""


def secret_prefix(ern: str) -> str:
    """How the names of environment variables begin that archives of this ERN may name."""
    return f"ARCHIVE_SECRET_{ern.replace('-', '_')}_"


def archive_of_input(table: Mapping[str, Any], hosts: str | None, networks: Networks) -> ArchiveConfig:
    """The archive. hosts: those allowed, as `*.example.org, 10.0.0.7`; None: any. networks: that it may be of.

    Raises ArchiveInputError.
    """
    given = {key: value for key, value in table.items() if value is not None}
    if given.get("kind") == "folder":
        raise ArchiveInputError("kind: a folder is on the server's disk: have it written into archives.toml")
    # First, so that nobody can ask which other variables there are.
    secret, prefix = given.get("password_env"), secret_prefix(networks.code_of(str(given.get("ern"))) or "")
    if secret is not None and not str(secret).startswith(prefix):
        raise ArchiveInputError(f"password_env: expected a name that begins with {prefix}")
    reader = TableReader(Path("archive"), given, TableLines("archive", 1), networks)
    config = reader.config()
    problems = [f"{key}: {problem}" for key, problem in reader.problems]
    if config is not None and not _is_allowed(config, hosts):
        problems.append("url: this host is not among those that the operator allows (archive_hosts)")
    if problems or config is None:
        raise ArchiveInputError("\n".join(problems))
    return config


def changed(
    config: ArchiveConfig, changes: Mapping[str, Any], hosts: str | None, networks: Networks
) -> ArchiveConfig:
    """The archive with these keys changed; those that are None stay. Raises ArchiveInputError."""
    known = {name: _as_written(name, value) for name, value in asdict(config).items() if value is not None}
    return archive_of_input(known | {k: v for k, v in changes.items() if v is not None}, hosts, networks)


def _is_allowed(config: ArchiveConfig, hosts: str | None) -> bool:
    host = (urlsplit(config.url or "").hostname or "").lower()
    allowed = [each.strip().lower() for each in (hosts or "*").split(",")]
    return any(fnmatch(host, each) for each in allowed if each)


_SECONDS = ("sync_every", "reconcile_every", "timeout", "breaker_rest")


def _as_written(name: str, value: object) -> object:
    """As it would stand in the file."""
    if name in _SECONDS:
        return f"{value:f}s"
    return f"{int(str(value)) // 1024}kB" if name == "max_response" else value
