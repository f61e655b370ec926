"""RPC methods that read accounts, plain and of the token programs."""

from __future__ import annotations

from collections.abc import Iterable

from solders.pubkey import Pubkey

from datasources.solana.localnet.encoding import ACCOUNT_ENCODINGS, BASE58_ACCOUNT_BYTES, account_json, key_text
from datasources.solana.localnet.errors import INVALID_REQUEST, RpcError, invalid_params
from datasources.solana.localnet.filters import matches_all, parse_filters
from datasources.solana.localnet.ledger import Ledger
from datasources.solana.localnet.method import Method, with_context
from datasources.solana.localnet.model import Json, StoredAccount
from datasources.solana.localnet.params import Config, Params, as_key
from datasources.solana.localnet.token_json import (
    TOKEN_PROGRAMS,
    is_mint,
    is_token_account,
    mint_decimals,
    mint_supply,
    token_amount,
    token_mint,
    ui_amount,
)

_MAX_ACCOUNTS = 100


class AccountView:
    """How one call wants accounts shown: encoding, slice, and mints read once for `jsonParsed`."""

    def __init__(self, ledger: Ledger, config: Config, default: str) -> None:
        self._ledger = ledger
        self.encoding = config.choice("encoding", ACCOUNT_ENCODINGS, default)
        self.slice = config.data_slice()
        self._decimals: dict[bytes, int | None] = {}

    def show(self, account: StoredAccount | None) -> Json:
        """The account as JSON, null where absent."""
        if account is None:
            return None
        size = min(len(account.data), self.slice[1]) if self.slice else len(account.data)
        if self.encoding in ("base58", "binary") and size > BASE58_ACCOUNT_BYTES:
            raise RpcError(
                INVALID_REQUEST,
                "Encoded binary (base 58) data should be less than 128 bytes, please use Base64 encoding.",
            )
        return self.notify(account)

    def notify(self, account: StoredAccount) -> Json:
        """As `show`, but data too large for base58 becomes a text that says so, as in notifications."""
        decimals = None
        if self.encoding == "jsonParsed" and is_token_account(account):
            mint = token_mint(account)
            if mint not in self._decimals:
                self._decimals[mint] = _decimals(self._ledger, mint)
            decimals = self._decimals[mint]
        return account_json(account, self.encoding, self.slice, decimals)


def get_balance(ledger: Ledger, params: Params) -> Json:
    slot = ledger.slot
    params.config(1).require_slot(slot)
    account = ledger.account(params.key(0))
    return with_context(slot, account.lamports if account else 0)


def get_account_info(ledger: Ledger, params: Params) -> Json:
    slot, config, key = ledger.slot, params.config(1), params.key(0)
    config.require_slot(slot)
    return with_context(slot, AccountView(ledger, config, "binary").show(ledger.account(key)))


def get_multiple_accounts(ledger: Ledger, params: Params) -> Json:
    slot, config, keys = ledger.slot, params.config(1), params.keys(0, _MAX_ACCOUNTS)
    config.require_slot(slot)
    view = AccountView(ledger, config, "base64")
    return with_context(slot, [view.show(ledger.account(key)) for key in keys])


def get_program_accounts(ledger: Ledger, params: Params) -> Json:
    slot, config = ledger.slot, params.config(1)
    config.require_slot(slot)
    filters = parse_filters(config.value("filters"))
    found = (pair for pair in ledger.store.accounts_of(bytes(params.key(0))) if matches_all(filters, pair[1].data))
    value = _keyed(AccountView(ledger, config, "binary"), found)
    return with_context(slot, value) if config.flag("withContext") else value


def get_token_account_balance(ledger: Ledger, params: Params) -> Json:
    slot = ledger.slot
    params.config(1).require_slot(slot)
    account = ledger.account(params.key(0))
    if account is None:
        raise invalid_params("Invalid param: could not find account")
    if not is_token_account(account) or (decimals := _decimals(ledger, token_mint(account))) is None:
        raise invalid_params("Invalid param: not a Token account")
    return with_context(slot, ui_amount(token_amount(account), decimals))


def get_token_supply(ledger: Ledger, params: Params) -> Json:
    slot = ledger.slot
    params.config(1).require_slot(slot)
    mint = ledger.account(params.key(0))
    if mint is None:
        raise invalid_params("Invalid param: could not find account")
    if not is_mint(mint):
        raise invalid_params("Invalid param: not a Token mint")
    return with_context(slot, ui_amount(mint_supply(mint), mint_decimals(mint)))


def get_token_accounts_by_owner(ledger: Ledger, params: Params) -> Json:
    slot, config, holder = ledger.slot, params.config(2), bytes(params.key(0))
    config.require_slot(slot)
    wanted_mint: bytes | None = None
    match params.required(1):
        case {"mint": str() as mint}:
            wanted_mint = bytes(as_key(mint))
            found = ledger.account(Pubkey.from_bytes(wanted_mint))
            if found is None or not is_mint(found):
                raise invalid_params("Invalid param: could not find mint")
            program = found.owner
        case {"programId": str() as program_id}:
            program = bytes(as_key(program_id))
            if program not in TOKEN_PROGRAMS:
                raise invalid_params("Invalid param: unrecognized Token program id")
        case _:
            raise invalid_params("Invalid params: expected a mint or a programId.")
    accounts = (
        (key, account)
        for key, account in ledger.store.token_accounts_of(program, holder)
        if is_token_account(account) and wanted_mint in (None, token_mint(account))
    )
    return with_context(slot, _keyed(AccountView(ledger, config, "binary"), accounts))


def _keyed(view: AccountView, accounts: Iterable[tuple[bytes, StoredAccount]]) -> list[Json]:
    return [{"pubkey": key_text(key), "account": view.show(account)} for key, account in accounts]


def _decimals(ledger: Ledger, mint: bytes) -> int | None:
    found = ledger.account(Pubkey.from_bytes(mint))
    return mint_decimals(found) if found and is_mint(found) else None


METHODS: dict[str, Method] = {
    "getBalance": get_balance,
    "getAccountInfo": get_account_info,
    "getMultipleAccounts": get_multiple_accounts,
    "getProgramAccounts": get_program_accounts,
    "getTokenAccountBalance": get_token_account_balance,
    "getTokenSupply": get_token_supply,
    "getTokenAccountsByOwner": get_token_accounts_by_owner,
}
