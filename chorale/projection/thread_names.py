"""Which threads a transaction touched: its events name accounts, the index and everything derived name thread ids."""

from __future__ import annotations

from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.events import ProgramEvent, TransactionRecord
from chorale.domain.ports import Chain, IndexReader
from chorale.domain.updates import Authority
from chorale.projection.garbage import as_away
from programs.accounts import decode_thread
from programs.interface import EVENTS

_EVENTS = frozenset(name for name, spec in EVENTS.items() if spec.record.fields[0].name == "thread")


def names_thread(event: ProgramEvent) -> bool:
    """Whether the event is about a thread; all others are about the protocol."""
    return event.name in _EVENTS


def touched_by(record: TransactionRecord) -> set[str]:
    """Addresses of the threads that a transaction's events name."""
    return {event.thread for event in record.events if names_thread(event)}


async def threads_of(record: TransactionRecord, chain: Chain, index: IndexReader) -> set[str]:
    """Ids of the threads that a transaction touched; none where it failed. New threads are read from the chain.

    Raises AuthorityUnavailableError where the node has a thread's event and not yet its account.
    """
    if not record.succeeded:
        return set()
    found = set()
    for address in touched_by(record):
        thread_id = await index.thread_id_at(address)
        if thread_id is None:
            account = (await chain.accounts([address], min_context_slot=record.slot)).accounts[0]
            if account is None or account.owner != chain.program_id:  # anyone may send lamports there before
                raise AuthorityUnavailableError(
                    Authority.SOLANA, f"The node has an event of thread {address} and not yet its account."
                )
            with as_away():
                thread_id = decode_thread(address, account.data).thread_id
        found.add(thread_id)
    return found
