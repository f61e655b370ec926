"""What a look over all accounts reads of each: filters and slices of getProgramAccounts, and how slices are decoded.

Filters hold discriminator and version, so that accounts of another version are passed over.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

from chorale.domain.accounts import StatusByte
from programs.accounts import MESSAGE_VECTOR, AccountMalformed
from programs.interface import ACCOUNT_VERSION, ACCOUNTS
from programs.wire import key_text

Filter = tuple[int, str]
Slice = tuple[int, int]

_STATUS = 74  # where the status of a `Message` stands
_HEAD = struct.Struct("<32s32sB32s32sQQQQqqqQQI64xI")  # a `Message` from its thread to the number of its votes
_ESCROW = 155
_DUES = struct.Struct("<QIIIQ")  # a `Thread` from treasury_due to sequence
_AMOUNT = struct.Struct("<Q")

PENDING_PART: Slice = (10, _HEAD.size)
ESCROW_PART: Slice = (_ESCROW, _AMOUNT.size)
DUES_PART: Slice = (147, _DUES.size)


class PendingHead(NamedTuple):
    """A pending message without its votes: address, its thread's address, when its window ends, how many votes."""

    address: str
    thread: str
    expires_at: int
    votes: int


class ThreadDues(NamedTuple):
    """What a thread owes the treasury (base units), how many messages wait in it, and its version."""

    address: str
    treasury_due: int
    pending: int
    sequence: int


def _base58(raw: bytes) -> str:
    return key_text(bytes(32 - len(raw)) + raw)[32 - len(raw) :]  # each leading zero byte is a "1"


def _of(name: str) -> Filter:
    return 0, _base58(ACCOUNTS[name].discriminator + bytes([ACCOUNT_VERSION]))


THREADS = _of("Thread")
MESSAGES = _of("Message")


def with_status(status: StatusByte) -> tuple[Filter, Filter]:
    """Messages of one status."""
    return MESSAGES, (_STATUS, _base58(bytes([status])))


def pending_head(address: str, data: bytes) -> PendingHead:
    """The head in a slice `PENDING_PART`. Raises AccountMalformed where it is cut."""
    values = _unpacked(_HEAD, address, data)
    return PendingHead(address, key_text(values[0]), values[10], values[15])


def thread_dues(address: str, data: bytes) -> ThreadDues:
    """The dues in a slice `DUES_PART`. Raises AccountMalformed where it is cut."""
    due, _, pending, _, sequence = _unpacked(_DUES, address, data)
    return ThreadDues(address, due, pending, sequence)


def escrow_in(address: str, data: bytes) -> int:
    """Base units that a message still owes, in a slice `ESCROW_PART`. Raises AccountMalformed where it is cut."""
    (amount,) = _unpacked(_AMOUNT, address, data)
    return int(amount)


def _unpacked(layout: struct.Struct, address: str, data: bytes) -> tuple[Any, ...]:
    if len(data) != layout.size:
        raise AccountMalformed(f"{layout.size} bytes of {address} were asked for, the node sent {len(data)}.")
    return layout.unpack(data)


assert _HEAD.size == MESSAGE_VECTOR + 4 - PENDING_PART[0]
