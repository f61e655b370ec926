"""The second look, at whole accounts, right before something is sent: nothing is paid for what is no longer due."""

from __future__ import annotations

from chorale.domain.chain import AccountData
from chorale.domain.ports import Chain
from chorale.keeping.duties import Candidate, Due, Duty, message_due, thread_due, why_not_payable
from programs.accounts import decode_message, decode_thread
from programs.addresses import ProgramAddresses
from programs.wire import key_bytes


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
        if candidate.duty is Duty.SWEEP:
            (account,) = await self._read(candidate.account)
            if account is None:
                return None
            owed = decode_thread(account.address, account.data).treasury_due
            return thread_due(candidate.account, owed, self._sweep_minimum)
        if candidate.duty is Duty.RESOLVE:
            account, beside = await self._read(candidate.account, candidate.thread)
        else:
            (account,), beside = await self._read(candidate.account), None
        if account is None:
            return None
        thread = None if beside is None else decode_thread(beside.address, beside.data)
        due = message_due(decode_message(account.address, account.data), thread, now)
        if due is None or due.duty is not candidate.duty:
            return None
        if due.duty is Duty.REFUND:
            await self._check_payee(due.payee)
        return due

    async def _check_payee(self, payee: str) -> None:
        (account,) = await self._read(self._addresses.associated_token_account(payee, self._mint))
        reason = why_not_payable(None if account is None else account.data, key_bytes(self._mint), key_bytes(payee))
        if reason is not None:
            raise Blocked(reason)

    async def _read(self, *addresses: str) -> tuple[AccountData | None, ...]:
        return (await self._chain.accounts(addresses)).accounts
