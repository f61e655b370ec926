"""SPL Token accounts and mints as RPC's `jsonParsed` and token methods show them.

Only the classic token program's two layouts are parsed; Token-2022 accounts go over the wire as bytes, as RPC allows.
"""

from __future__ import annotations

from decimal import Decimal

from solders.pubkey import Pubkey

from datasources.solana.localnet.model import Json, StoredAccount

TOKEN_PROGRAM = bytes(Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"))
TOKEN_2022_PROGRAM = bytes(Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"))
TOKEN_PROGRAMS = frozenset((TOKEN_PROGRAM, TOKEN_2022_PROGRAM))
ACCOUNT_BYTES = 165
MINT_BYTES = 82
_STATES = {1: "initialized", 2: "frozen"}


def is_token_account(account: StoredAccount) -> bool:
    """Whether this holds tokens, under either token program (byte 165 tells a Token-2022 account from a mint)."""
    if account.owner not in TOKEN_PROGRAMS or len(account.data) < ACCOUNT_BYTES:
        return False
    return account.data[108] in _STATES and (len(account.data) == ACCOUNT_BYTES or account.data[165] == 2)


def is_mint(account: StoredAccount) -> bool:
    """Whether this is an initialized mint, under either token program."""
    data = account.data
    if account.owner not in TOKEN_PROGRAMS or len(data) < MINT_BYTES or data[45] != 1:
        return False
    return len(data) == MINT_BYTES or (len(data) > ACCOUNT_BYTES and data[165] == 1)


def mint_decimals(mint: StoredAccount) -> int:
    """Decimals of a mint."""
    return mint.data[44]


def mint_supply(mint: StoredAccount) -> int:
    """Base units in existence."""
    return _u64(mint.data, 36)


def token_mint(account: StoredAccount) -> bytes:
    """Mint of a token account."""
    return account.data[:32]


def token_holder(account: StoredAccount) -> bytes:
    """Wallet that a token account belongs to."""
    return account.data[32:64]


def token_amount(account: StoredAccount) -> int:
    """Base units in a token account."""
    return _u64(account.data, 64)


def ui_amount(amount: int, decimals: int) -> Json:
    """`{amount, decimals, uiAmount, uiAmountString}`."""
    exact = Decimal(amount).scaleb(-decimals)
    text = f"{exact:f}"
    return {
        "amount": str(amount),
        "decimals": decimals,
        "uiAmount": float(exact),
        "uiAmountString": text.rstrip("0").rstrip(".") if "." in text else text,
    }


def parsed_token_account(account: StoredAccount, decimals: int | None) -> Json | None:
    """`jsonParsed` data of a classic token account (with its mint's `decimals`) or mint, None for anything else."""
    if account.owner != TOKEN_PROGRAM:
        return None
    if is_mint(account):
        kind, info = "mint", _mint_info(account)
    elif is_token_account(account) and decimals is not None:
        kind, info = "account", _account_info(account, decimals)
    else:
        return None
    return {"program": "spl-token", "parsed": {"info": info, "type": kind}, "space": len(account.data)}


def _mint_info(account: StoredAccount) -> Json:
    data = account.data
    return {
        "decimals": mint_decimals(account),
        "freezeAuthority": _optional_key(data, 46),
        "isInitialized": True,
        "mintAuthority": _optional_key(data, 0),
        "supply": str(mint_supply(account)),
    }


def _account_info(account: StoredAccount, decimals: int) -> Json:
    data = account.data
    native = data[109] == 1
    info: dict[str, Json] = {
        "isNative": native,
        "mint": _key(token_mint(account)),
        "owner": _key(token_holder(account)),
        "state": _STATES[data[108]],
        "tokenAmount": ui_amount(token_amount(account), decimals),
    }
    if delegate := _optional_key(data, 72):
        info |= {"delegate": delegate, "delegatedAmount": ui_amount(_u64(data, 121), decimals)}
    if native:
        info["rentExemptReserve"] = ui_amount(_u64(data, 113), decimals)
    if close_authority := _optional_key(data, 129):
        info["closeAuthority"] = close_authority
    return info


def _u64(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 8], "little")


def _key(data: bytes) -> str:
    return str(Pubkey.from_bytes(data))


def _optional_key(data: bytes, offset: int) -> str | None:
    return _key(data[offset + 4 : offset + 36]) if data[offset] == 1 else None
