"""The second look, at whole accounts, right before something is sent: nothing is paid for what is no longer due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chorale.domain.chain import AccountData
from chorale.domain.ports import Chain
from chorale.keeping.duties import Candidate, Due, Duty, message_due, thread_due
from programs.accounts import decode_message, decode_thread
from programs.addresses import ProgramAddresses
from programs.token_accounts import Payability, payability

_WHY_NOT = {
    Payability.MISSING: "the author has no associated token account",
    Payability.FOREIGN: "the author's associated token account is of another owner or mint",
    Payability.FROZEN: "the author's token account is frozen",
}


class Blocked(Exception):
    """What is due cannot be sent now: the message says why."""


class Checker:
    """Checks candidates one by one. `mint` is the protocol's."""

    def __init__(self, chain: Chain, mint: str, sweep_minimum: int) -> None:
        self._chain = chain
        self._mint = mint
        self._sweep_minimum = sweep_minimum
        self._addresses = ProgramAddresses(chain.program_id)

    async def due(self, candidate: Candidate, now: int) -> Due | None:
        """What is due of it at unix time `now`; None where that is no longer so. Raises Blocked."""
        beside = [candidate.thread] if candidate.duty is Duty.RESOLVE else []
        read = await self._chain.accounts([candidate.account, *beside])
        due = self._due(candidate.duty, read.accounts, now)
        if due is None or due.duty is not candidate.duty:
            return None
        if due.duty is Duty.REFUND:
            await self._check_payee(due.payee)
        return replace(due, slot=read.slot)

    def _due(self, duty: Duty, accounts: Sequence[AccountData | None], now: int) -> Due | None:
        account, *beside = accounts
        if account is None:
            return None
        if duty is Duty.SWEEP:
            owed = decode_thread(account.address, account.data).treasury_due
            return thread_due(account.address, owed, self._sweep_minimum)
        threads = [decode_thread(thread.address, thread.data) for thread in beside if thread is not None]
        return message_due(decode_message(account.address, account.data), threads[0] if threads else None, now)

    async def _check_payee(self, payee: str) -> None:
        address = self._addresses.associated_token_account(payee, self._mint)
        (account,) = (await self._chain.accounts([address])).accounts
        found = payability(account, payee, self._mint)
        if found is not Payability.PAYABLE:
            raise Blocked(_WHY_NOT[found])
