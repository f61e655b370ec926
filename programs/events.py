"""The program's events in a transaction's log. Events are hints: where a log was cut, accounts are read again.

`Program data:` lines count only while the program itself is on top of the invoke stack, so nobody can forge one by
calling it or being called beside it. Lines of a failed transaction are read too: callers know whether it landed.
"""

from __future__ import annotations

import binascii
import logging
import re
from base64 import b64decode
from collections.abc import Sequence

from chorale.domain.events import ProgramEvent
from programs.interface import EVENTS
from programs.wire import Value, WireError

_log = logging.getLogger(__name__)

_DATA = "Program data: "
_CUT = "Log truncated"
_DEPTH = re.compile(r"\[([1-9][0-9]?)\]")  # the runtime nests calls a handful deep
_BY_DISCRIMINATOR = {spec.discriminator: spec for spec in EVENTS.values()}


def events_in(logs: Sequence[str], program_id: str) -> tuple[tuple[ProgramEvent, ...], bool]:
    """Events in the order logged, and whether some may be absent: the runtime cut the log, or one cannot be read.

    Never raises: whatever others log beside the program is passed over.
    """
    events: list[ProgramEvent] = []
    unread = False
    stack: list[str] = []
    for line in logs:
        if line == _CUT:
            return tuple(events), True
        if line.startswith(_DATA):
            if stack and stack[-1] == program_id:
                try:
                    event = _decode_line(line[len(_DATA) :])
                except WireError as error:
                    _log.warning("An event of %s cannot be read: %s", program_id, error)
                    unread = True
                    continue
                if event is not None:
                    events.append(event)
            continue
        _follow(stack, line)
    return tuple(events), unread


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
        raw = b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        return None
    return decode_event(raw)


def _follow(stack: list[str], line: str) -> None:
    # "Program <id> invoke [n]", "Program <id> success", "Program <id> failed: …"; a program's own text is always
    # behind a second word with a colon ("log:", "data:", "return:"), which no id has.
    words = line.split(" ", 3)
    if len(words) < 3 or words[0] != "Program" or words[1].endswith(":"):
        return
    if words[2] == "invoke" and len(words) == 4:
        depth = _DEPTH.fullmatch(words[3])
        if depth is not None:
            del stack[int(depth[1]) - 1 :]
            stack.append(words[1])
    elif stack and words[1] == stack[-1] and (words[2] == "success" or words[2].startswith("failed")):
        stack.pop()
