"""What the chain says of an admitted transaction before it is sent. Nothing has been changed anywhere yet."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from chorale.domain.chain import Commitment, SignatureStatus, Simulation, TransactionRefusedError
from chorale.domain.content import Content
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.ports import Chain
from chorale.domain.updates import Refusal, RefusedError
from chorale.update.admission import Admission
from chorale.update.program_refusals import from_program
from chorale.update.refusals import blockhash_unknown, expired, from_error
from chorale.update.subjects import About, Subjects, content_of
from programs.addresses import ProgramAddresses
from programs.problems import program_error_of

ALREADY_PROCESSED = "AlreadyProcessed"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A transaction that may be sent, or has landed already."""

    thread_id: str | None
    content_hash: str | None
    content: Content | None
    landed: SignatureStatus | None = None


class Acceptance:
    """Asks one chain."""

    def __init__(self, chain: Chain, addresses: ProgramAddresses) -> None:
        self._chain = chain
        self._subjects = Subjects(chain, addresses)

    async def accept(self, admission: Admission) -> Accepted:
        """Accounts and a dry run, which also tries the blockhash. Raises RefusedError unless the transaction would
        succeed, or has.

        What has landed is accepted whatever the accounts say now: its sender asks for the result again.
        """
        subject, simulation = await asyncio.gather(self._subjects.of(admission), self._dry_run(admission))
        refusal = subject.refusal or self._refusal_after(simulation, admission, subject) or subject.idle
        landed: SignatureStatus | None = None
        if refusal is not None:
            dead = refusal == blockhash_unknown() and await self.is_blockhash_dead(admission)
            landed = await self._chain.status(admission.signature, search_history=True)
            if landed is None:
                raise RefusedError(expired() if dead else refusal)
            if landed.error is not None:
                raise RefusedError(await self.rejection(admission, landed.error))
        return Accepted(subject.thread_id, subject.content_hash, content_of(admission, subject), landed)

    async def is_blockhash_dead(self, admission: Admission) -> bool:
        """Whether the blockhash is valid neither in the newest nor in the finalized state. Asked before a look at the
        status, so that a transaction without one has not landed and cannot."""
        for commitment in (Commitment.PROCESSED, Commitment.FINALIZED):
            if await self._chain.is_blockhash_valid(admission.transaction.blockhash, commitment):
                return False
        return True

    async def rejection(self, admission: Admission, error: Any) -> Refusal:
        """Why a transaction that landed has failed, with its logs where the node still has them."""
        try:
            record = await self._chain.transaction(admission.signature)
        except AuthorityUnavailableError:
            record = None  # that it has failed is known without
        return self.refusal_of(admission, error, () if record is None else record.logs)

    def refusal_of(
        self,
        admission: Admission,
        error: Any,
        logs: tuple[str, ...],
        *,
        message: str = "",
        minimum_stake: int | None = None,
    ) -> Refusal:
        """What an `err` JSON, or a node's `message` without one, means to the sender of this transaction."""
        found = program_error_of(error, instruction_index=admission.index)
        if found is None:
            return from_error(error, logs, message)
        return from_program(found, admission.kind.problems, logs=logs, minimum_stake=minimum_stake)

    async def _dry_run(self, admission: Admission) -> Simulation | TransactionRefusedError:
        try:
            return await self._chain.simulate(admission.transaction.raw)
        except TransactionRefusedError as error:
            return error

    def _refusal_after(
        self, simulation: Simulation | TransactionRefusedError, admission: Admission, subject: About
    ) -> Refusal | None:
        if isinstance(simulation, TransactionRefusedError):
            return self.refusal_of(admission, simulation.error, simulation.logs, message=str(simulation))
        if simulation.error is None:
            return None
        return self.refusal_of(admission, simulation.error, simulation.logs, minimum_stake=subject.minimum_stake)


def is_already_processed(error: Any) -> bool:
    """Whether a node refused a transaction because it has landed before."""
    return bool(error == ALREADY_PROCESSED)
