"""Identities that the program derives from its signer, computed the same way off chain. Hashes are hex, keys base58.

Every function raises WireError (a ValueError) on a malformed key, hash, salt or nonce.
"""

from __future__ import annotations

from hashlib import sha256

from programs.wire import WireError, hash_bytes, key_bytes

_THREAD = b"chorale:thread:1"
_BODY = b"chorale:body:1"
_MESSAGE = b"chorale:message:1"
_TITLE = b"chorale:title:1"


def thread_id(creator: str, nonce: int) -> str:
    """Identity of the thread that `creator` makes with `nonce` (u64)."""
    return sha256(_THREAD + key_bytes(creator) + _nonce(nonce)).hexdigest()


def body_hash(salt: str, body: str | bytes) -> str:
    """Hash of a message's exact UTF-8 bytes under its salt."""
    return sha256(_BODY + hash_bytes(salt) + _utf8(body)).hexdigest()


def content_hash(thread_id: str, author: str, nonce: int, body_hash: str) -> str:
    """Identity of the message that `author` writes into a thread with `nonce` (u64)."""
    return sha256(
        _MESSAGE + hash_bytes(thread_id) + key_bytes(author) + _nonce(nonce) + hash_bytes(body_hash)
    ).hexdigest()


def title_hash(salt: str, title: str | bytes) -> str:
    """Hash of a title's exact UTF-8 bytes under its salt."""
    return sha256(_TITLE + hash_bytes(salt) + _utf8(title)).hexdigest()


def _nonce(nonce: int) -> bytes:
    try:
        return nonce.to_bytes(8, "little")
    except OverflowError as error:
        raise WireError(f"The nonce {nonce} is not an unsigned 64-bit number.") from error


def _utf8(text: str | bytes) -> bytes:
    if isinstance(text, bytes):
        return text
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise WireError("The text holds lone surrogates, which are not UTF-8.") from error
