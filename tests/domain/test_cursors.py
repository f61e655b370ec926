"""A cursor comes back as it went out, and anything else is refused by the name of its argument."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chorale.domain.cursors import decode, encode, event_cursor, event_position
from chorale.domain.errors import InvalidInputError
from chorale.domain.events import EventPosition

I64 = st.integers(-(2**63), 2**63 - 1)


@given(I64, st.text(st.characters(exclude_categories=["Cs"]), max_size=100))
def test_a_key_survives(number: int, name: str) -> None:
    """Any number and any text."""
    assert decode("k", encode("k", (number, name)), (int, str), "after") == (number, name)


@given(I64, I64, I64)
def test_an_event_position_survives(position: int, sequence: int, ordinal: int) -> None:
    """All five parts of it."""
    place = EventPosition("log", position, "ab" * 32, sequence, ordinal)
    assert event_position(event_cursor(place)) == place


@pytest.mark.parametrize(
    "cursor",
    [
        "", "!", "é", "bm9wZQ", "A", encode("other", (1, "x")), encode("k", ("x", 1)), encode("k", (1,)),
        encode("k", (1, "x", 2)), base64.urlsafe_b64encode(b'["k",true,"x"]').decode().rstrip("="),
        base64.urlsafe_b64encode(b'["k",1e3,"x"]').decode().rstrip("="),
        base64.urlsafe_b64encode(b'["k",99999999999999999999,"x"]').decode().rstrip("="),
        base64.urlsafe_b64encode(b"[" * 1400).decode().rstrip("="),
    ],
)  # fmt: skip
def test_anything_else_is_refused(cursor: str) -> None:
    """Malformed, foreign and doctored cursors never reach a query."""
    with pytest.raises(InvalidInputError) as refusal:
        decode("k", cursor, (int, str), "before")
    assert refusal.value.field == "before"


@given(st.text(max_size=80))
def test_no_text_breaks_it(cursor: str) -> None:
    """Whatever a client sends, the answer is a key or a refusal."""
    try:
        decode("k", cursor, (int, str), "after")
    except InvalidInputError:
        return
