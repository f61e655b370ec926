"""The runtime: the one owner of a LiteSVM instance, which only caches the accounts that transactions touch.

Accounts come from the store when a transaction first names them. LiteSVM copies its whole account map whenever its
clock moves, so a full cache is dropped and the runtime made anew (about 35 ms) instead of growing without bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import orjson
from solders.account import Account
from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.rpc.responses import RpcSimulateTransactionResult
from solders.transaction import VersionedTransaction

from datasources.solana.localnet.clock import SLOTS_PER_EPOCH
from datasources.solana.localnet.encoding import base64_pair, compiled_instruction
from datasources.solana.localnet.errors import RuntimeUnavailableError
from datasources.solana.localnet.message import MessageKeys
from datasources.solana.localnet.model import Json, StoredAccount

try:
    from solders.litesvm import LiteSVM
    from solders.transaction_metadata import (
        FailedTransactionMetadata,
        InnerInstruction,
        SimulatedTransactionInfo,
        TransactionMetadata,
    )
except ImportError as error:  # some wheels of solders are built without it
    raise RuntimeUnavailableError from error

CACHED_ACCOUNTS = 4_096
_UPGRADEABLE_LOADER = bytes(Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111"))
_SLOT_HASHES = 32


@dataclass(frozen=True, slots=True)
class Outcome:
    """What executing a transaction did: its writable accounts before and after, and the traces as RPC's JSON."""

    err: Json
    logs: tuple[str, ...]
    units: int
    inner: tuple[Json, ...]
    return_data: Json
    before: dict[Pubkey, Account | None]
    after: dict[Pubkey, Account | None]

    @property
    def landed(self) -> bool:
        """Whether a block would hold it: it ran, or at least paid its fee."""
        return self.err is None or any(self.before[key] != self.after[key] for key in self.before)


