"""archives.toml: the list of archives. Every mistake is reported with file, line, key and what was expected."""

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.erns import ERNS, ern_code

KINDS = ("orthanc", "dicomweb", "folder")
LEVELS = ("study", "series", "instance")


class ArchivesFileError(Exception):
    """archives.toml cannot be used; one line for each mistake."""


@dataclass(frozen=True, slots=True)
class ArchiveConfig:
    """One [[archive]] table. Durations are seconds."""

    code: str
    ern: str
    title: str
    kind: str
    url: str | None = None
    path: Path | None = None
    username: str | None = None
    password_env: str | None = None
    index: str = "series"
    sync_every: float = 60.0
    reconcile_every: float = 6 * 3600.0
    timeout: float = 5.0
    max_connections: int = 4
    page_size: int = 1000

    def password(self) -> str | None:
        """The secret that `password_env` names, from the environment or from the file in NAME_FILE."""
        if self.password_env is None:
            return None
        if (value := os.environ.get(self.password_env)) is not None:
            return value
        if (file := os.environ.get(f"{self.password_env}_FILE")) is not None:
            return Path(file).read_text(encoding="utf-8").strip()
        return None
