"""How threads and messages come to be: create_thread, post_message, submit_message."""

from __future__ import annotations

from typing import cast

from chorale.domain.accounts import StatusByte
from chorale.domain.model import hashing
from chorale.domain.model.run import SYSTEM_PROGRAM, TOKEN_PROGRAM, Place, Run, counted, demand, touched_active
from chorale.domain.model.tokens import is_vault, token_account, transfer
from chorale.domain.model.values import (
    I64_MAX,
    MAX_CO_AUTHORS,
    SEAT_BYTES,
    TREE_CAPACITY,
    U32_MAX,
    Message,
    Seat,
    Thread,
    TokenAccount,
)
from chorale.domain.program_errors import ProgramError


def create_thread(run: Run) -> str:
    """Makes a thread and its vault; the creator sits first."""
    payer, creator, protocol_at, thread_at, vault, mint, token, system = run.accounts(8)
    nonce, title_hash = cast("tuple[int, bytes]", run.arguments_as("Q32s"))
    run.payer(payer)
    run.signed(creator)
    run.is_at(token, TOKEN_PROGRAM)
    run.is_at(system, SYSTEM_PROGRAM)
    run.is_at(mint, run.protocol(protocol_at).mint)
    thread_id = hashing.thread_id(creator.key, nonce)
    bump = run.vacant(thread_at, b"thread", thread_id)
    vault_bump = run.vacant(vault, b"vault", thread_at.key)

    spoiled = thread_at.state.lamports or vault.state.lamports
    root = hashing.EMPTY[-1]
    thread = Thread(bump, vault_bump, thread_id, creator.key, nonce, run.now, title_hash, root)
    run.make(payer, thread_at, run.program, thread)
    run.make(payer, vault, TOKEN_PROGRAM, TokenAccount(mint.key, thread_at.key))
    thread.seats = [Seat(creator.key, touched_active(thread, run.now))]
    return "made over lamports" if spoiled else "made"


def post_message(run: Run) -> str:
    """A co-author publishes at once."""
    payer, author, thread_at, message_at, system = run.accounts(5)
    body_hash, nonce = cast("tuple[bytes, int]", run.arguments_as("32sQ"))
    run.payer(payer)
    run.signed(author)
    run.is_at(system, SYSTEM_PROGRAM)
    thread = run.thread(thread_at)
    demand(thread.seats_key(author.key), ProgramError.NOT_A_CO_AUTHOR)
    demand(thread.published_count < TREE_CAPACITY, ProgramError.TREE_FULL)
    message = _identified(run, message_at, thread_at, author, nonce, body_hash)

    spoiled = message_at.state.lamports
    run.make(payer, message_at, run.program, message)
    sequence = touched_active(thread, run.now)
    thread.message_count = counted(thread.message_count, 1, U32_MAX)
    message.status = StatusByte.PUBLISHED
    message.submitted_at = message.decided_at = run.now
    message.submitted_sequence = message.sequence = sequence
    publish(thread, message)
    return "published over lamports" if spoiled else "published"


def submit_message(run: Run) -> str:
    """An outsider puts a stake into the vault and waits."""
    payer, author, protocol_at, thread_at, message_at, vault, source, token, system = run.accounts(9)
    body_hash, nonce, stake, max_expires_at = cast("tuple[bytes, int, int, int]", run.arguments_as("32sQQq"))
    run.payer(payer)
    run.signed(author)
    run.is_at(token, TOKEN_PROGRAM)
    run.is_at(system, SYSTEM_PROGRAM)
    protocol = run.protocol(protocol_at)
    thread = run.thread(thread_at)
    is_vault(run, vault, thread_at, thread)
    run.writable(source)
    purse = token_account(source)
    demand(purse.mint == protocol.mint, ProgramError.INVALID_ACCOUNT)
    demand(purse.holder == author.key, ProgramError.UNAUTHORIZED)
    demand(not thread.seats_key(author.key), ProgramError.ALREADY_A_CO_AUTHOR)
    demand(stake >= protocol.minimum_stake, ProgramError.STAKE_TOO_LOW)
    demand(thread.published_count < TREE_CAPACITY, ProgramError.TREE_FULL)
    demand(len(thread.seats) < MAX_CO_AUTHORS, ProgramError.THREAD_FULL)
    expires_at = counted(run.now, protocol.approval_window, I64_MAX)
    demand(expires_at <= max_expires_at, ProgramError.EXPIRES_TOO_LATE)
    message = _identified(run, message_at, thread_at, author, nonce, body_hash)

    spoiled = message_at.state.lamports
    message.room = len(thread.seats)
    run.make(payer, message_at, run.program, message, beside=run.rent_per_byte * SEAT_BYTES)
    transfer(source, vault, stake)
    sequence = touched_active(thread, run.now)
    thread.message_count = counted(thread.message_count, 1, U32_MAX)
    thread.pending_count = counted(thread.pending_count, 1, U32_MAX)
    thread.stakes_total = counted(thread.stakes_total, stake)
    message.stake, message.submitted_at, message.expires_at = stake, run.now, expires_at
    message.submitted_sequence = message.sequence = sequence
    return "pending over lamports" if spoiled else "pending"


def publish(thread: Thread, message: Message) -> None:
    """Appends a message to the thread's tree."""
    message.leaf_index = thread.published_count
    thread.frontier, thread.content_root = hashing.appended(
        thread.frontier, thread.published_count, message.content_hash
    )
    thread.published_count += 1


def _identified(run: Run, message_at: Place, thread_at: Place, author: Place, nonce: int, body_hash: bytes) -> Message:
    thread = run.thread(thread_at)
    content_hash = hashing.content_hash(thread.thread_id, author.key, nonce, body_hash)
    bump = run.vacant(message_at, b"message", thread_at.key, content_hash)
    return Message(bump, thread_at.key, author.key, content_hash, body_hash, nonce)