class Vm:
    """Executes transactions over accounts that `stored` reads. Not for use by two threads."""

    def __init__(self, stored: Callable[[Pubkey], StoredAccount | None], blockhash: Callable[[int], Hash]) -> None:
        self._stored = stored
        self._blockhash = blockhash
        self._vm = _fresh()
        self._cached: set[Pubkey] = set()
        self._now = (0, 0)

    def account(self, key: Pubkey) -> StoredAccount | None:
        """An account that the runtime itself brings: built-in programs and sysvars."""
        found = self._vm.get_account(key)
        return StoredAccount.of(found) if found and found.lamports else None

    def lamports(self, key: Pubkey) -> int:
        """Balance of an account that the last transaction named."""
        return self._vm.get_balance(key) or 0

    def rent_exempt_minimum(self, size: int) -> int:
        """Lamports that exempt an account of `size` bytes from rent."""
        return self._vm.minimum_balance_for_rent_exemption(size)

    def set_time(self, slot: int, unix_time: int) -> None:
        """Move the Clock sysvar, where it differs, and the recent slot hashes with it."""
        if (slot, unix_time) == self._now:
            return
        clock = self._vm.get_clock()
        clock.slot = slot
        clock.unix_timestamp = unix_time
        clock.epoch = slot // SLOTS_PER_EPOCH
        clock.leader_schedule_epoch = clock.epoch + 1
        self._vm.set_clock(clock)
        if slot != self._now[0]:
            recent = range(slot - 1, max(-1, slot - 1 - _SLOT_HASHES), -1)
            self._vm.set_slot_hashes([(past, self._blockhash(past)) for past in recent])
        self._now = (slot, unix_time)

    def put(self, key: Pubkey, account: StoredAccount) -> None:
        """Place an account, a program's included. Raises BaseException (a Rust panic) on an ELF that cannot load."""
        self._vm.set_account(key, account.to_account())
        self._cached.add(key)

    def execute(self, transaction: VersionedTransaction, keys: MessageKeys) -> Outcome:
        """Run `transaction` and keep its effects; a failed one keeps its fee only."""
        self._load(keys)
        before = {key: self._vm.get_account(key) for key in keys.writable}
        result = self._vm.send_transaction(transaction)
        after = {key: self._vm.get_account(key) for key in keys.writable}
        meta = result.meta() if isinstance(result, FailedTransactionMetadata) else result
        outcome = self._named(_outcome(result, meta, before, after), transaction, keys)
        if outcome.err is None and (index := self._rent_paying(keys, outcome)) is not None:
            self.undo(outcome)
            outcome = self._only_fee(keys, outcome, {"InsufficientFundsForRent": {"account_index": index}})
        return outcome

    def undo(self, outcome: Outcome) -> None:
        """Put the accounts of an executed transaction back as they were."""
        for key, account in outcome.before.items():
            if account != outcome.after[key]:
                self._vm.set_account(key, account or Account.default())

    def simulate(self, transaction: VersionedTransaction, keys: MessageKeys) -> Outcome:
        """Run `transaction` without effects and without a look at its signatures."""
        self._load(keys)
        before = {key: self._vm.get_account(key) for key in keys.writable}
        self._vm.with_sigverify(False)
        try:
            result = self._vm.simulate_transaction(transaction)
        finally:
            self._vm.with_sigverify(True)
        after = dict(before)
        if isinstance(result, SimulatedTransactionInfo):
            after.update((key, account) for key, account in result.post_accounts() if key in after)
        outcome = self._named(_outcome(result, result.meta(), before, after), transaction, keys)
        if outcome.err is None and (index := self._rent_paying(keys, outcome)) is not None:
            return self._only_fee(keys, outcome, {"InsufficientFundsForRent": {"account_index": index}}, keep=False)
        return outcome

    def _load(self, keys: MessageKeys) -> None:
        if len(self._cached) > CACHED_ACCOUNTS:
            self._vm, self._cached, now, self._now = _fresh(), set(), self._now, (0, 0)
            self.set_time(*now)
        self._cache(key for key in keys.all if key not in self._cached)

    def _cache(self, keys: Iterable[Pubkey]) -> None:
        for key in keys:
            if (account := self._stored(key)) is not None:
                if account.executable and account.owner == _UPGRADEABLE_LOADER and len(account.data) >= 36:
                    self._cache([Pubkey.from_bytes(account.data[4:36])])  # the code must be there before its program
                self._vm.set_account(key, account.to_account())
            self._cached.add(key)

    def _named(self, outcome: Outcome, transaction: VersionedTransaction, keys: MessageKeys) -> Outcome:
        """The outcome with Solana's name for a program that is not there, which LiteSVM takes for one that is none."""
        if outcome.err == "InvalidProgramForExecution":
            programs = {keys.static[each.program_id_index] for each in transaction.message.instructions}
            if not all(map(self.lamports, programs)):
                return replace(outcome, err="ProgramAccountNotFound")
        return outcome

    def _rent_paying(self, keys: MessageKeys, outcome: Outcome) -> int | None:
        """Index of an account left between nothing and rent-exempt; LiteSVM lets those without data pass."""
        minimum = self._vm.minimum_balance_for_rent_exemption(0)
        for index, key in enumerate(keys.all):
            account = outcome.after.get(key)
            if account is None or account.data or not 0 < account.lamports < minimum:
                continue
            earlier = outcome.before[key]
            if earlier is None or earlier.data or not account.lamports <= earlier.lamports < minimum:
                return index
        return None

    def _only_fee(self, keys: MessageKeys, outcome: Outcome, err: Json, *, keep: bool = True) -> Outcome:
        """The outcome of a transaction that fails after it ran: its fee is paid, nothing else has changed."""
        after = dict(outcome.before)
        payer = keys.static[0]
        account = outcome.before[payer]
        if keep and account is not None:
            fee = _total(outcome.before) - _total(outcome.after)
            after[payer] = Account(account.lamports - fee, account.data, account.owner, False, account.rent_epoch)
            self._vm.set_account(payer, after[payer] or Account.default())
        return replace(outcome, err=err, after=after)


def _fresh() -> LiteSVM:
    # Blockhashes and processed signatures are checked by the ledger: LiteSVM remembers too few of both.
    return (
        LiteSVM()
        .with_sigverify(True)
        .with_blockhash_check(False)
        .with_transaction_history(0)
        .with_log_bytes_limit(None)
    )


def _total(accounts: dict[Pubkey, Account | None]) -> int:
    return sum(account.lamports for account in accounts.values() if account)


def _outcome(
    result: TransactionMetadata | FailedTransactionMetadata | SimulatedTransactionInfo,
    meta: TransactionMetadata,
    before: dict[Pubkey, Account | None],
    after: dict[Pubkey, Account | None],
) -> Outcome:
    err = None
    if isinstance(result, FailedTransactionMetadata):
        err = orjson.loads(RpcSimulateTransactionResult(err=result.err()).to_json())["err"]
    returned = meta.return_data()  # type: ignore[attr-defined]  # solders' stub has the name wrong
    return_data = {"programId": str(returned.program_id), "data": base64_pair(returned.data)} if returned.data else None
    inner = tuple(
        {"index": index, "instructions": [_inner(each) for each in group]}
        for index, group in enumerate(meta.inner_instructions())
        if group
    )
    return Outcome(err, tuple(meta.logs()), meta.compute_units_consumed(), inner, return_data, before, after)


def _inner(inner: InnerInstruction) -> Json:
    return compiled_instruction(inner.instruction(), inner.stack_height())  # type: ignore[attr-defined]  # not in the stub
