"""Values of settings as they stand in the environment: each function gives the value, or None where it is not one. And
the error that says so."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from chorale.domain.errors import StartupError

T = TypeVar("T")
Parse = Callable[[str], T | None]

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_SECRETS = ("TOKEN", "SECRET", "PASSWORD")


class SettingError(StartupError):
    """An environment variable holds a value that is not allowed. What may be a password in it is not repeated."""

    def __init__(self, variable: str, value: str, allowed: str) -> None:
        super().__init__(f"{variable}={_without_credentials(variable, value)!r} is not allowed. Allowed: {allowed}.")


def _without_credentials(variable: str, value: str) -> str:
    if value and any(word in variable for word in _SECRETS):
        return "…"
    return value if "@" not in value else f"…{value[value.rindex('@') :]}"


def host(text: str) -> str | None:
    """A host name or an address, without a port."""
    return text if re.fullmatch(r"[\w.-]+|[0-9a-fA-F:.]+", text) else None


def is_loopback(host: str) -> bool:
    """Whether a host name or an address is this machine, seen from itself alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def port(text: str) -> int | None:
    """0 to 65535."""
    return int(text) if re.fullmatch(r"[0-9]{1,5}", text) and int(text) <= 65535 else None


def rpc_port(text: str) -> int | None:
    """0 to 65534: the next port is needed too."""
    number = port(text)
    return number if number is not None and number < 65535 else None


def folder(text: str) -> Path | None:
    """A folder, or a path where one can be made."""
    path = Path(text).expanduser()
    return path if path.is_dir() or not path.exists() else None


def file(text: str) -> Path | None:
    """The path of a file, there or not."""
    path = Path(text).expanduser()
    return None if path.is_dir() else path


def whole(text: str) -> int | None:
    """0 to 2^63 - 1."""
    return int(text) if re.fullmatch(r"[0-9]{1,19}", text) and int(text) < 2**63 else None


def url(text: str, *schemes: str) -> str | None:
    """An address with one of these schemes."""
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises where it is no port
    except ValueError:
        return None
    return text if parts.scheme in schemes and parts.hostname else None


def http(text: str) -> str | None:
    """An http:// or https:// address."""
    return url(text, "http", "https")


def websocket(text: str) -> str | None:
    """A ws:// or wss:// address."""
    return url(text, "ws", "wss")


def or_http(embedded: str) -> Callable[[str], str | None]:
    """The word for the embedded part, or an http(s):// address."""
    return lambda text: text if text == embedded else http(text)


def or_redis(text: str) -> str | None:
    """memory: or a redis:// or rediss:// address."""
    return text if text == "memory:" else url(text, "redis", "rediss")


def base58_key(text: str) -> str | None:
    """32 bytes in base58."""
    number = 0
    for character in text:
        digit = _BASE58.find(character)
        if digit < 0:
            return None
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip("1"))
    return text if len(text) <= 44 and zeros + (number.bit_length() + 7) // 8 == 32 else None
