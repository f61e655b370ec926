"""The ledger: the one owner of the runtime and the store, and the rules around them.

A transaction is checked (signatures, blockhash, never twice), executed, committed to the store with everything that
follows from it, and only then told to listeners and to the caller. All calls come from one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.sysvar import CLOCK, SLOT_HASHES
from solders.transaction import VersionedTransaction

from datasources.solana.localnet.blockhashes import MAX_AGE, Blockhashes
from datasources.solana.localnet.clock import ChainClock
from datasources.solana.localnet.message import MessageKeys, memo_of, message_keys
from datasources.solana.localnet.meta import transaction_meta
from datasources.solana.localnet.model import Committed, Json, StoredAccount, TransactionRow
from datasources.solana.localnet.outcome import Outcome
from datasources.solana.localnet.store import Store, die
from datasources.solana.localnet.vm import Vm

_MOVING_SYSVARS = frozenset((CLOCK, SLOT_HASHES))


class Refusal(Exception):
    """A transaction that did not land: the RPC's error JSON, logs, compute units and return data."""

    def __init__(self, err: Json, logs: tuple[str, ...] = (), units: int = 0, return_data: Json = None) -> None:
        super().__init__(err)
        self.err = err
        self.logs = logs
        self.units = units
        self.return_data = return_data


class Ledger:
    """The chain itself. `listeners` are called after each commit, in order, and must not raise."""

    def __init__(
        self, store: Store, clock: ChainClock, genesis_hash: Hash, identity: str, faucet: Keypair, seed: bytes
    ) -> None:
        self.store = store
        self.clock = clock
        self.genesis_hash = genesis_hash
        self.identity = identity
        self.faucet = faucet
        self.blockhashes = Blockhashes(seed)
        self.vm = Vm(self._stored, self.blockhashes.of)
        self.listeners: list[Callable[[Committed], None]] = []

    @property
    def slot(self) -> int:
        """The current slot; every slot has a block, so it is the block height too."""
        return self.clock.slot

    def latest_blockhash(self) -> tuple[Hash, int]:
        """The newest blockhash and the last block height that takes it."""
        slot = self.slot
        return self.blockhashes.of(slot), slot + MAX_AGE

    def blockhash_slot(self, blockhash: Hash) -> int | None:
        """The slot of a blockhash that is valid now, else None."""
        return self.blockhashes.slot_of(blockhash, self.slot)

    def account(self, key: Pubkey) -> StoredAccount | None:
        """The account at `key`, built-in programs and sysvars included."""
        if (found := self._stored(key)) is not None:
            return found
        if key in _MOVING_SYSVARS:
            self.vm.set_time(self.slot, self.clock.unix_time)
        return self.vm.account(key)

    def keys_of(self, transaction: VersionedTransaction) -> MessageKeys:
        """The keys that `transaction` names."""
        return message_keys(transaction.message, self._stored)

    def check(self, transaction: VersionedTransaction) -> None:
        """Raise Refusal unless the blockhash is valid and the transaction new; this is what holds replays off."""
        message = transaction.message
        if self.blockhash_slot(message.recent_blockhash) is None:
            logs: tuple[str, ...] = ()
            if transaction.uses_durable_nonce():
                logs = ("The embedded chain does not take durable nonces: sign over a recent blockhash.",)
            raise Refusal("BlockhashNotFound", logs)
        if self.store.processed(str(transaction.signatures[0]), bytes(message.hash())):
            raise Refusal("AlreadyProcessed")

    def send(self, transaction: VersionedTransaction, *, keep_failed: bool) -> str:
        """Execute and commit; returns the signature (base58).

        Raises Refusal where it cannot land. A transaction that fails while it runs lands with its fee paid where
        `keep_failed`, as in a block; else it is undone and raises Refusal.
        """
        try:
            self.check(transaction)
        except Refusal:
            self._verify(transaction)  # a cluster looks at signatures first
            raise
        slot, unix_time = self.slot, self.clock.unix_time
        keys = self.keys_of(transaction)
        self.vm.set_time(slot, unix_time)
        outcome = self.vm.execute(transaction, keys)
        if outcome.err is not None and not (keep_failed and outcome.landed):
            self.vm.undo(outcome)
            raise Refusal(outcome.err, outcome.logs, outcome.units, outcome.return_data)
        try:
            committed = self._commit(transaction, keys, outcome, slot, unix_time)
        except BaseException as error:
            die(f"A transaction ran but could not be recorded: {error!r}")
            raise
        self._tell(committed)
        return committed.signature

    def simulate(self, transaction: VersionedTransaction, *, verify: bool, check: bool) -> Outcome:
        """Run without effects. Raises Refusal on a wrong signature where `verify`, and from `check`."""
        if verify:
            self._verify(transaction)
        if check:
            self.check(transaction)
        self.vm.set_time(self.slot, self.clock.unix_time)
        return self.vm.simulate(transaction, self.keys_of(transaction))

    def install(self, accounts: Sequence[tuple[Pubkey, StoredAccount]]) -> None:
        """Place accounts outside of any transaction (genesis, a program's new code), in one commit."""
        self.vm.set_time(self.slot, self.clock.unix_time)
        for key, account in accounts:
            self.vm.put(key, account)
        with self.store.transaction():
            for key, account in accounts:
                self.store.put_account(bytes(key), account)

    def _verify(self, transaction: VersionedTransaction) -> None:
        if not all(transaction.verify_with_results()):
            raise Refusal("SignatureFailure")

    def _stored(self, key: Pubkey) -> StoredAccount | None:
        return self.store.account(bytes(key))

    def _commit(
        self, transaction: VersionedTransaction, keys: MessageKeys, outcome: Outcome, slot: int, unix_time: int
    ) -> Committed:
        changed = tuple(
            (key, StoredAccount.of(account) if account else None)
            for key, account in outcome.after.items()
            if account != outcome.before[key]
        )
        signature = str(transaction.signatures[0])
        meta = transaction_meta(keys, outcome, self.vm.lamports, self.account)
        memo = memo_of(transaction, keys)
        row = TransactionRow(0, signature, slot, unix_time, outcome.err, memo, bytes(transaction), meta)
        mentions = frozenset(keys.all)
        with self.store.transaction():
            for key, account in changed:
                self.store.put_account(bytes(key), account)
            self.store.add_transaction(row, bytes(transaction.message.hash()), map(bytes, mentions))
            self.store.put_value("unix_time", unix_time)
        return Committed(slot, changed, signature, outcome.err, outcome.logs, mentions)

    def _tell(self, committed: Committed) -> None:
        for listener in self.listeners:
            listener(committed)
