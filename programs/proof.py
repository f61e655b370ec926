"""Checks that a text was published in a thread: content and Merkle path against the bytes of the thread's account.

Standard library only and one file: copy it to check proofs elsewhere. `web/client/src/proof.ts` is the same in
TypeScript; both are held to `tests/vectors/proofs.json`. What has to be trusted is the account alone: fetch it from a
node that you trust, with its owner and its address.

    verdict = verify(
        {"body": …, "salt": …, "author": …, "nonce": …, "threadId": …},  # fields of `Message` and `Thread` in the graph
        {"leafIndex": …, "path": […]},                                   # `Message.proof`, with what else it holds
        {"address": …, "owner": …, "data": …},                           # of getAccountInfo; data as bytes
        program_id,
    )
    if not verdict:
        print(verdict.refusal)
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple, TypeVar

T = TypeVar("T")

DEPTH = 20
MAX_CO_AUTHORS = 64

_DISCRIMINATOR = sha256(b"account:Thread").digest()[:8]
_VERSION = 1
_BUMP = slice(9, 10)
_THREAD_ID = slice(11, 43)
_PUBLISHED_COUNT = 163
_CONTENT_ROOT = slice(191, 223)
_SEATS = 927  # where their number stands; they follow
_SEAT_SIZE = 40
_COUNT = struct.Struct("<I")

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_DIGITS = frozenset(_BASE58)
_HEX = frozenset("0123456789abcdef")


class Refusal(StrEnum):
    """Why a proof is refused: the first reason that was met."""

    CONTENT_MALFORMED = "CONTENT_MALFORMED"
    """A part of the content is absent or not in its canonical notation."""
    PROOF_MALFORMED = "PROOF_MALFORMED"
    """A part of the proof is absent or not in its canonical notation."""
    PATH_LENGTH = "PATH_LENGTH"
    """The path does not have exactly 20 hashes."""
    ACCOUNT_MALFORMED = "ACCOUNT_MALFORMED"
    """A part of the account is absent or not in its canonical notation."""
    OWNER = "OWNER"
    """The account belongs to another program."""
    ACCOUNT_LENGTH = "ACCOUNT_LENGTH"
    """The account is cut, or longer than any thread's."""
    ACCOUNT_TYPE = "ACCOUNT_TYPE"
    """The account is no thread."""
    ACCOUNT_VERSION = "ACCOUNT_VERSION"
    """The account's layout has a version that is not known here."""
    ADDRESS = "ADDRESS"
    """The address is not that thread's, or the proof names another account."""
    THREAD = "THREAD"
    """The account is another thread's than the content's."""
    BODY_HASH = "BODY_HASH"
    """Body and salt do not hash to the `bodyHash` that the content names."""
    CONTENT_HASH = "CONTENT_HASH"
    """The content does not hash to the `contentHash` that it names."""
    LEAF_INDEX = "LEAF_INDEX"
    """The thread has not published so many messages."""
    LEAF = "LEAF"
    """The `leaf` that the proof names is not the content's."""
    ROOT = "ROOT"
    """The path does not lead to the root."""
    ANOTHER_VERSION = "ANOTHER_VERSION"
    """The path leads to the proof's root, and the account has another: read both again."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """True where the content is proved; else `refusal` says why it is not."""

    refusal: Refusal | None

    def __bool__(self) -> bool:
        return self.refusal is None


class _Content(NamedTuple):
    thread_id: bytes
    body_hash: bytes
    content_hash: bytes
    named_body_hash: bytes | None
    named_content_hash: bytes | None


class _Proof(NamedTuple):
    leaf_index: int
    path: list[bytes]
    leaf: bytes | None
    root: bytes | None
    account: bytes | None


class _Account(NamedTuple):
    address: bytes
    owner: bytes
    data: bytes


class _Refused(Exception):
    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


def verify(content: object, proof: object, account: object, program_id: object) -> Verdict:
    """Whether `content` is a published message of the thread in `account`. Never raises, whatever it is given.

    `content`: `body` (str, or its UTF-8 bytes), `salt` (hex), `author` (base58), `nonce` (int or decimal str),
    `threadId` (hex), and, where given, `bodyHash` and `contentHash`. `proof`: `leafIndex`, `path`, and, where given,
    `leaf`, `root` and `account`. Hashes are 64 lower-case hex digits; what else the dicts hold is not looked at.
    """
    try:
        said = _within(Refusal.CONTENT_MALFORMED, _content, content)
        shown = _within(Refusal.PROOF_MALFORMED, _proof, proof)
        held = _within(Refusal.ACCOUNT_MALFORMED, _account, account)
        _check_account(held, program_id)
        _check_identity(said, shown, held)
        _check_path(said, shown, held)
    except _Refused as refused:
        return Verdict(refused.refusal)
    return Verdict(None)


def _check_account(held: _Account, program_id: object) -> None:
    """The account is a whole `Thread` of that program."""
    data = held.data
    _require(held.owner == _key(program_id, Refusal.OWNER), Refusal.OWNER)
    _require(len(data) > _SEATS + _COUNT.size, Refusal.ACCOUNT_LENGTH)
    _require(data[:8] == _DISCRIMINATOR, Refusal.ACCOUNT_TYPE)
    _require(data[8] == _VERSION, Refusal.ACCOUNT_VERSION)
    (taken,) = _COUNT.unpack_from(data, _SEATS)
    room, rest = divmod(len(data) - _SEATS - _COUNT.size, _SEAT_SIZE)
    _require(not rest and 1 <= taken <= room <= MAX_CO_AUTHORS, Refusal.ACCOUNT_LENGTH)


def _check_identity(said: _Content, shown: _Proof, held: _Account) -> None:
    """Account, proof and content are of one thread, and the content is what it names itself."""
    thread_id, bump = held.data[_THREAD_ID], held.data[_BUMP]
    derived = sha256(b"thread" + thread_id + bump + held.owner + b"ProgramDerivedAddress").digest()
    _require(held.address == derived and shown.account in (None, derived), Refusal.ADDRESS)
    _require(said.thread_id == thread_id, Refusal.THREAD)
    _require(said.named_body_hash in (None, said.body_hash), Refusal.BODY_HASH)
    _require(said.named_content_hash in (None, said.content_hash), Refusal.CONTENT_HASH)


def _check_path(said: _Content, shown: _Proof, held: _Account) -> None:
    """The content is the leaf of that number."""
    (published_count,) = _COUNT.unpack_from(held.data, _PUBLISHED_COUNT)
    _require(shown.leaf_index < published_count <= 2**DEPTH, Refusal.LEAF_INDEX)
    node = sha256(b"\x00" + said.content_hash).digest()
    _require(shown.leaf in (None, node), Refusal.LEAF)
    for level, sibling in enumerate(shown.path):
        pair = sibling + node if shown.leaf_index >> level & 1 else node + sibling
        node = sha256(b"\x01" + pair).digest()
    root = held.data[_CONTENT_ROOT]
    _require(shown.root in (None, node), Refusal.ROOT)
    _require(node == root, Refusal.ROOT if shown.root is None else Refusal.ANOTHER_VERSION)


def _content(given: object) -> _Content:
    wrong = Refusal.CONTENT_MALFORMED
    body, salt, author = _utf8(_get(given, "body"), wrong), _hash(_get(given, "salt"), wrong), _get(given, "author")
    nonce, thread_id = _u64(_get(given, "nonce"), wrong), _hash(_get(given, "threadId"), wrong)
    body_hash = sha256(b"chorale:body:1" + salt + body).digest()
    content_hash = sha256(b"chorale:message:1" + thread_id + _key(author, wrong) + nonce + body_hash).digest()
    named = (_get(given, "bodyHash"), _get(given, "contentHash"))
    return _Content(thread_id, body_hash, content_hash, *(_optional(_hash, value, wrong) for value in named))


def _proof(given: object) -> _Proof:
    wrong = Refusal.PROOF_MALFORMED
    leaf_index, path = _get(given, "leafIndex"), _get(given, "path")
    # Exact types: what walks along a list of its own making could say another length than it has.
    if type(leaf_index) is not int or not 0 <= leaf_index < 2**32 or not (type(path) is list or type(path) is tuple):
        raise _Refused(wrong)
    _require(len(path) == DEPTH, Refusal.PATH_LENGTH)
    return _Proof(
        leaf_index,
        [_hash(text, wrong) for text in path],
        _optional(_hash, _get(given, "leaf"), wrong),
        _optional(_hash, _get(given, "root"), wrong),
        _optional(_key, _get(given, "account"), wrong),
    )


def _account(given: object) -> _Account:
    wrong, data = Refusal.ACCOUNT_MALFORMED, _get(given, "data")
    if type(data) is not bytes:
        raise _Refused(wrong)
    return _Account(_key(_get(given, "address"), wrong), _key(_get(given, "owner"), wrong), data)


def _within(wrong: Refusal, read: Callable[[object], T], given: object) -> T:
    """What `read` gives; whatever a hostile object's own code raises is that refusal."""
    try:
        return read(given)
    except _Refused:
        raise
    except Exception as hostile:
        raise _Refused(wrong) from hostile


