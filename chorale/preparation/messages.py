"""New threads and messages: what comes with a text."""

from __future__ import annotations

from chorale.domain.commands import FeeOptions, PreparedTransaction
from chorale.domain.content import MAX_BODY_BYTES, MAX_TITLE_BYTES
from chorale.domain.updates import RefusedError
from chorale.preparation.arguments import check_hash, check_identity, check_u64, fee_payer
from chorale.preparation.base import Draft, Preparation, refuse
from chorale.preparation.snapshot import take_snapshot
from chorale.update.program_refusals import foretold
from chorale.update.refusals import already_there, insufficient_funds, refusals_as_data
from chorale.update.rules import post_error, submission_error
from programs import identity, instructions
from programs.accounts import CO_AUTHOR_SIZE, message_size, thread_size
from programs.fees import COMPUTE_UNITS
from programs.token_accounts import TOKEN_ACCOUNT_SIZE

EXPIRY_SLACK = 600


class MessagePreparation(Preparation):
    """createThread, postMessage, submitMessage."""

    @refusals_as_data
    async def create_thread(
        self, wallet: str, title: str, nonce: int | None = None, salt: str | None = None, fees: FeeOptions | None = None
    ) -> PreparedTransaction:
        """A thread of `wallet` with this title."""
        nonce, salt = check_identity(wallet, title, nonce, salt, "title", MAX_TITLE_BYTES)
        payer = fee_payer(wallet, fees)
        mint = await self._token()
        thread_id = identity.thread_id(wallet, nonce)
        address = self._addresses.thread(thread_id)
        vault = self._addresses.vault(address)
        snapshot = await take_snapshot(self._chain, [payer, address, vault])
        if snapshot.has(address):
            raise RefusedError(already_there("thread"))
        instruction = instructions.create_thread(
            self._addresses,
            payer=payer,
            creator=wallet,
            mint=mint,
            nonce=nonce,
            title_hash=identity.title_hash(salt, title),
        )
        rent = await self._rent_of_new(snapshot, address, thread_size(1))
        rent += await self._rent_of_new(snapshot, vault, TOKEN_ACCOUNT_SIZE)
        draft = Draft(
            instructions=(instruction,), snapshot=snapshot, payer=payer, units=COMPUTE_UNITS["create_thread"],
            rent=rent, thread_id=thread_id, nonce=nonce, salt=salt,
        )  # fmt: skip
        return await self._prepared(draft, fees)

    @refusals_as_data
    async def post_message(
        self,
        wallet: str,
        thread_id: str,
        body: str,
        nonce: int | None = None,
        salt: str | None = None,
        fees: FeeOptions | None = None,
    ) -> PreparedTransaction:
        """A message that a co-author publishes at once."""
        nonce, salt = check_identity(wallet, body, nonce, salt, "body", MAX_BODY_BYTES)
        check_hash(thread_id, "threadId")
        payer = fee_payer(wallet, fees)
        body_hash = identity.body_hash(salt, body)
        content_hash = identity.content_hash(thread_id, wallet, nonce, body_hash)
        thread_address = self._addresses.thread(thread_id)
        address = self._addresses.message(thread_address, content_hash)
        snapshot = await take_snapshot(self._chain, [payer, thread_address, address])
        thread = snapshot.thread(thread_address)
        refuse(post_error(thread, wallet))
        if snapshot.has(address):
            raise RefusedError(already_there("message"))
        instruction = instructions.post_message(
            self._addresses, payer=payer, author=wallet, thread_id=thread_id, body_hash=body_hash, nonce=nonce
        )
        rent = await self._rent_of_new(snapshot, address, message_size(0))
        draft = Draft(
            instructions=(instruction,), snapshot=snapshot, payer=payer, units=COMPUTE_UNITS["post_message"],
            rent=rent, thread=thread, content_hash=content_hash, nonce=nonce, salt=salt,
        )  # fmt: skip
        return await self._prepared(draft, fees)

    @refusals_as_data
    async def submit_message(
        self,
        wallet: str,
        thread_id: str,
        body: str,
        stake: int,
        nonce: int | None = None,
        salt: str | None = None,
        fees: FeeOptions | None = None,
    ) -> PreparedTransaction:
        """An outsider's message with `stake` base units, paid from the wallet's associated token account."""
        nonce, salt = check_identity(wallet, body, nonce, salt, "body", MAX_BODY_BYTES)
        check_hash(thread_id, "threadId")
        check_u64(stake, "stake")
        payer = fee_payer(wallet, fees)
        body_hash = identity.body_hash(salt, body)
        content_hash = identity.content_hash(thread_id, wallet, nonce, body_hash)
        thread_address = self._addresses.thread(thread_id)
        address = self._addresses.message(thread_address, content_hash)
        protocol_address = self._addresses.protocol()
        source = self._addresses.associated_token_account(wallet, await self._token())
        snapshot = await take_snapshot(self._chain, [payer, thread_address, address, source, protocol_address])
        thread = snapshot.thread(thread_address)
        protocol = snapshot.protocol(protocol_address)
        refused = submission_error(thread, wallet, stake, protocol.minimum_stake)
        if refused is not None:
            raise RefusedError(foretold(refused, minimum_stake=protocol.minimum_stake))
        if snapshot.has(address):
            raise RefusedError(already_there("message"))
        if (tokens := snapshot.tokens(source)) < stake:
            raise RefusedError(
                insufficient_funds(f"The wallet holds {tokens} base units of the token, the stake is {stake}.")
            )
        instruction = instructions.submit_message(
            self._addresses,
            payer=payer,
            author=wallet,
            source=source,
            thread_id=thread_id,
            body_hash=body_hash,
            nonce=nonce,
            stake=stake,
            # The window that the wallet agrees to: today's, with room for the time until the transaction lands.
            max_expires_at=snapshot.now + protocol.approval_window + EXPIRY_SLACK,
        )
        # One seat's rent more than its size needs, for the author's place in the thread.
        rent = await self._rent_of_new(snapshot, address, message_size(len(thread.co_authors)) + CO_AUTHOR_SIZE)
        draft = Draft(
            instructions=(instruction,), snapshot=snapshot, payer=payer, units=COMPUTE_UNITS["submit_message"],
            rent=rent, thread=thread, content_hash=content_hash, nonce=nonce, salt=salt,
        )  # fmt: skip
        return await self._prepared(draft, fees)
