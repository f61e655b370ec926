"""The program's events in a transaction's log. Events are hints: where a log was cut, accounts are read again.

`Program data:` lines count only while the program itself is on top of the invoke stack, so nobody can forge one by
calling it or being called beside it. Lines of a failed transaction are read too: callers know whether it landed.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Sequence

from chorale.domain.events import ProgramEvent
from programs.interface import EVENTS
from programs.wire import Value, WireError

_DATA = "Program data: "
_CUT = "Log truncated"
_BY_DISCRIMINATOR = {spec.discriminator: spec for spec in EVENTS.values()}


def events_in(logs: Sequence[str], program_id: str) -> tuple[tuple[ProgramEvent, ...], bool]:
    """Events in the order logged, and whether the runtime cut the log (then some may be absent)."""
    events: list[ProgramEvent] = []
    stack: list[str] = []
    for line in logs:
        if line == _CUT:
            return tuple(events), True
        if line.startswith(_DATA):
            if stack and stack[-1] == program_id:
                event = _decode_line(line[len(_DATA) :])
                if event is not None:
                    events.append(event)
            continue
        _follow(stack, line)
    return tuple(events), False


def decode_event(data: bytes) -> ProgramEvent | None:
    """The event in one logged slice; None where it is of no known type. Raises WireError where it does not fit."""
    spec = _BY_DISCRIMINATOR.get(data[:8])
    if spec is None:
        return None
    if len(data) != 8 + spec.record.size:
        raise WireError(f"{spec.name} has {len(data)} bytes, {8 + spec.record.size} are expected.")
    values = spec.record.decode(data, 8)
    subject, sequence, ordinal = (values.pop(field.name) for field in spec.record.fields[:3])
    return ProgramEvent(spec.name, str(subject), int(sequence), int(ordinal), values)


def encode_event(event: ProgramEvent) -> bytes:
    """The slice that the program logs for `event`."""
    spec = EVENTS[event.name]
    subject = spec.record.fields[0].name
    head: dict[str, Value] = {subject: event.thread, "sequence": event.sequence, "ordinal": event.ordinal}
    return spec.discriminator + spec.record.encode({**head, **event.fields})


def _decode_line(payload: str) -> ProgramEvent | None:
    # One slice is one base64 word; several words are somebody else's convention.
    try:
        return decode_event(b64decode(payload, validate=True))
    except (binascii.Error, ValueError):
        return None


def _follow(stack: list[str], line: str) -> None:
    # "Program <id> invoke [n]", "Program <id> success", "Program <id> failed: …"; a program's own text is always
    # behind "Program log: " or "Program data: " and cannot imitate these.
    words = line.split(" ", 3)
    if len(words) < 3 or words[0] != "Program":
        return
    if words[2] == "invoke" and len(words) == 4:
        del stack[_depth(words[3], len(stack) + 1) - 1 :]
        stack.append(words[1])
    elif stack and words[1] == stack[-1] and (words[2] == "success" or words[2].startswith("failed")):
        stack.pop()


def _depth(text: str, default: int) -> int:
    digits = text.strip("[]")
    return int(digits) if digits.isdecimal() and int(digits) > 0 else default
