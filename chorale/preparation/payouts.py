"""What pays tokens out of a thread's vault: to deniers, authors, co-authors who leave, and the treasury."""

from __future__ import annotations

from chorale.domain.commands import FeeOptions, PreparedTransaction
from chorale.domain.program_errors import ProgramError
from chorale.preparation.arguments import check_hash, check_key, check_u64, fee_payer
from chorale.preparation.base import Draft, Preparation, refuse
from chorale.preparation.snapshot import take_snapshot
from chorale.update.refusals import refusals_as_data
from chorale.update.rules import claim_error, divestment_error, due_to_treasury, refund_error, share_of
from programs import instructions
from programs.fees import COMPUTE_UNITS


class PayoutPreparation(Preparation):
    """claimEscrow, refundStake, divest, sweepThread. Payees are paid into their associated token account, which is made
    in the same transaction where it is missing."""

    @refusals_as_data
    async def claim_escrow(
        self, wallet: str, content_hash: str, fees: FeeOptions | None = None, *, viewer: str | None = None
    ) -> PreparedTransaction:
        """The share of the denier `wallet`, who signs only as the payer. A message that neither `wallet` nor `viewer`
        may see does not exist."""
        return await self._from_escrow("claim", wallet, content_hash, fees, viewer)

    @refusals_as_data
    async def refund_stake(
        self, wallet: str, content_hash: str, fees: FeeOptions | None = None, *, viewer: str | None = None
    ) -> PreparedTransaction:
        """The stake of the author `wallet`, who signs only as the payer. A message that neither `wallet` nor `viewer`
        may see does not exist."""
        return await self._from_escrow("refund", wallet, content_hash, fees, viewer)

    @refusals_as_data
    async def divest(
        self, wallet: str, thread_id: str, min_payout: int | None = None, fees: FeeOptions | None = None
    ) -> PreparedTransaction:
        """The co-author `wallet` leaves with at least `min_payout`; by default with what it would be now, so that a
        share which shrinks meanwhile is refused rather than paid."""
        check_key(wallet, "wallet")
        check_hash(thread_id, "threadId")
        if min_payout is not None:
            check_u64(min_payout, "minPayout")
        payer, mint = fee_payer(wallet, fees), await self._token()
        destination = self._addresses.associated_token_account(wallet, mint)
        thread_address = self._addresses.thread(thread_id)
        snapshot = await take_snapshot(self._chain, [payer, thread_address, destination])
        thread = snapshot.thread(thread_address)
        least = share_of(thread) if min_payout is None else min_payout
        refuse(divestment_error(thread, wallet, least))
        instruction = instructions.divest(
            self._addresses, co_author=wallet, destination=destination, thread_id=thread_id, min_payout=least
        )
        draft = Draft(
            instructions=(instruction,), snapshot=snapshot, payer=payer, units=COMPUTE_UNITS["divest"], thread=thread
        )
        return await self._prepared(await self._with_account(draft, wallet, mint), fees)

    @refusals_as_data
    async def sweep_thread(self, wallet: str, thread_id: str, fees: FeeOptions | None = None) -> PreparedTransaction:
        """What the thread owes the treasury. Nobody but the payer signs."""
        check_key(wallet, "wallet")
        check_hash(thread_id, "threadId")
        payer = fee_payer(wallet, fees)
        address = self._addresses.thread(thread_id)
        vault = self._addresses.vault(address)
        snapshot = await take_snapshot(self._chain, [payer, address, vault])
        thread = snapshot.thread(address)
        refuse(None if due_to_treasury(thread, snapshot.tokens(vault)) else ProgramError.NOTHING_OWED)
        draft = Draft(
            instructions=(instructions.sweep(self._addresses, thread_id=thread_id),),
            snapshot=snapshot,
            payer=payer,
            units=COMPUTE_UNITS["sweep"],
            thread=thread,
        )
        return await self._prepared(draft, fees)

    async def _from_escrow(
        self, name: str, wallet: str, content_hash: str, fees: FeeOptions | None, viewer: str | None
    ) -> PreparedTransaction:
        check_key(wallet, "wallet")
        mint = await self._token()
        destination = self._addresses.associated_token_account(wallet, mint)
        on = await self._on_message(wallet, content_hash, fees, viewer, destination)
        refuse((claim_error if name == "claim" else refund_error)(on.message, wallet))
        instruction = (instructions.claim if name == "claim" else instructions.refund)(
            self._addresses,
            payee=wallet,
            destination=destination,
            thread_id=on.thread.thread_id,
            content_hash=content_hash,
        )
        draft = Draft(
            instructions=(instruction,),
            snapshot=on.snapshot,
            payer=on.payer,
            units=COMPUTE_UNITS[name],
            thread=on.thread,
            content_hash=content_hash,
        )
        return await self._prepared(await self._with_account(draft, wallet, mint), fees)
