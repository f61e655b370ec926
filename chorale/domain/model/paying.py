"""How what is owed is paid: refund, claim, divest, sweep."""

from __future__ import annotations

from typing import cast

from chorale.domain.accounts import StatusByte
from chorale.domain.model.run import TOKEN_PROGRAM, Place, Refused, Run, counted, demand, touched
from chorale.domain.model.tokens import associated, is_destination, is_treasury, is_vault, pay, token_account
from chorale.domain.model.values import Message, Thread
from chorale.domain.program_errors import ProgramError


def refund(run: Run) -> str:
    """Pays the stake of an expired or cancelled message back."""
    payee, thread_at, message_at, vault, destination, token = run.accounts(6)
    thread, message = _purse(run, thread_at, message_at, vault, token)
    demand(payee.key == message.author, ProgramError.UNAUTHORIZED)
    returned = message.status in (StatusByte.EXPIRED, StatusByte.CANCELLED)
    demand(returned and message.escrow_remaining > 0, ProgramError.NOTHING_OWED)
    is_destination(run, destination, vault, payee)

    _pay_escrow(thread, message, vault, destination, message.escrow_remaining)
    return _way(destination, vault, payee)


def claim(run: Run) -> str:
    """Pays a denier's share, also to one who has left."""
    payee, thread_at, message_at, vault, destination, token = run.accounts(6)
    thread, message = _purse(run, thread_at, message_at, vault, token)
    demand(message.status is StatusByte.DENIED, ProgramError.NOTHING_OWED)
    vote = message.vote_of(payee.key)
    if vote is None:
        raise Refused(ProgramError.NOT_A_DENIER)
    demand(not vote.claimed, ProgramError.ALREADY_CLAIMED)
    demand(message.share > 0, ProgramError.NOTHING_OWED)
    is_destination(run, destination, vault, payee)

    message.votes = [kept._replace(claimed=True) if kept is vote else kept for kept in message.votes]
    _pay_escrow(thread, message, vault, destination, message.share)
    return f"{_way(destination, vault, payee)}{'' if thread.seats_key(payee.key) else ' to one who left'}"


def divest(run: Run) -> str:
    """A co-author leaves with an equal share, rounded down; the last one takes all and stays."""
    co_author, thread_at, vault, destination, token = run.accounts(5)
    (min_payout,) = cast("tuple[int]", run.arguments_as("Q"))
    run.signed(co_author)
    run.is_at(token, TOKEN_PROGRAM)
    thread = run.thread(thread_at)
    is_vault(run, vault, thread_at, thread)
    demand(thread.seats_key(co_author.key), ProgramError.NOT_A_CO_AUTHOR)
    payout = thread.token_balance // len(thread.seats)
    demand(payout >= min_payout, ProgramError.PAYOUT_TOO_LOW)
    is_destination(run, destination, vault, co_author)

    touched(thread)
    thread.token_balance -= payout
    last = len(thread.seats) == 1
    if not last:
        thread.seats = [seat for seat in thread.seats if seat.key != co_author.key]
    pay(vault, destination, payout)
    return f"{'last one stays' if last else 'left'}{'' if payout else ' with nothing'}"


def sweep(run: Run) -> str:
    """Moves to the treasury what is due to it and what nobody asked for."""
    protocol_at, thread_at, vault, treasury, token = run.accounts(5)
    run.arguments_as("")
    run.is_at(token, TOKEN_PROGRAM)
    protocol = run.protocol(protocol_at)
    thread = run.thread(thread_at)
    is_vault(run, vault, thread_at, thread)
    is_treasury(run, treasury, protocol)
    unasked = counted(token_account(vault).amount, -counted(0, thread.owned))
    amount = counted(thread.treasury_due, unasked)
    demand(amount > 0, ProgramError.NOTHING_OWED)

    touched(thread)
    due, thread.treasury_due = thread.treasury_due, 0
    pay(vault, treasury, amount)
    return "due and unasked" if due and unasked else "due" if due else "unasked"


def _purse(run: Run, thread_at: Place, message_at: Place, vault: Place, token: Place) -> tuple[Thread, Message]:
    """What refund and claim check first."""
    run.arguments_as("")
    run.is_at(token, TOKEN_PROGRAM)
    thread = run.thread(thread_at)
    message = run.message(message_at, thread_at)
    is_vault(run, vault, thread_at, thread)
    return thread, message


def _pay_escrow(thread: Thread, message: Message, vault: Place, destination: Place, amount: int) -> None:
    message.sequence = touched(thread)
    thread.escrow_total = counted(thread.escrow_total, -amount)
    message.escrow_remaining = counted(message.escrow_remaining, -amount)
    pay(vault, destination, amount)


def _way(destination: Place, vault: Place, payee: Place) -> str:
    home = destination.key == associated(payee.key, token_account(vault).mint)
    return "paid" if home else "paid elsewhere"
