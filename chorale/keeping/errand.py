"""One piece of work from claim to confirmation: checked again, claimed, signed, sent, awaited. Never twice."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from chorale.domain.chain import Blockhash, TransactionRefusedError
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.ports import Chain, Signer
from chorale.domain.program_errors import ProgramError
from chorale.keeping.check import Blocked, Checker
from chorale.keeping.claims import Claim, Claims
from chorale.keeping.duties import Candidate, Due
from chorale.keeping.payment import fee_of, most_of, unsigned
from chorale.keeping.purse import Purse
from programs.addresses import ProgramAddresses
from programs.problems import program_error_of
from programs.transactions import decode_transaction

_log = logging.getLogger(__name__)

_OVERTAKEN = (ProgramError.NOT_PENDING, ProgramError.NOTHING_OWED, ProgramError.WINDOW_CLOSED)


class Ending(Enum):
    """How an errand ended. Only the first three have sent anything."""

    CONFIRMED = auto()
    FAILED = auto()
    UNKNOWN = auto()
    REFUSED = auto()
    OVERTAKEN = auto()
    TAKEN = auto()
    BLOCKED = auto()
    UNPAID = auto()


@dataclass(frozen=True, slots=True)
class Result:
    """An ending with its reason, the transaction where one was sent, and its fee in lamports where it landed."""

    ending: Ending
    reason: str = ""
    signature: str = ""
    lamports: int = 0


class Errands:
    """Runs errands of one keeper."""

    def __init__(
        self,
        chain: Chain,
        signer: Signer,
        checker: Checker,
        claims: Claims,
        purse: Purse,
        *,
        mint: str,
        price: int,
        confirm_timeout: float,
    ) -> None:
        self._chain = chain
        self._signer = signer
        self._checker = checker
        self._claims = claims
        self._purse = purse
        self._mint = mint
        self._price = price
        self._confirm_timeout = confirm_timeout
        self._addresses = ProgramAddresses(chain.program_id)

    async def run(self, candidate: Candidate, now: int) -> Result:
        """Do what is due of a candidate at the cluster's time `now`.

        AuthorityUnavailableError: something was away; what had been sent by then stays claimed until it is settled.
        """
        if not self._purse.can_pay(most_of(candidate.duty, self._price)):
            return Result(Ending.UNPAID, "the fee payer may not spend more now")
        try:
            due = await self._checker.due(candidate, now)
        except Blocked as error:
            return Result(Ending.BLOCKED, str(error))
        if due is None:
            return Result(Ending.OVERTAKEN, "it is no longer due")
        if not await self._claims.is_free(candidate.key, due.slot):
            return Result(Ending.TAKEN, "another transaction for it is under way")
        most = most_of(due.duty, self._price)
        if not self._purse.reserve(most):
            return Result(Ending.UNPAID, "the fee payer may not spend more now")
        spent = 0
        try:
            result = await self._claim_and_send(candidate.key, due)
            spent = result.lamports
        finally:
            await self._purse.settle(most, spent)
        return result

    async def _claim_and_send(self, key: str, due: Due) -> Result:
        blockhash = await self._chain.latest_blockhash()
        transaction, signature = self._signed(due, blockhash)
        if not await self._claims.take(key, Claim(self._signer.address, signature, blockhash.block_height)):
            return Result(Ending.TAKEN, "another keeper was faster")
        try:
            await self._chain.send(transaction)
        except TransactionRefusedError as error:
            if error.error != "AlreadyProcessed":
                await self._claims.release(key)
                return _refused(error)
        except AuthorityUnavailableError as error:
            # The node may have passed it on: what became of it shows on chain, or once its blockhash is too old.
            _log.warning("keeper sent=%s account=%s and the node did not answer: %s", due.duty.value, key, error)
        return await self._awaited(key, due, signature)

    async def _awaited(self, key: str, due: Due, signature: str) -> Result:
        status = await self._chain.confirm(signature, self._confirm_timeout)
        if status is None:
            return Result(Ending.UNKNOWN, "it was not confirmed in time", signature)
        fee = fee_of(due.duty, self._price)
        if status.error is None:
            return Result(Ending.CONFIRMED, "", signature, fee)
        await self._claims.release(key)
        return Result(Ending.FAILED, f"it failed on chain: {_explained(status.error)}", signature, fee)

    def _signed(self, due: Due, blockhash: Blockhash) -> tuple[bytes, str]:
        payer = self._signer.address
        raw = unsigned(
            due,
            addresses=self._addresses,
            mint=self._mint,
            payer=payer,
            blockhash=blockhash.blockhash,
            price=self._price,
        )
        transaction = self._signer.sign(raw)
        return transaction, decode_transaction(transaction, self._chain.program_id).signature


def _refused(error: TransactionRefusedError) -> Result:
    if program_error_of(error.error) in _OVERTAKEN:
        return Result(Ending.OVERTAKEN, f"refused before it was sent: {_explained(error.error)}")
    return Result(Ending.REFUSED, _explained(error.error) if error.error is not None else str(error))


def _explained(error: Any) -> str:
    known = program_error_of(error)
    return str(error) if known is None else f"{known.title}. {known.explanation}"
