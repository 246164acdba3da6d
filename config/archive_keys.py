"""What each key of an [[archive]] table accepts: one row of `KEYS` each."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from model.erns import ERNS_ALONE, Networks

KINDS = ("orthanc", "dicomweb", "folder")
LEVELS = ("study", "series", "instance")

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])\Z")
_SIZES = {"kB": 1024, "MB": 1024**2, "GB": 1024**3}
_SIZE = re.compile(r"(\d+)(kB|MB|GB)\Z")
_CODE = re.compile(r"[a-z0-9-]+\Z")


class Expected(Exception):
    """Says what was expected instead."""


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Expected("a text")
    return value


def _code(value: object) -> str:
    if not isinstance(value, str) or _CODE.match(value) is None:
        raise Expected("lower-case letters, digits and hyphens")
    return value


def network(networks: Networks) -> Callable[[object], str]:
    """What the key `ern` accepts."""

    def check(value: object) -> str:
        code = networks.code_of(value) if isinstance(value, str) else None
        if code is None:
            raise Expected(expected_network(str(value), networks))
        return code

    return check


def expected_network(spelling: str, networks: Networks) -> str:
    """What is expected instead of this, which is no network."""
    near = networks.near(spelling) or "ERN-EYE"
    if near in networks.declared:
        return f'"{near}" or another code of a [[network]], or one of the 24 ERNs'
    return f'one of the 24 ERNs such as "{near}", or the code of a [[network]]'


def _one_of(*words: str) -> Callable[[object], str]:
    def check(value: object) -> str:
        if not isinstance(value, str) or value.strip().lower() not in words:
            raise Expected(" or ".join(f'"{word}"' for word in words))
        return value.strip().lower()

    return check


def _url(value: object) -> str:
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_good = False
    if not is_good or not isinstance(value, str):
        raise Expected("an http:// or https:// URL")
    if parts.username is not None or parts.query or parts.fragment:
        raise Expected("a URL without credentials, ? and # (use username and password_env)")
    return value.rstrip("/")


def _path(value: object) -> Path:
    return Path(_text(value)).expanduser()


def _duration(value: object) -> float:
    found = _DURATION.match(value) if isinstance(value, str) else None
    if found is None or float(found[1]) == 0:
        raise Expected('a duration such as "5s"')
    return float(found[1]) * _UNITS[found[2]]


def _size(value: object) -> int:
    found = _SIZE.match(value) if isinstance(value, str) else None
    if found is None or int(found[1]) == 0:
        raise Expected('a size such as "64MB"')
    return int(found[1]) * _SIZES[found[2]]


def _share(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= 1:
        raise Expected("a share up to 1, such as 0.2")
    return float(value)


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise Expected("true or false")
    return value


def _number(least: int, most: int) -> Callable[[object], int]:
    def check(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Expected(f"a number from {least} to {most}")
        return value

    return check


KEYS: dict[str, Callable[[object], object]] = {
    "code": _code,
    "ern": network(ERNS_ALONE),
    "title": _text,
    "kind": _one_of(*KINDS),
    "url": _url,
    "path": _path,
    "username": _text,
    "password_env": _text,
    "index": _one_of(*LEVELS),
    "sync_every": _duration,
    "reconcile_every": _duration,
    "timeout": _duration,
    "max_connections": _number(1, 32),
    "page_size": _number(1, 10_000),
    "representatives": _switch,
    "data_sets": _switch,
    "max_response": _size,
    "retries": _number(0, 10),
    "breaker_failures": _number(1, 1000),
    "breaker_rest": _duration,
    "removal_limit": _share,
}
