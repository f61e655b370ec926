"""Bytes on the wire: base58, base64, base64+zstd, and accounts in every encoding RPC clients ask for."""

from __future__ import annotations

from binascii import b2a_base64
from functools import lru_cache

from based58 import b58decode, b58encode
from solders.instruction import CompiledInstruction
from solders.pubkey import Pubkey

from datasources.solana.localnet.model import RENT_EXEMPT_EPOCH, Json, StoredAccount
from datasources.solana.localnet.token_json import parsed_token_account

ACCOUNT_ENCODINGS = ("base64", "base64+zstd", "base58", "binary", "jsonParsed")
BASE58_ACCOUNT_BYTES = 128
_ZSTD_BLOCK = 1 << 17


def base58(data: bytes) -> str:
    """Base58 of any bytes."""
    return b58encode(data).decode()


def base58_bytes(text: str) -> bytes:
    """The bytes of a base58 text. Raises ValueError."""
    return b58decode(text.encode())


def base64(data: bytes) -> str:
    """Base64 without line breaks."""
    return b2a_base64(data, newline=False).decode()


def base64_pair(data: bytes) -> Json:
    """`[text, "base64"]`."""
    return [base64(data), "base64"]


@lru_cache(maxsize=65_536)
def key_text(key: bytes) -> str:
    """Base58 of a 32-byte key."""
    return str(Pubkey.from_bytes(key))


def zstd_frame(data: bytes) -> bytes:
    """A zstd frame (RFC 8878) of raw blocks: valid for every decoder, and no compressor is needed."""
    frame = bytearray(b"\x28\xb5\x2f\xfd\xa0" + len(data).to_bytes(4, "little"))  # one segment, 4-byte content size
    for start in range(0, max(len(data), 1), _ZSTD_BLOCK):
        block = data[start : start + _ZSTD_BLOCK]
        last = start + _ZSTD_BLOCK >= len(data)
        frame += (len(block) << 3 | last).to_bytes(3, "little") + block
    return bytes(frame)


def account_json(
    account: StoredAccount,
    encoding: str,
    data_slice: tuple[int, int] | None = None,
    decimals: int | None = None,
) -> Json:
    """An account as RPC's `value`. `data_slice` is (offset, length); `decimals` is the mint's of a token account."""
    data = account.data if data_slice is None else account.data[data_slice[0] : sum(data_slice)]
    shown: Json
    if encoding == "jsonParsed" and (parsed := parsed_token_account(account, decimals)) is not None:
        shown = parsed
    elif encoding == "base64+zstd":
        shown = [base64(zstd_frame(data)), encoding]
    elif encoding in ("base58", "binary"):
        text = base58(data) if len(data) <= BASE58_ACCOUNT_BYTES else "error: data too large for bs58 encoding"
        shown = [text, encoding] if encoding == "base58" else text
    else:
        shown = base64_pair(data)
    return {
        "data": shown,
        "executable": account.executable,
        "lamports": account.lamports,
        "owner": key_text(account.owner),
        "rentEpoch": RENT_EXEMPT_EPOCH,
        "space": len(account.data),
    }


def compiled_instruction(instruction: CompiledInstruction, stack_height: int | None) -> Json:
    """An instruction as RPC's `json` encoding shows it."""
    return {
        "accounts": list(instruction.accounts),
        "data": base58(bytes(instruction.data)),
        "programIdIndex": instruction.program_id_index,
        "stackHeight": stack_height,
    }
