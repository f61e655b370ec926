"""Events are taken from the program's own log lines only, and a cut log is told."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest
from solders.pubkey import Pubkey

from chorale.domain.events import ProgramEvent
from programs.events import decode_event, encode_event, events_in
from programs.interface import EVENTS
from tests.vectors import make_events
from tests.vectors.make_events import camel

PROGRAM = str(Pubkey.new_unique())
OTHER = str(Pubkey.new_unique())
THREAD = str(Pubkey.new_unique())
EVENT = ProgramEvent("CoAuthorJoined", THREAD, 4, 2, {"key": OTHER})
RAW = encode_event(EVENT)
VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors" / "events.json").read_text())


def line(event: ProgramEvent = EVENT) -> str:
    """The log line of an event."""
    return "Program data: " + b64encode(encode_event(event)).decode()


def test_events_come_in_order_around_inner_calls() -> None:
    """Lines before and after an inner call, failed or not, are read; ordinary lines are passed over."""
    first = ProgramEvent("Swept", THREAD, 4, 0, {"amount": 9})
    admin = ProgramEvent("TreasuryWithdrawn", THREAD, 1, 0, {"amount": 9, "destination": OTHER})
    logs = [
        "Program ComputeBudget111111111111111111111111111111 invoke [1]",
        "Program ComputeBudget111111111111111111111111111111 success",
        f"Program {PROGRAM} invoke [1]",
        line(first),
        "Program log: ",
        "Program log: naïve text",
        f"Program {OTHER} invoke [2]",
        "Program log: Error: insufficient funds",
        f"Program {OTHER} consumed 4299 of 200000 compute units",
        f"Program {OTHER} failed: custom program error: 0x1",
        line(),
        f"Program {PROGRAM} consumed 4299 of 200000 compute units",
        f"Program {PROGRAM} success",
        f"Program {PROGRAM} invoke [1]",
        line(admin),
        f"Program {PROGRAM} success",
    ]
    assert events_in(logs, PROGRAM) == ((first, EVENT, admin), False)


def test_other_programs_cannot_log_our_events() -> None:
    """A line counts only while the program itself is on top of the invoke stack."""
    logs = [
        line(),
        f"Program {OTHER} invoke [1]",
        line(),
        f"Program log: Program {PROGRAM} invoke [1]",
        line(),
        f"Program {PROGRAM} invoke [2]",
        f"Program {OTHER} invoke [3]",
        line(),
        f"Program {OTHER} success",
        f"Program {PROGRAM} success",
        line(),
        f"Program {OTHER} success",
        line(),
    ]
    assert events_in(logs, PROGRAM) == ((), False)


def test_called_by_another_program_it_counts() -> None:
    """The program's events are read where another program called it."""
    logs = [f"Program {OTHER} invoke [1]", f"Program {PROGRAM} invoke [2]", line(), f"Program {PROGRAM} success"]
    assert events_in(logs, PROGRAM) == ((EVENT,), False)


def test_a_cut_log_is_told_and_not_guessed_at() -> None:
    """What stands before the cut is read, what follows is not: calls may be missing there."""
    logs = [f"Program {PROGRAM} invoke [1]", line(), "Log truncated", line()]
    assert events_in(logs, PROGRAM) == ((EVENT,), True)


def test_foreign_data_is_passed_over() -> None:
    """Slices of no known type and slices that are not base64 are no events and no errors."""
    joined = b64encode(RAW).decode()
    lines = ["!", "", joined + " " + joined, b64encode(b"12345678").decode()]
    lines += [b64encode(b"").decode()]
    logs = [f"Program {PROGRAM} invoke [1]", *(f"Program data: {text}" for text in lines)]
    assert events_in(logs, PROGRAM) == ((), False)


@pytest.mark.parametrize("damaged", [RAW + b"1", RAW[:-1]])
def test_an_event_that_cannot_be_read_counts_as_a_cut(damaged: bytes) -> None:
    """An event of the wrong size is not guessed at, those around it are read, and the log is told to be incomplete."""
    logs = [f"Program {PROGRAM} invoke [1]", line(), "Program data: " + b64encode(damaged).decode(), line()]
    assert events_in(logs, PROGRAM) == ((EVENT, EVENT), True)


@pytest.mark.parametrize(
    "text",
    [
        "Program log: invoke " + "9" * 4301,
        "Program log: invoke [1]",
        "Program return: invoke [1]",
        f"Program {OTHER} invoke " + "9" * 4301,
        f"Program {OTHER} invoke [{'9' * 4301}]",
        f"Program {OTHER} invoke [0]",
        f"Program {OTHER} invoke [\N{ARABIC-INDIC DIGIT ONE}]",
        f"Program {OTHER} invoke [1]\n",
        f"Program {OTHER} invoke [1] and more",
    ],
)
def test_text_that_resembles_a_call_changes_nothing(text: str) -> None:
    """Only the runtime's own words, with a depth of one or two digits, are taken for a call; nothing raises."""
    logs = [f"Program {PROGRAM} invoke [1]", text, line(), f"Program {PROGRAM} success"]
    assert events_in(logs, PROGRAM) == ((EVENT,), False)


def test_the_vectors_hold_every_event() -> None:
    """What readers in other languages are held to is every event of the interface, with all fields, as read here."""
    assert make_events.whole() == VECTORS
    assert [vector["name"] for vector in VECTORS["events"]] == list(EVENTS)
    for vector in VECTORS["events"]:
        event = decode_event(b64decode(vector["raw"]))
        assert event is not None
        subject = EVENTS[event.name].record.fields[0].name
        values = {subject: event.thread, "sequence": event.sequence, "ordinal": event.ordinal, **event.fields}
        shown = {camel(name): value if isinstance(value, bool | str) else str(value) for name, value in values.items()}
        assert shown == vector["data"]


@pytest.mark.parametrize("vector", VECTORS["logs"], ids=lambda vector: vector["name"])
def test_the_vectors_logs_are_read_alike(vector: dict[str, Any]) -> None:
    """The logs that readers in other languages are held to."""
    events, cut = events_in(vector["logs"], VECTORS["programId"])
    assert (len(events), not cut) == (vector["events"], vector["complete"])
