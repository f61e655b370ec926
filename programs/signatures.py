"""Ed25519 signatures of wallets over plain messages."""

from __future__ import annotations

from solders.pubkey import Pubkey
from solders.signature import Signature

from programs.wire import key_bytes


def is_signed_by(address: str, message: bytes, signature: str) -> bool:
    """Whether `signature` (base58) is `address`'s over exactly these bytes; False too where it is no signature.

    Raises WireError where `address` is no public key.
    """
    key = Pubkey.from_bytes(key_bytes(address))
    try:
        return Signature.from_string(signature).verify(key, message)
    except ValueError:
        return False
