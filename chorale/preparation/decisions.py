"""What becomes of a pending message: votes, and the ways in which it ends without them."""

from __future__ import annotations

from chorale.domain.commands import FeeOptions, PreparedTransaction
from chorale.domain.updates import RefusedError
from chorale.preparation.base import Draft, OnMessage, Preparation, refuse
from chorale.update.refusals import nothing_to_decide, refusals_as_data
from chorale.update.rules import cancellation_error, expiry_error, is_decided_by, open_error, vote_error
from programs import instructions
from programs.accounts import CO_AUTHOR_SIZE, MESSAGE_VECTOR, VOTE_SIZE, message_size
from programs.fees import COMPUTE_UNITS


class DecisionPreparation(Preparation):
    """castVote, cancelMessage, expireMessage, resolveMessage. A message that neither `wallet` nor `viewer` may see
    does not exist."""

    @refusals_as_data
    async def cast_vote(
        self,
        wallet: str,
        content_hash: str,
        approve: bool,
        fees: FeeOptions | None = None,
        *,
        viewer: str | None = None,
    ) -> PreparedTransaction:
        """A co-author's vote."""
        on = await self._on_message(wallet, content_hash, fees, viewer)
        refuse(vote_error(on.message, on.thread, wallet, on.snapshot.now))
        instruction = instructions.cast_vote(
            self._addresses,
            payer=on.payer,
            voter=wallet,
            thread_id=on.thread.thread_id,
            content_hash=content_hash,
            approve=approve,
        )
        rent, votes = 0, len(on.message.votes)
        account = on.snapshot.accounts[on.message.address]
        if account is not None and votes >= (len(account.data) - MESSAGE_VECTOR - 4) // VOTE_SIZE:
            # One seat's rent more than its size needs, for the author's place in the thread.
            needed = await self._chain.rent(message_size(votes + 1) + CO_AUTHOR_SIZE)
            rent = max(0, needed - account.lamports)
        return await self._prepared(_draft("cast_vote", instruction, on, rent), fees)

    @refusals_as_data
    async def cancel_message(
        self, wallet: str, content_hash: str, fees: FeeOptions | None = None, *, viewer: str | None = None
    ) -> PreparedTransaction:
        """An author's message, taken back before the first vote."""
        on = await self._on_message(wallet, content_hash, fees, viewer)
        refuse(cancellation_error(on.message, wallet, on.snapshot.now))
        instruction = instructions.cancel(
            self._addresses, author=wallet, thread_id=on.thread.thread_id, content_hash=content_hash
        )
        return await self._prepared(_draft("cancel", instruction, on), fees)

    @refusals_as_data
    async def expire_message(
        self, wallet: str, content_hash: str, fees: FeeOptions | None = None, *, viewer: str | None = None
    ) -> PreparedTransaction:
        """A message whose window has passed. Nobody but the payer signs."""
        on = await self._on_message(wallet, content_hash, fees, viewer)
        refuse(expiry_error(on.message, on.snapshot.now))
        instruction = instructions.expire(self._addresses, thread_id=on.thread.thread_id, content_hash=content_hash)
        return await self._prepared(_draft("expire", instruction, on), fees)

    @refusals_as_data
    async def resolve_message(
        self, wallet: str, content_hash: str, fees: FeeOptions | None = None, *, viewer: str | None = None
    ) -> PreparedTransaction:
        """An open message, evaluated again. Nobody but the payer signs."""
        on = await self._on_message(wallet, content_hash, fees, viewer)
        refuse(open_error(on.message, on.snapshot.now))
        if not is_decided_by(on.message, on.thread):
            raise RefusedError(nothing_to_decide())
        instruction = instructions.resolve(
            self._addresses, payer=on.payer, thread_id=on.thread.thread_id, content_hash=content_hash
        )
        return await self._prepared(_draft("resolve", instruction, on), fees)


def _draft(name: str, instruction: instructions.Instruction, on: OnMessage, rent: int = 0) -> Draft:
    return Draft(
        instructions=(instruction,),
        snapshot=on.snapshot,
        payer=on.payer,
        units=COMPUTE_UNITS[name],
        rent=rent,
        thread=on.thread,
        content_hash=on.message.content_hash,
    )
