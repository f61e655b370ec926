"""Account bytes to the domain's accounts: precompiled structs, one pass, spare bytes behind the vector ignored.

anchorpy decodes the same bytes from the IDL; this is for pages of accounts (a test holds the two equal).
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from chorale.domain.accounts import CoAuthor, MessageAccount, ProtocolAccount, StatusByte, ThreadAccount, Vote
from programs.interface import ACCOUNT_VERSION, ACCOUNTS, TREE_DEPTH
from programs.wire import WireError, key_text

ProgramAccount = ProtocolAccount | ThreadAccount | MessageAccount

PROTOCOL_SIZE = 164
THREAD_VECTOR = 927
MESSAGE_VECTOR = 279
THREAD_ID = 11  # where its id stands in a `Thread`
MESSAGE_THREAD = 10  # where the address of its thread stands in a `Message`
MESSAGE_HASH = 75  # where its content hash stands in a `Message`
# What every `Thread` begins with, as a filter of getProgramAccounts: offset, and 8 bytes in base58. (Of a key with 24
# zero bytes in front, each of them is a "1".)
THREADS = (0, key_text(bytes(24) + ACCOUNTS["Thread"].discriminator)[24:])
CO_AUTHOR_SIZE = 40
VOTE_SIZE = 42

_HEADER = struct.Struct("<8sBB")
_COUNT = struct.Struct("<I")
_PROTOCOL = struct.Struct("<B32s32sQqQB64x")
_THREAD = struct.Struct("<B32s32sQq32sQQQQIIIQqQ32s640s64x")
_CO_AUTHOR = struct.Struct("<32sQ")
_MESSAGE = struct.Struct("<32s32sB32s32sQQQQqqqQQI64x")
_VOTE = struct.Struct("<32sBBq")
_U64 = struct.Struct("<Q")
_THREAD_SEQUENCE = 10 + struct.calcsize("<B32s32sQq32sQQQQIII")
_MESSAGE_SEQUENCE = 10 + struct.calcsize("<32s32sB32s32sQQQQqqqQ")

_STATUS = {byte.value: byte.status for byte in StatusByte}


class AccountMalformed(WireError):
    """The account is not one that this version of the program writes."""


def thread_size(co_authors: int) -> int:
    """Bytes of a `Thread` account with that many seats."""
    return THREAD_VECTOR + 4 + CO_AUTHOR_SIZE * co_authors


def message_size(votes: int) -> int:
    """Bytes of a `Message` account with room for that many votes."""
    return MESSAGE_VECTOR + 4 + VOTE_SIZE * votes


def decode_protocol(address: str, data: bytes) -> ProtocolAccount:
    """The `Protocol` account in `data`. Raises AccountMalformed."""
    _check(address, data, "Protocol", PROTOCOL_SIZE)
    treasury_bump, admin, mint, minimum_stake, window, sequence, freezable = _PROTOCOL.unpack_from(data, 10)
    return ProtocolAccount(
        address=address,
        admin=key_text(admin),
        mint=key_text(mint),
        minimum_stake=minimum_stake,
        approval_window=window,
        sequence=sequence,
        allow_freezable=_flag(address, freezable),
        treasury_bump=treasury_bump,
    )


def decode_thread(address: str, data: bytes) -> ThreadAccount:
    """The `Thread` account in `data`. Raises AccountMalformed."""
    _check(address, data, "Thread", THREAD_VECTOR + 4)
    fixed = _THREAD.unpack_from(data, 10)
    _, thread_id, creator, nonce, created_at, title_hash, balance, stakes, escrow, due = fixed[:10]
    messages, pending, published, sequence, activity_at, activity_sequence, root, frontier = fixed[10:]
    seats = _items(address, data, THREAD_VECTOR, _CO_AUTHOR)
    return ThreadAccount(
        address=address,
        thread_id=thread_id.hex(),
        creator=key_text(creator),
        nonce=nonce,
        created_at=created_at,
        title_hash=title_hash.hex(),
        token_balance=balance,
        stakes_total=stakes,
        escrow_total=escrow,
        treasury_due=due,
        message_count=messages,
        pending_count=pending,
        published_count=published,
        sequence=sequence,
        activity_at=activity_at,
        activity_sequence=activity_sequence,
        content_root=root.hex(),
        frontier=tuple(frontier[32 * level : 32 * level + 32].hex() for level in range(TREE_DEPTH)),
        co_authors=tuple(CoAuthor(key_text(key), joined) for key, joined in _CO_AUTHOR.iter_unpack(seats)),
    )


def decode_message(address: str, data: bytes) -> MessageAccount:
    """The `Message` account in `data`. Raises AccountMalformed."""
    _check(address, data, "Message", MESSAGE_VECTOR + 4)
    fixed = _MESSAGE.unpack_from(data, 10)
    thread, author, status, content_hash, body_hash, nonce, stake, escrow, share = fixed[:9]
    submitted_at, expires_at, decided_at, submitted_sequence, sequence, leaf_index = fixed[9:]
    if status not in _STATUS:
        raise AccountMalformed(f"The account {address} has the unknown status {status}.")
    votes = _items(address, data, MESSAGE_VECTOR, _VOTE)
    return MessageAccount(
        address=address,
        thread=key_text(thread),
        author=key_text(author),
        status=_STATUS[status],
        content_hash=content_hash.hex(),
        body_hash=body_hash.hex(),
        nonce=nonce,
        stake=stake,
        escrow_remaining=escrow,
        share=share,
        submitted_at=submitted_at,
        expires_at=expires_at,
        decided_at=decided_at,
        submitted_sequence=submitted_sequence,
        sequence=sequence,
        leaf_index=leaf_index,
        votes=tuple(
            Vote(key_text(voter), _flag(address, approve), _flag(address, claimed), cast_at)
            for voter, approve, claimed, cast_at in _VOTE.iter_unpack(votes)
        ),
    )


def sequence_in(address: str, data: bytes) -> int:
    """The `sequence` of the `Thread` or `Message` in `data`, without the rest of it. Raises AccountMalformed."""
    if bytes(data[:8]) == ACCOUNTS["Thread"].discriminator:
        _check(address, data, "Thread", THREAD_VECTOR + 4)
        return int(_U64.unpack_from(data, _THREAD_SEQUENCE)[0])
    _check(address, data, "Message", MESSAGE_VECTOR + 4)
    return int(_U64.unpack_from(data, _MESSAGE_SEQUENCE)[0])


_DECODERS: dict[bytes, Callable[[str, bytes], ProgramAccount]] = {
    ACCOUNTS["Protocol"].discriminator: decode_protocol,
    ACCOUNTS["Thread"].discriminator: decode_thread,
    ACCOUNTS["Message"].discriminator: decode_message,
}


def decode_account(address: str, data: bytes) -> ProgramAccount:
    """Whichever account of the program is in `data`. Raises AccountMalformed."""
    decode = _DECODERS.get(bytes(data[:8]))
    if decode is None:
        raise AccountMalformed(f"The account {address} is of no type of this program.")
    return decode(address, data)


def _check(address: str, data: bytes, name: str, size: int) -> None:
    if len(data) < size:
        raise AccountMalformed(f"The account {address} has {len(data)} bytes, a {name} has at least {size}.")
    found, version, _ = _HEADER.unpack_from(data)
    if found != ACCOUNTS[name].discriminator:
        raise AccountMalformed(f"The account {address} is no {name}.")
    if version != ACCOUNT_VERSION:
        raise AccountMalformed(
            f"The {name} at {address} has version {version}, this server reads {ACCOUNT_VERSION}. Upgrade the server."
        )


def _items(address: str, data: bytes, offset: int, item: struct.Struct) -> bytes:
    (count,) = _COUNT.unpack_from(data, offset)
    start = offset + _COUNT.size
    raw = bytes(data[start : start + count * item.size])
    if len(raw) != count * item.size:
        raise AccountMalformed(f"The account {address} is truncated: {count} items do not fit into {len(data)} bytes.")
    return raw


def _flag(address: str, raw: int) -> bool:
    if raw > 1:
        raise AccountMalformed(f"The account {address} holds the boolean {raw}.")
    return raw == 1
