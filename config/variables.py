"""Environment variables that begin with ERNFED_ and are no settings: most are settings with a slip in the name."""

import os
import re
import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

PREFIX = "ERNFED_"
TESTS = "ERNFED_TEST_"
"""Of the project's tests: no settings of the service."""
# What Kubernetes gives each container for a service whose name begins with ernfed.
_OF_SERVICES = re.compile(r"_SERVICE_(HOST|PORT(_\w+)?)\Z|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?\Z")
_ADDRESS = re.compile(r"(tcp|udp|sctp)://")


def unknown_variables(settings: Iterable[str], archives: Path) -> list[str]:
    """A line for each variable that neither is one of the settings nor holds a secret that archives.toml names."""
    known = {PREFIX + name.upper() for name in settings}
    secrets = _secrets_of(archives)
    if secrets is None:
        return []  # the file's own mistakes come first
    lines = []
    for name, value in sorted(os.environ.items()):
        upper = name.upper()
        if not upper.startswith(PREFIX) or upper.startswith(TESTS) or upper in known or name in secrets:
            continue
        if _OF_SERVICES.search(upper) or (upper.endswith("_PORT") and _ADDRESS.match(value)):
            continue
        near = get_close_matches(upper, known, 1, cutoff=0.7)
        meant = f"did you mean {near[0]}?" if near else "unset it"
        lines.append(f"{name}: no setting has this name, and archives.toml names no such secret; {meant}")
    return lines


def _secrets_of(archives: Path) -> set[str] | None:
    """Names of variables that may hold secrets; none without a file, None when it cannot be read."""
    try:
        tables = tomllib.loads(archives.read_text(encoding="utf-8")).get("archive", [])
        named = [table.get("password_env") for table in tables]
    except FileNotFoundError:
        named = []
    except (OSError, ValueError, AttributeError, TypeError):
        return None
    return {f"{name}{end}" for name in named if isinstance(name, str) for end in ("", "_FILE")}
