"""Cursors: opaque to clients and bound to no process, so that any replica reads them, also after a restart."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence

from chorale.domain.errors import InvalidInputError
from chorale.domain.events import EventPosition
from chorale.domain.paging import Key

_EVENT = "e"
_EVENT_TYPES: Sequence[type] = (str, int, str, int, int)
_BASE64URL = re.compile(r"[A-Za-z0-9_-]{1,2000}")
_I64 = 2**63


def encode(kind: str, values: Sequence[str | int]) -> str:
    """A cursor that only `decode` with the same `kind` takes back."""
    raw = json.dumps([kind, *values], separators=(",", ":"), ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def decode(kind: str, cursor: str, types: Sequence[type], field: str) -> Key:
    """The values of a cursor, checked against `types`. Raises InvalidInputError naming the argument `field`."""
    values = _values(cursor)
    fits = len(values) == len(types) + 1 and values[0] == kind
    if not fits or not all(type(value) is wanted for value, wanted in zip(values[1:], types, strict=True)):
        raise InvalidInputError(
            f"`{field}` is not a cursor of this connection. Pass one that the same field returned, unchanged.", field
        )
    return tuple(values[1:])


def event_cursor(position: EventPosition) -> str:
    """The cursor behind the event at `position`."""
    return encode(_EVENT, (position.log_id, position.position, position.thread_id, position.sequence, position.ordinal))


def event_position(cursor: str, field: str = "after") -> EventPosition:
    """The place that an event cursor names. Raises InvalidInputError naming the argument `field`."""
    log_id, position, thread_id, sequence, ordinal = decode(_EVENT, cursor, _EVENT_TYPES, field)
    return EventPosition(str(log_id), int(position), str(thread_id), int(sequence), int(ordinal))


def _values(cursor: str) -> list[str | int]:
    if not _BASE64URL.fullmatch(cursor):
        return []
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return []
    if not isinstance(values, list):
        return []
    bounded = all(isinstance(value, str) or (type(value) is int and -_I64 <= value < _I64) for value in values)
    return values if bounded else []