def _require(holds: bool, otherwise: Refusal) -> None:
    if not holds:
        raise _Refused(otherwise)


def _get(given: object, name: str) -> object:
    return dict.get(given, name) if isinstance(given, dict) else None


def _optional(read: Callable[[object, Refusal], bytes], value: object, wrong: Refusal) -> bytes | None:
    return None if value is None else read(value, wrong)


def _hash(text: object, wrong: Refusal) -> bytes:
    """The bytes of 64 lower-case hex digits."""
    if type(text) is not str or len(text) != 64 or not _HEX.issuperset(text):
        raise _Refused(wrong)
    return bytes.fromhex(text)


def _key(text: object, wrong: Refusal) -> bytes:
    """The 32 bytes of a base58 key, of which there is one notation only."""
    if type(text) is not str or not 32 <= len(text) <= 44 or not _BASE58_DIGITS.issuperset(text):
        raise _Refused(wrong)
    number = 0
    for letter in text:
        number = number * 58 + _BASE58.index(letter)
    zeros = len(text) - len(text.lstrip("1"))
    raw = bytes(zeros) + number.to_bytes(33, "big").lstrip(b"\0")
    _require(len(raw) == 32, wrong)
    return raw


def _u64(number: object, wrong: Refusal) -> bytes:
    """Eight little-endian bytes of an int, or of a decimal without sign and leading zeros."""
    if type(number) is str and len(number) <= 20 and number.isascii() and number.isdecimal():
        _require(number == "0" or number[0] != "0", wrong)
        number = int(number)
    if type(number) is not int or not 0 <= number < 2**64:
        raise _Refused(wrong)
    return number.to_bytes(8, "little")


def _utf8(body: object, wrong: Refusal) -> bytes:
    if type(body) is bytes:
        return body
    if type(body) is not str:
        raise _Refused(wrong)
    try:
        return body.encode()
    except UnicodeEncodeError as lone_surrogates:
        raise _Refused(wrong) from lone_surrogates
