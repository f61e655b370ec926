"""The one owner of a LiteSVM instance, which only caches the accounts that transactions touch.

Accounts come from the store when a transaction first names them. LiteSVM copies its whole account map whenever its
clock moves, so a full cache is dropped and the runtime made anew (about 35 ms) instead of growing without bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from solders.account import Account
from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from datasources.solana.localnet.clock import SLOTS_PER_EPOCH
from datasources.solana.localnet.message import MessageKeys
from datasources.solana.localnet.model import Json, StoredAccount
from datasources.solana.localnet.outcome import Accounts, Outcome, outcome_of
from datasources.solana.localnet.runtime import SimulatedTransactionInfo, new_runtime

CACHED_ACCOUNTS = 4_096
_UPGRADEABLE_LOADER = bytes(Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111"))
_SLOT_HASHES = 32


class Vm:
    """Executes transactions over accounts that `stored` reads. Not for use by two threads."""

    def __init__(self, stored: Callable[[Pubkey], StoredAccount | None], blockhash: Callable[[int], Hash]) -> None:
        self._stored = stored
        self._blockhash = blockhash
        self._vm = new_runtime()
        self._cached: set[Pubkey] = set()
        self._now = (0, 0)

    def account(self, key: Pubkey) -> StoredAccount | None:
        """An account that the runtime itself brings: built-in programs and sysvars."""
        found = self._account(key)
        return StoredAccount.of(found) if found else None

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
        before = self._written(keys)
        result = self._vm.send_transaction(transaction)
        outcome = self._named(outcome_of(result, before, self._written(keys)), transaction, keys)
        if (err := self._rent_error(keys, outcome)) is None:
            return outcome
        self.undo(outcome)
        payer = keys.static[0]
        paid = before[payer]
        if paid is None:
            return replace(outcome, err=err, after=before)
        charged = Account(paid.lamports - outcome.spent, paid.data, paid.owner, False, paid.rent_epoch)
        self._vm.set_account(payer, charged)
        return replace(outcome, err=err, after={**before, payer: charged})

    def undo(self, outcome: Outcome) -> None:
        """Put the accounts of an executed transaction back as they were."""
        for key, account in outcome.before.items():
            if account != outcome.after[key]:
                self._vm.set_account(key, account or Account.default())

    def simulate(self, transaction: VersionedTransaction, keys: MessageKeys) -> Outcome:
        """Run `transaction` without effects and without a look at its signatures."""
        self._load(keys)
        before = self._written(keys)
        self._vm.with_sigverify(False)
        try:
            result = self._vm.simulate_transaction(transaction)
        finally:
            self._vm.with_sigverify(True)
        after = dict(before)
        if isinstance(result, SimulatedTransactionInfo):
            after.update((key, each if each.lamports else None) for key, each in result.post_accounts() if key in after)
        outcome = self._named(outcome_of(result, before, after), transaction, keys)
        err = self._rent_error(keys, outcome)
        return outcome if err is None else replace(outcome, err=err, after=before)

    def _account(self, key: Pubkey) -> Account | None:
        found = self._vm.get_account(key)
        return found if found and found.lamports else None  # LiteSVM keeps closed accounts without lamports

    def _written(self, keys: MessageKeys) -> Accounts:
        return {key: self._account(key) for key in keys.all if key in keys.writable}

    def _load(self, keys: MessageKeys) -> None:
        if len(self._cached) > CACHED_ACCOUNTS:
            self._vm, self._cached, now, self._now = new_runtime(), set(), self._now, (0, 0)
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

    def _rent_error(self, keys: MessageKeys, outcome: Outcome) -> Json:
        """The error for an account left between nothing and rent-exempt; LiteSVM lets those without data pass."""
        if outcome.err is not None:
            return None
        minimum = self._vm.minimum_balance_for_rent_exemption(0)
        for index, key in enumerate(keys.all):
            account = outcome.after.get(key)
            if account is None or account.data or account.lamports >= minimum:
                continue
            earlier = outcome.before[key]
            if earlier is None or earlier.data or not account.lamports <= earlier.lamports < minimum:
                return {"InsufficientFundsForRent": {"account_index": index}}
        return None
