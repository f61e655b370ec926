"""Writes tests/vectors/events.json: one event of every type, and logs with what a reader may take from them.

Run `python -m tests.vectors.make_events`. Names are in camel case; bytes are hex, keys base58, whole numbers decimals.
"""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from solders.pubkey import Pubkey

from chorale.domain.events import ProgramEvent
from programs.events import encode_event
from programs.interface import EVENTS, EventSpec
from programs.wire import Kind, Value

FILE = Path(__file__).with_name("events.json")
_RANGES = {Kind.U8: 2**8, Kind.U32: 2**32, Kind.U64: 2**64, Kind.I64: 2**63}


def _bytes(text: str) -> bytes:
    return sha256(f"chorale event vector {text}".encode()).digest()


def _key(text: str) -> str:
    return str(Pubkey(_bytes(text)))


PROGRAM, OTHER = _key("program"), _key("other")


def _value(name: str, kind: Kind) -> Value:
    match kind:
        case Kind.KEY:
            return _key(name)
        case Kind.HASH:
            return _bytes(name).hex()
        case Kind.BOOL:
            return True
        case _:
            return int.from_bytes(_bytes(name), "little") % _RANGES[kind]


def camel(name: str) -> str:
    """A field's name in the notation of the vectors."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _event(spec: EventSpec) -> tuple[bytes, dict[str, Any]]:
    values = {field.name: _value(field.name, field.kind) for field in spec.record.fields}
    subject, sequence, ordinal = (values[field.name] for field in spec.record.fields[:3])
    rest = {field.name: values[field.name] for field in spec.record.fields[3:]}
    raw = encode_event(ProgramEvent(spec.name, str(subject), int(sequence), int(ordinal), rest))
    shown = {camel(name): value if isinstance(value, bool | str) else str(value) for name, value in values.items()}
    return raw, {"name": spec.name, "data": shown}


def _logs(raw: bytes) -> list[dict[str, Any]]:
    line = "Program data: " + b64encode(raw).decode()
    start, end = f"Program {PROGRAM} invoke [1]", f"Program {PROGRAM} success"
    other, other_end = f"Program {OTHER} invoke [2]", f"Program {OTHER} success"
    damaged = "Program data: " + b64encode(raw[:-1]).decode()
    foreign = "Program data: " + b64encode(bytes(8) + raw[8:]).decode()

    def case(name: str, events: int, *logs: str, complete: bool = True) -> dict[str, Any]:
        return {"name": name, "logs": list(logs), "events": events, "complete": complete}

    return [
        case("of the program", 1, start, line, end),
        case("around an inner call", 2, start, line, other, line, other_end, line, end),
        case("around an inner call that failed", 1, start, other, line, f"Program {OTHER} failed: custom", line, end),
        case("called by another program", 1, f"Program {OTHER} invoke [1]", f"Program {PROGRAM} invoke [2]", line),
        case("after the program has returned", 0, start, end, line),
        case("of a program that it calls", 0, start, other, line),
        case("of nobody", 0, line),
        case("of a program that names it", 0, f"Program {OTHER} invoke [1]", f"Program log: {start}", line),
        case("text that resembles a call", 1, start, f"Program {OTHER} invoke [0]", line),
        case("text that resembles an end", 1, start, f"Program log: {end}", line),
        case("text that has more words", 1, start, f"Program {OTHER} invoke [2] and more", line),
        case("no event", 0, start, "Program data: !", "Program data: ", foreign, f"{line} {line[14:]}", end),
        case("a cut log", 1, start, line, "Log truncated", line, complete=False),
        case("a damaged event", 1, start, damaged, line, end, complete=False),
        case("nothing", 0),
    ]


def whole() -> dict[str, Any]:
    """All that the file holds."""
    made = [_event(spec) for spec in EVENTS.values()]
    events = [{**shown, "raw": b64encode(raw).decode()} for raw, shown in made]
    return {"programId": PROGRAM, "events": events, "logs": _logs(made[0][0])}


if __name__ == "__main__":
    FILE.write_text(json.dumps(whole(), indent=1) + "\n")
