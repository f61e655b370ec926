"""What has happened to a thread since the index last looked: events from transactions, state from accounts.

Every sequence of a thread emits at least one event, and every message that changes is named by one of that sequence.
So the events between two sequences tell exactly which messages to read, and an account read tells whether it is of the
version wanted: a message's own sequence equals that of its last event.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from chorale.domain.accounts import MessageAccount, ThreadAccount
from chorale.domain.chain import AccountData, AccountsRead, Commitment
from chorale.domain.errors import AuthorityUnavailableError, StaleReadError
from chorale.domain.events import TransactionRecord
from chorale.domain.ports import Chain
from chorale.domain.projection import Projection, ThreadProgress
from chorale.domain.updates import Authority
from chorale.projection.garbage import as_away
from chorale.projection.heard_accounts import HeardAccounts
from chorale.projection.logged_events import events_up_to
from chorale.projection.thread_history import ThreadHistory
from programs.accounts import (
    MESSAGE_THREAD,
    AccountMalformed,
    ProgramAccount,
    decode_account,
    decode_message,
    decode_thread,
)
from programs.addresses import ProgramAddresses

_READS = 10
_FRESH = 3600  # s; history of a thread that was active since is not gone, the node only lags


@dataclass(slots=True)
class _Read:
    """What was read of one thread, several times perhaps: the newest of each message, and the thread by sequence."""

    messages: dict[str, MessageAccount] = field(default_factory=dict)
    accounts: dict[str, AccountData] = field(default_factory=dict)
    threads: dict[int, AccountData] = field(default_factory=dict)

    def accounts_of(self, thread: ThreadAccount, messages: Iterable[MessageAccount]) -> tuple[AccountData, ...]:
        """The accounts of this version, as they were read."""
        return self.threads[thread.sequence], *(self.accounts[message.address] for message in messages)


class ThreadChanges:
    """Reads threads of one program from the chain, or what the chain has told of them in `heard`."""

    def __init__(self, chain: Chain, heard: HeardAccounts | None = None) -> None:
        self._chain = chain
        self._heard = heard or HeardAccounts()
        self._addresses = ProgramAddresses(chain.program_id)

    async def since(
        self, thread_id: str, known: ThreadProgress, records: Collection[TransactionRecord], min_slot: int
    ) -> Projection | None:
        """The thread's change since `known`, of one version; None where there is none.

        `records` are transactions that are known already and need not be asked for again. Raises StaleReadError where
        the thread changes faster than it can be read.
        """
        address = self._addresses.thread(thread_id)
        history = ThreadHistory(self._chain, address, known, records)
        read = _Read()
        messages = read.messages
        wanted: set[str] = set(history.touched())
        slot, thread, ahead = 0, None, False
        for attempt in range(_READS):
            told = self._told(address, wanted, max(min_slot, known.slot), history.newest) if attempt == 0 else None
            min_slot, newest = await self._read(address, wanted, max(min_slot, known.slot), read, told=told)
            # A version that was read stays the goal while its messages can be had: a thread that never rests has one
            # more of them at every read.
            if thread is None or newest is None or ahead:
                slot, thread = min_slot, newest
                if thread is None or thread.sequence <= known.sequence:
                    return None
                await self._gather(history, thread)
                if history.holes(thread.sequence):
                    return await self.whole(thread_id, known, records, min_slot)
            touched = history.touched(thread.sequence)
            wanted = {
                key for key, sequence in touched.items() if key not in messages or messages[key].sequence < sequence
            }
            ahead = any(key in messages and messages[key].sequence > sequence for key, sequence in touched.items())
            if not wanted and not ahead:
                events = events_up_to(thread, slot, history)
                changed = tuple(messages[key] for key in touched)
                return Projection(thread, slot, changed, events, accounts=read.accounts_of(thread, changed))
        raise StaleReadError(f"Thread {thread_id} kept changing while it was projected.")

    async def whole(
        self,
        thread_id: str,
        known: ThreadProgress,
        records: Collection[TransactionRecord],
        min_slot: int,
        commitment: Commitment = Commitment.CONFIRMED,
    ) -> Projection | None:
        """The thread with all its messages, where history has holes or the index does not fit. None where absent."""
        address = self._addresses.thread(thread_id)
        history = ThreadHistory(self._chain, address, known, records)
        before = await self._read(address, (), max(min_slot, known.slot), _Read(), commitment)
        for _ in range(_READS):
            read = await self._chain.program_accounts(holding=[(MESSAGE_THREAD, address)], commitment=commitment)
            after = slot, thread = await self._read(address, (), max(before[0], read.slot), _Read(), commitment)
            if before[1] is None or thread is None:
                return None
            # The same sequence before and after: what was read in between is of that version.
            if before[1].sequence == thread.sequence and before[0] <= read.slot:
                await self._gather(history, thread)
                messages = [account for account in accounts_in(read) if isinstance(account, MessageAccount)]
                return Projection(thread, slot, tuple(messages), events_up_to(thread, slot, history), replace=True)
            before = after
        raise StaleReadError(f"Thread {thread_id} kept changing while it was projected.")

    async def messages(
        self, thread_id: str, content_hashes: Iterable[str]
    ) -> tuple[ThreadAccount | None, list[MessageAccount]]:
        """A thread and some of its messages as they are now; what is absent is left out."""
        address = self._addresses.thread(thread_id)
        found = _Read()
        _, thread = await self._read(address, set(content_hashes), None, found)
        return thread, list(found.messages.values())

    async def _gather(self, history: ThreadHistory, thread: ThreadAccount) -> None:
        if await history.reach(thread.sequence) or thread.activity_at < await self._chain.unix_time() - _FRESH:
            return
        raise AuthorityUnavailableError(
            Authority.SOLANA, f"The node does not serve the transactions of thread {thread.thread_id} yet."
        )

    async def _read(
        self,
        address: str,
        content_hashes: Collection[str],
        min_slot: int | None,
        into: _Read,
        commitment: Commitment = Commitment.CONFIRMED,
        told: AccountsRead | None = None,
    ) -> tuple[int, ThreadAccount | None]:
        read = told or await self._chain.accounts(
            self._addresses_of(address, content_hashes), min_context_slot=min_slot, commitment=commitment
        )
        # Anyone may send lamports to an address before the program makes its account there: then another owns it.
        own = [data if data is not None and data.owner == self._chain.program_id else None for data in read.accounts]
        with as_away():
            for data in own[1:]:
                if data is not None:
                    message = decode_message(data.address, data.data)
                    into.messages[message.content_hash] = message
                    into.accounts[data.address] = data
            if own[0] is None:
                return read.slot, None
            thread = decode_thread(address, own[0].data)
            into.threads[thread.sequence] = own[0]
            return read.slot, thread

    def _told(self, address: str, content_hashes: Collection[str], min_slot: int, newest: int) -> AccountsRead | None:
        return self._heard.read(self._addresses_of(address, content_hashes), min_slot, newest)

    def _addresses_of(self, address: str, content_hashes: Collection[str]) -> list[str]:
        return [address, *(self._addresses.message(address, content_hash) for content_hash in content_hashes)]


def accounts_in(read: AccountsRead) -> Iterator[ProgramAccount]:
    """The program's accounts in a read of all it owns, without the empty ones that anybody can assign to it."""
    for data in read.accounts:
        if data is not None:
            try:
                yield decode_account(data.address, data.data)
            except AccountMalformed:
                continue
