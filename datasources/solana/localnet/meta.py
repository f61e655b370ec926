"""The `meta` of a landed transaction, as getTransaction shows it beside `err` and `status`."""

from __future__ import annotations

from collections.abc import Callable

from solders.account import Account
from solders.pubkey import Pubkey

from datasources.solana.localnet.encoding import key_text
from datasources.solana.localnet.message import MessageKeys
from datasources.solana.localnet.model import Json, StoredAccount
from datasources.solana.localnet.outcome import Accounts, Outcome
from datasources.solana.localnet.token_json import (
    TOKEN_PROGRAMS,
    is_token_account,
    mint_decimals,
    token_amount,
    token_holder,
    token_mint,
    ui_amount,
)

Read = Callable[[Pubkey], StoredAccount | None]


def transaction_meta(
    keys: MessageKeys, outcome: Outcome, lamports: Callable[[Pubkey], int], read: Read
) -> dict[str, Json]:
    """Balances, token balances, fee and traces of an outcome; `lamports` and `read` give what it did not write."""
    every = keys.all
    unwritten = {key: lamports(key) for key in every if key not in keys.writable}
    pre = [unwritten[key] if key in unwritten else _lamports(outcome.before[key]) for key in every]
    post = [unwritten[key] if key in unwritten else _lamports(outcome.after[key]) for key in every]
    meta: dict[str, Json] = {
        "fee": outcome.spent,
        "preBalances": pre,
        "postBalances": post,
        "preTokenBalances": _token_balances(every, outcome.before, read),
        "postTokenBalances": _token_balances(every, outcome.after, read),
        "innerInstructions": list(outcome.inner),
        "logMessages": list(outcome.logs),
        "rewards": [],
        "loadedAddresses": {
            "writable": [str(key) for key in keys.loaded_writable],
            "readonly": [str(key) for key in keys.loaded_readonly],
        },
        "computeUnitsConsumed": outcome.units,
    }
    if outcome.return_data is not None:
        meta["returnData"] = outcome.return_data
    return meta


def _lamports(account: Account | None) -> int:
    return account.lamports if account else 0


def _token_balances(every: tuple[Pubkey, ...], written: Accounts, read: Read) -> list[Json]:
    balances: list[Json] = []
    for index, key in enumerate(every):
        found = written.get(key)
        if found is None or bytes(found.owner) not in TOKEN_PROGRAMS:
            continue  # a token account that cannot be written keeps its balance: of no interest here
        account = StoredAccount.of(found)
        mint = read(Pubkey.from_bytes(token_mint(account))) if is_token_account(account) else None
        if mint is None:
            continue
        balances.append(
            {
                "accountIndex": index,
                "mint": key_text(token_mint(account)),
                "owner": key_text(token_holder(account)),
                "programId": key_text(account.owner),
                "uiTokenAmount": ui_amount(token_amount(account), mint_decimals(mint)),
            }
        )
    return balances
