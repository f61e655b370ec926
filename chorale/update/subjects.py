"""What a transaction is about, read from the accounts that it names, with what they alone tell against it."""

from __future__ import annotations

from dataclasses import dataclass

from chorale.domain.accounts import MessageAccount, ThreadAccount
from chorale.domain.chain import AccountData
from chorale.domain.content import Content, ContentKey, ContentKind
from chorale.domain.ports import Chain
from chorale.domain.updates import Refusal, RefusedError
from chorale.update.admission import Admission
from chorale.update.kinds import Subject
from chorale.update.refusals import already_there, insufficient_funds, not_found, nothing_to_decide, treasury_too_low
from chorale.update.rules import is_decided_by
from programs import identity
from programs.accounts import AccountMalformed, decode_message, decode_protocol, decode_thread
from programs.addresses import ProgramAddresses
from programs.token_accounts import token_amount


@dataclass(frozen=True, slots=True)
class About:
    """Thread and message; None where it is about none. `idle` is what to say where the transaction would succeed and
    change nothing."""

    thread_id: str | None
    content_hash: str | None = None
    refusal: Refusal | None = None
    idle: Refusal | None = None
    minimum_stake: int | None = None


class Subjects:
    """Reads one chain."""

    def __init__(self, chain: Chain, addresses: ProgramAddresses) -> None:
        self._chain = chain
        self._addresses = addresses

    async def of(self, admission: Admission) -> About:
        """Raises RefusedError where a thread or message is named that is none."""
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
            return About(thread_id, refusal=already_there("thread", "TransactionRejected") if taken else None)
        thread = self._thread(found["thread"])
        if admission.kind.subject is Subject.NEW_MESSAGE:
            return self._new_message(admission, thread, found)
        if admission.kind.subject is Subject.THREAD:
            return About(thread.thread_id)
        message = self._message(found["message"])
        decided = not admission.kind.decides or is_decided_by(message, thread)
        return About(thread.thread_id, message.content_hash, idle=None if decided else nothing_to_decide())

    async def _administration(self, admission: Admission) -> About:
        """About the protocol alone; who may do it the dry run tells."""
        if admission.kind.instruction != "withdraw_treasury":
            return About(None)
        treasury = (await self._chain.accounts([self._addresses.treasury()])).accounts[0]
        held, asked = token_amount(treasury), admission.number("amount")
        return About(None, refusal=treasury_too_low(held, asked) if held < asked else None)

    def _new_message(self, admission: Admission, thread: ThreadAccount, found: dict[str, AccountData | None]) -> About:
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
        return About(thread.thread_id, content_hash, refusal, minimum_stake=minimum)

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


def content_of(admission: Admission, subject: About) -> Content | None:
    """The text that came along, under its key; None where there is none."""
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
