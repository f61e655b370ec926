"""Unsigned transactions for wallets, with the refusals they would run into told beforehand."""

from __future__ import annotations

import secrets

from chorale.domain.accounts import ThreadAccount
from chorale.domain.approval import MessageStatus
from chorale.domain.commands import FeeOptions, PreparedTransaction
from chorale.domain.content import MAX_BODY_BYTES, MAX_TITLE_BYTES
from chorale.domain.ports import Chain, IndexReader
from chorale.domain.program_errors import ProgramError
from chorale.domain.updates import RefusedError
from chorale.preparation import (
    Snapshot,
    check_hash,
    check_identity,
    check_key,
    check_lamports,
    check_u64,
    check_visible,
    fee_lamports,
    fee_payer,
    priority_price,
    protocol_in,
    take_snapshot,
    vote_error,
)
from chorale.update.refusals import already_there, from_program, insufficient_funds, not_found, refusals_as_data
from programs import identity, instructions
from programs.accounts import CO_AUTHOR_SIZE, MESSAGE_VECTOR, VOTE_SIZE, message_size, thread_size
from programs.addresses import ProgramAddresses
from programs.interface import MAX_CO_AUTHORS, TREE_DEPTH
from programs.transactions import compose

# The measured need with room for unlucky bumps, which the program searches for.
COMPUTE_UNITS = {"create_thread": 120_000, "post_message": 100_000, "submit_message": 100_000, "cast_vote": 180_000}
EXPIRY_SLACK = 600
_SECONDS_PER_BLOCK = 0.4
_VAULT_SIZE = 165


class Preparer:
    """Builds transactions and changes nothing. Fees default to none of priority, paid by the wallet itself."""

    def __init__(self, chain: Chain, index: IndexReader, addresses: ProgramAddresses) -> None:
        self._chain = chain
        self._index = index
        self._addresses = addresses
        self._mint: str | None = None

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
        snapshot = await take_snapshot(self._chain, [payer, address])
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
        rent = await self._chain.rent(thread_size(1)) + await self._chain.rent(_VAULT_SIZE)
        return await self._prepared(
            "create_thread", instruction, snapshot, wallet, fees, rent, thread_id=thread_id, nonce=nonce, salt=salt
        )

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
        if not thread.has_co_author(wallet):
            raise RefusedError(from_program(ProgramError.NOT_A_CO_AUTHOR, "post_message"))
        if thread.published_count >= 2**TREE_DEPTH:
            raise RefusedError(from_program(ProgramError.TREE_FULL, "post_message"))
        if snapshot.has(address):
            raise RefusedError(already_there("message"))
        instruction = instructions.post_message(
            self._addresses, payer=payer, author=wallet, thread_id=thread_id, body_hash=body_hash, nonce=nonce
        )
        rent = await self._chain.rent(message_size(0))
        return await self._prepared(
            "post_message", instruction, snapshot, wallet, fees, rent,
            thread=thread, content_hash=content_hash, nonce=nonce, salt=salt,
        )  # fmt: skip

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
        refused = _submission_error(thread, wallet, stake, protocol.minimum_stake)
        if refused is not None:
            raise RefusedError(from_program(refused, "submit_message", minimum_stake=protocol.minimum_stake))
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
        rent = await self._pending_rent(len(thread.co_authors))
        return await self._prepared(
            "submit_message", instruction, snapshot, wallet, fees, rent,
            thread=thread, content_hash=content_hash, nonce=nonce, salt=salt,
        )  # fmt: skip

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
        """A co-author's vote on a pending message; one that neither `wallet` nor `viewer` may see does not exist."""
        check_key(wallet, "wallet")
        check_hash(content_hash, "contentHash")
        payer = fee_payer(wallet, fees)
        found = await self._index.thread_of(content_hash)
        if found is None or found[1] is MessageStatus.STAGED:
            raise RefusedError(not_found("message"))
        thread_address = self._addresses.thread(found[0])
        address = self._addresses.message(thread_address, content_hash)
        snapshot = await take_snapshot(self._chain, [payer, thread_address, address])
        thread, message = snapshot.thread(thread_address), snapshot.message(address)
        check_visible(message, thread, wallet, viewer)
        refused = vote_error(message, thread, wallet, snapshot.now)
        if refused is not None:
            raise RefusedError(from_program(refused, "cast_vote"))
        instruction = instructions.cast_vote(
            self._addresses,
            payer=payer,
            voter=wallet,
            thread_id=thread.thread_id,
            content_hash=content_hash,
            approve=approve,
        )
        rent, votes = 0, len(message.votes)
        account = snapshot.accounts[address]
        if account is not None and votes >= (len(account.data) - MESSAGE_VECTOR - 4) // VOTE_SIZE:
            rent = max(0, await self._pending_rent(votes + 1) - account.lamports)
        return await self._prepared(
            "cast_vote", instruction, snapshot, wallet, fees, rent, thread=thread, content_hash=content_hash
        )

    async def _token(self) -> str:
        if self._mint is None:
            read = await self._chain.accounts([self._addresses.protocol()])
            self._mint = protocol_in(read.accounts[0], self._addresses.program_id).mint
        return self._mint

    async def _pending_rent(self, votes: int) -> int:
        # One seat's rent more than its size needs, for the author's place in the thread.
        return await self._chain.rent(message_size(votes) + CO_AUTHOR_SIZE)

    async def _prepared(
        self,
        name: str,
        instruction: instructions.Instruction,
        snapshot: Snapshot,
        wallet: str,
        fees: FeeOptions | None,
        rent: int,
        *,
        thread: ThreadAccount | None = None,
        thread_id: str | None = None,
        content_hash: str | None = None,
        nonce: int | None = None,
        salt: str | None = None,
    ) -> PreparedTransaction:
        payer, price, units = fee_payer(wallet, fees), priority_price(fees), COMPUTE_UNITS[name]
        fee = fee_lamports(len({payer, wallet}), price, units)
        check_lamports(payer, snapshot.lamports(payer), fee, rent, await self._chain.rent(0))
        blockhash = snapshot.blockhash
        lifetime = max(0, blockhash.last_valid_block_height - blockhash.block_height) * _SECONDS_PER_BLOCK
        return PreparedTransaction(
            id=secrets.token_hex(16),
            transaction=compose(
                payer=payer,
                instructions=[instruction],
                blockhash=blockhash.blockhash,
                compute_unit_limit=units,
                compute_unit_price=price or None,
            ),
            thread_id=thread.thread_id if thread else thread_id,
            content_hash=content_hash,
            nonce=nonce,
            salt=salt,
            expected_version=thread.sequence if thread else None,
            fee_payer=payer,
            fee_lamports=fee,
            rent_lamports=rent,
            compute_unit_limit=units,
            block_height=blockhash.block_height,
            last_valid_block_height=blockhash.last_valid_block_height,
            expires_at=snapshot.now + int(lifetime),
        )


def _submission_error(thread: ThreadAccount, wallet: str, stake: int, minimum_stake: int) -> ProgramError | None:
    """What the program would say to a submission, in its own order of checks."""
    if thread.has_co_author(wallet):
        return ProgramError.ALREADY_A_CO_AUTHOR
    if stake < minimum_stake:
        return ProgramError.STAKE_TOO_LOW
    if thread.published_count >= 2**TREE_DEPTH:
        return ProgramError.TREE_FULL
    return ProgramError.THREAD_FULL if len(thread.co_authors) >= MAX_CO_AUTHORS else None
