"""Accounts decode from the documented byte offsets, and nothing else decodes at all."""

from __future__ import annotations

import struct
from hashlib import sha256

import pytest
from solders.pubkey import Pubkey

from chorale.domain.accounts import NO_LEAF, CoAuthor, MessageAccount, ProtocolAccount, ThreadAccount, Vote
from chorale.domain.approval import MessageStatus
from programs.accounts import (
    AccountMalformed,
    decode_account,
    decode_message,
    decode_protocol,
    decode_thread,
    message_size,
    thread_size,
)

HERE = str(Pubkey.new_unique())
ANA, BEN, EVE = (bytes([seed]) * 32 for seed in (1, 2, 3))
ANA_KEY, BEN_KEY, EVE_KEY = (str(Pubkey(raw)) for raw in (ANA, BEN, EVE))


def blank(name: str, size: int) -> bytearray:
    """An account of `size` bytes with its header written."""
    data = bytearray(size)
    data[:8] = sha256(f"account:{name}".encode()).digest()[:8]
    data[8] = 1
    data[9] = 254
    return data


def put(data: bytearray, offset: int, layout: str, *values: int | bytes) -> None:
    """Writes little-endian values at a documented offset."""
    struct.pack_into("<" + layout, data, offset, *values)


def thread_bytes(spare: int = 80) -> bytes:
    """A thread with two co-authors and room for more."""
    data = blank("Thread", 927 + 4 + 2 * 40 + spare)
    put(data, 10, "B32s32s", 253, b"\xaa" * 32, ANA)
    put(data, 75, "Qq32s", 7, -5, b"\xbb" * 32)
    put(data, 123, "QQQQ", 1, 2, 3, 4)
    put(data, 155, "III", 5, 6, 2)
    put(data, 167, "QqQ", 9, 10, 8)
    put(data, 191, "32s", b"\xcc" * 32)
    for level in range(20):
        put(data, 223 + 32 * level, "32s", bytes([level]) * 32)
    put(data, 927, "I32sQ32sQ", 2, ANA, 1, BEN, 9)
    return bytes(data)


def message_bytes(status: int = 3) -> bytes:
    """A denied message with two votes and room for one more."""
    data = blank("Message", 279 + 4 + 3 * 42)
    put(data, 10, "32s32sB", ANA, BEN, status)
    put(data, 75, "32s32s", b"\xdd" * 32, b"\xee" * 32)
    put(data, 139, "QQQQ", 11, 1000, 500, 250)
    put(data, 171, "qqq", 100, 200, 150)
    put(data, 195, "QQI", 12, 13, 2**32 - 1)
    put(data, 279, "I32sBBq32sBBq", 2, ANA, 0, 1, 120, EVE, 0, 0, 150)
    return bytes(data)


def protocol_bytes() -> bytes:
    """The protocol's account."""
    data = blank("Protocol", 164)
    put(data, 10, "B32s32s", 252, ANA, BEN)
    put(data, 75, "QqQB", 1000, 604_800, 3, 1)
    return bytes(data)


def test_thread_offsets() -> None:
    """Every field of a thread is read from its documented place."""
    assert decode_thread(HERE, thread_bytes()) == ThreadAccount(
        address=HERE,
        thread_id="aa" * 32,
        creator=ANA_KEY,
        nonce=7,
        created_at=-5,
        title_hash="bb" * 32,
        token_balance=1,
        stakes_total=2,
        escrow_total=3,
        treasury_due=4,
        message_count=5,
        pending_count=6,
        published_count=2,
        sequence=9,
        activity_at=10,
        activity_sequence=8,
        content_root="cc" * 32,
        frontier=tuple(f"{level:02x}" * 32 for level in range(20)),
        co_authors=(CoAuthor(ANA_KEY, 1), CoAuthor(BEN_KEY, 9)),
    )


def test_message_offsets() -> None:
    """Every field of a message is read from its documented place."""
    assert decode_message(HERE, message_bytes()) == MessageAccount(
        address=HERE,
        thread=ANA_KEY,
        author=BEN_KEY,
        status=MessageStatus.DENIED,
        content_hash="dd" * 32,
        body_hash="ee" * 32,
        nonce=11,
        stake=1000,
        escrow_remaining=500,
        share=250,
        submitted_at=100,
        expires_at=200,
        decided_at=150,
        submitted_sequence=12,
        sequence=13,
        leaf_index=NO_LEAF,
        votes=(Vote(ANA_KEY, False, True, 120), Vote(EVE_KEY, False, False, 150)),
    )


def test_protocol_offsets() -> None:
    """Every field of the protocol is read from its documented place."""
    assert decode_protocol(HERE, protocol_bytes()) == ProtocolAccount(
        address=HERE,
        admin=ANA_KEY,
        mint=BEN_KEY,
        minimum_stake=1000,
        approval_window=604_800,
        sequence=3,
        allow_freezable=True,
        treasury_bump=252,
    )


def test_the_type_is_found_by_the_discriminator() -> None:
    """One function decodes whichever account it is handed."""
    for data, kind in (
        (thread_bytes(), ThreadAccount),
        (message_bytes(), MessageAccount),
        (protocol_bytes(), ProtocolAccount),
    ):
        assert isinstance(decode_account(HERE, data), kind)


def test_sizes_follow_the_layout() -> None:
    """The sizes that rent is computed from are the documented ones."""
    assert (thread_size(2), message_size(3)) == (len(thread_bytes(spare=0)), len(message_bytes()))


def altered(data: bytes, offset: int, value: int) -> bytes:
    """`data` with one byte changed."""
    return data[:offset] + bytes([value]) + data[offset + 1 :]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no type"),
        (bytes(200), "no type"),
        (thread_bytes()[:100], "has 100 bytes"),
        (thread_bytes(spare=0)[:-1], "truncated"),
        (message_bytes()[:300], "truncated"),
        (protocol_bytes()[:163], "has 163 bytes"),
        (altered(thread_bytes(), 8, 2), "version 2"),
        (altered(message_bytes(), 74, 0), "status 0"),
        (altered(message_bytes(), 74, 7), "status 7"),
        (altered(message_bytes(), 315, 2), "boolean 2"),
        (altered(protocol_bytes(), 99, 2), "boolean 2"),
    ],
    ids=lambda value: value if isinstance(value, str) else "raw",
)
def test_anything_else_is_refused(data: bytes, reason: str) -> None:
    """Foreign, truncated and unknown accounts raise a typed error that says why."""
    with pytest.raises(AccountMalformed, match=reason):
        decode_account(HERE, data)


def test_one_type_is_not_taken_for_another() -> None:
    """A decoder of one type refuses the bytes of another."""
    with pytest.raises(AccountMalformed, match="no Protocol"):
        decode_protocol(HERE, message_bytes())
