"""What the checkers read of the chain, and how they wait before they call a difference a conflict."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

from chorale.domain.accounts import MessageAccount, ProtocolAccount, ThreadAccount
from chorale.domain.chain import AccountData, Commitment
from chorale.domain.errors import AuthorityUnavailableError, ChoraleError
from chorale.domain.ports import Chain, Index
from chorale.domain.updates import Authority
from chorale.limits import Limits
from chorale.projection.finality import Finality
from chorale.projection.garbage import as_away
from chorale.projector import Projector
from programs.accounts import decode_message, decode_protocol, decode_thread
from programs.addresses import ProgramAddresses

A = TypeVar("A", ThreadAccount, MessageAccount, ProtocolAccount)


class Reading:
    """Accounts at a commitment, the index brought up to them, and the chain's finality. Raises
    AuthorityUnavailableError where an authority is away or answers what no program writes."""

    def __init__(self, chain: Chain, index: Index, projector: Projector, finality: Finality, limits: Limits) -> None:
        self.chain = chain
        self.index = index
        self.projector = projector
        self._finality = finality
        self.limits = limits
        self.addresses = ProgramAddresses(chain.program_id)

    async def threads(
        self, thread_ids: Sequence[str], commitment: Commitment = Commitment.CONFIRMED, min_slot: int | None = None
    ) -> tuple[int, dict[str, ThreadAccount]]:
        """The slot, and accounts by id; absent ones are left out."""
        addresses = [self.addresses.thread(thread_id) for thread_id in thread_ids]
        read = await self.chain.accounts(addresses, min_context_slot=min_slot, commitment=commitment)
        found = zip(thread_ids, read.accounts, strict=True)
        return read.slot, self._decoded(decode_thread, {key: data for key, data in found if data is not None})

    async def messages(
        self, owners: Mapping[str, str], commitment: Commitment = Commitment.CONFIRMED, min_slot: int | None = None
    ) -> tuple[int, dict[str, MessageAccount]]:
        """The slot, and accounts by hash, of messages given as thread ids by hash; absent ones are left out."""
        threads = {thread_id: self.addresses.thread(thread_id) for thread_id in set(owners.values())}
        addresses = [self.addresses.message(threads[owner], content_hash) for content_hash, owner in owners.items()]
        read = await self.chain.accounts(addresses, min_context_slot=min_slot, commitment=commitment)
        found = zip(owners, read.accounts, strict=True)
        return read.slot, self._decoded(decode_message, {key: data for key, data in found if data is not None})

    async def protocol(self, commitment: Commitment = Commitment.CONFIRMED) -> tuple[int, ProtocolAccount | None]:
        """The slot, and the `Protocol` account; None before it is initialised."""
        read = await self.chain.accounts([self.addresses.protocol()], commitment=commitment)
        data = read.accounts[0]
        found = self._decoded(decode_protocol, {} if data is None else {"": data})
        return read.slot, found.get("")

    async def arrived(self, sequences: Mapping[str, int], min_slot: int) -> set[str]:
        """Those of the threads that the index has at these sequences, after it had time and was asked to follow.

        A thread that cannot be followed at the moment counts as arrived: nothing is known against the index."""
        answers = await asyncio.gather(
            *(self._arrived(thread_id, sequence, min_slot) for thread_id, sequence in sequences.items())
        )
        return {thread_id for thread_id, there in zip(sequences, answers, strict=True) if there}

    async def slot_behind(self, thread_ids: Collection[str]) -> int:
        """A confirmed slot that is not before the one that the rows of these threads were written from, which may have
        been read from a node that is ahead."""
        slot = await self.chain.slot()
        written = [(await self.index.progress(thread_id)).slot for thread_id in thread_ids]
        return max(slot, *(min(each, slot + self.limits.chain_behind_slots) for each in written), 0)

    async def finalized(self, slot: int) -> None:
        """Wait until the chain has finalized `slot`. Raises AuthorityUnavailableError where that takes too long: what
        differs and cannot be judged must not pass for right."""
        patience = self.limits.confirm_timeout
        if not await self._finality.reached(slot, patience):
            raise AuthorityUnavailableError(
                Authority.SOLANA,
                f"Something differs, and slot {slot} was not final within {patience:.0f} s: verify again to judge it.",
            )

    async def _arrived(self, thread_id: str, sequence: int, min_slot: int) -> bool:
        if await self.index.wait_for(thread_id, sequence, self.limits.min_version_wait):
            return True
        try:
            async with asyncio.timeout(self.limits.settle_timeout):
                await self.projector.settle(thread_id, min_slot=min_slot)
        except AuthorityUnavailableError:
            raise
        except (ChoraleError, TimeoutError):
            return True
        return await self.index.thread_sequence(thread_id) >= sequence

    def _decoded(self, decode: Callable[[str, bytes], A], found: Mapping[str, AccountData]) -> dict[str, A]:
        # Anyone can send lamports to an address before the program makes its account there: then another owns it.
        own = {key: data for key, data in found.items() if data.owner == self.chain.program_id}
        with as_away():
            return {key: decode(data.address, data.data) for key, data in own.items()}
