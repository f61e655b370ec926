"""What the chain says of an admitted transaction before it is sent. Nothing has been changed anywhere yet."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from chorale.domain.accounts import MessageAccount, ThreadAccount
from chorale.domain.chain import AccountData, Commitment, SignatureStatus, Simulation, TransactionRefusedError
from chorale.domain.content import Content, ContentKey, ContentKind
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.ports import Chain
from chorale.domain.updates import Refusal, RefusedError
from chorale.update.admission import Admission
from chorale.update.kinds import Subject
from chorale.update.refusals import (
    already_there,
    blockhash_unknown,
    expired,
    from_error,
    from_program,
    insufficient_funds,
    not_found,
    nothing_to_decide,
    treasury_too_low,
)
from chorale.update.rules import is_decided_by
from programs import identity
from programs.accounts import AccountMalformed, decode_message, decode_protocol, decode_thread
from programs.addresses import ProgramAddresses
from programs.problems import program_error_of
from programs.token_accounts import token_amount

ALREADY_PROCESSED = "AlreadyProcessed"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A transaction that may be sent, or has landed already."""

    thread_id: str | None
    content_hash: str | None
    content: Content | None
    landed: SignatureStatus | None = None


@dataclass(frozen=True, slots=True)
class _Subject:
    """What the transaction is about, as far as accounts tell. `idle` is what to say where it would succeed and change
    nothing."""

    thread_id: str | None
    content_hash: str | None = None
    refusal: Refusal | None = None
    idle: Refusal | None = None
    minimum_stake: int | None = None


class Acceptance:
    """Asks one chain."""

    def __init__(self, chain: Chain, addresses: ProgramAddresses) -> None:
        self._chain = chain
        self._addresses = addresses

    async def accept(self, admission: Admission) -> Accepted:
        """Accounts and a dry run, which also tries the blockhash. Raises RefusedError unless the transaction would
        succeed, or has.

        What has landed is accepted whatever the accounts say now: its sender asks for the result again.
        """
        subject, simulation = await asyncio.gather(self._subject(admission), self._dry_run(admission))
        refusal = subject.refusal or self._refusal_after(simulation, admission, subject) or subject.idle
        landed: SignatureStatus | None = None
        if refusal is not None:
            dead = refusal == blockhash_unknown() and await self.is_blockhash_dead(admission)
            landed = await self._chain.status(admission.signature, search_history=True)
            if landed is None:
                raise RefusedError(expired() if dead else refusal)
            if landed.error is not None:
                raise RefusedError(await self.rejection(admission, landed.error))
        content = _content(admission, subject)
        return Accepted(subject.thread_id, subject.content_hash, content, landed)

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
        self, simulation: Simulation | TransactionRefusedError, admission: Admission, subject: _Subject
    ) -> Refusal | None:
        if isinstance(simulation, TransactionRefusedError):
            return self.refusal_of(admission, simulation.error, simulation.logs, message=str(simulation))
        if simulation.error is None:
            return None
        return self.refusal_of(admission, simulation.error, simulation.logs, minimum_stake=subject.minimum_stake)

    async def _subject(self, admission: Admission) -> _Subject:
        accounts = admission.instruction.accounts
        if admission.kind.subject is Subject.PROTOCOL:
            return await self._administration(admission)
        roles = [role for role in ("thread", "message", "protocol", "source") if role in accounts]
        read = await self._chain.accounts([accounts[role] for role in roles])
        found: dict[str, AccountData | None] = dict(zip(roles, read.accounts, strict=True))
        if admission.kind.subject is Subject.NEW_THREAD:
            thread_id = identity.thread_id(admission.wallet, admission.number("nonce"))
            taken = self._own(found["thread"]) is not None
            # createThread's result has no NotAllowedNow.
            return _Subject(thread_id, refusal=already_there("thread", "TransactionRejected") if taken else None)
        thread = self._thread(found["thread"])
        if admission.kind.subject is Subject.NEW_MESSAGE:
            return self._new_message(admission, thread, found)
        if admission.kind.subject is Subject.THREAD:
            return _Subject(thread.thread_id)
        message = self._message(found["message"])
        decided = not admission.kind.decides or is_decided_by(message, thread)
        return _Subject(thread.thread_id, message.content_hash, idle=None if decided else nothing_to_decide())

    async def _administration(self, admission: Admission) -> _Subject:
        """About the protocol alone; who may do it the dry run tells."""
        if admission.kind.instruction != "withdraw_treasury":
            return _Subject(None)
        treasury = (await self._chain.accounts([self._addresses.treasury()])).accounts[0]
        held, asked = token_amount(treasury), admission.number("amount")
        return _Subject(None, refusal=treasury_too_low(held, asked) if held < asked else None)

    def _new_message(
        self, admission: Admission, thread: ThreadAccount, found: dict[str, AccountData | None]
    ) -> _Subject:
        content_hash = identity.content_hash(
            thread.thread_id, admission.wallet, admission.number("nonce"), admission.hash("body_hash")
        )
        refusal, minimum = None, None
        if self._own(found["message"]) is not None:
            refusal = already_there("message")
        elif admission.kind.instruction == "submit_message":
            minimum = self._minimum_stake(found["protocol"])
            if found["source"] is None:
                refusal = insufficient_funds("The wallet has no token account to take the stake from. Fund it first.")
        return _Subject(thread.thread_id, content_hash, refusal, minimum_stake=minimum)

    def _thread(self, account: AccountData | None) -> ThreadAccount:
        own = self._own(account)
        try:
            if own is not None:
                return decode_thread(own.address, own.data)
        except AccountMalformed:
            pass  # an account of another type: as good as none
        raise RefusedError(not_found("thread"))

    def _message(self, account: AccountData | None) -> MessageAccount:
        own = self._own(account)
        try:
            if own is not None:
                return decode_message(own.address, own.data)
        except AccountMalformed:
            pass  # an account of another type: as good as none
        raise RefusedError(not_found("message"))

    def _minimum_stake(self, account: AccountData | None) -> int | None:
        # Only the true address: the program would refuse another, and a refusal must not quote it.
        if account is None or account.address != self._addresses.protocol():
            return None
        return decode_protocol(account.address, account.data).minimum_stake

    def _own(self, account: AccountData | None) -> AccountData | None:
        return account if account is not None and account.owner == self._addresses.program_id else None


def is_already_processed(error: Any) -> bool:
    """Whether a node refused a transaction because it has landed before."""
    return bool(error == ALREADY_PROCESSED)


def _content(admission: Admission, subject: _Subject) -> Content | None:
    if admission.text is None or admission.salt is None or subject.thread_id is None:
        return None
    if admission.kind.subject is Subject.NEW_THREAD:
        key = ContentKey(ContentKind.TITLE, subject.thread_id, admission.hash("title_hash"))
    else:
        key = ContentKey(ContentKind.MESSAGE, subject.thread_id, subject.content_hash or "")
    return Content(
        key=key,
        author=admission.wallet,
        nonce=admission.number("nonce"),
        salt=admission.salt,
        body=admission.text,
        stake=int(admission.instruction.args.get("stake", 0)),
    )
