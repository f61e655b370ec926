"""How messages are decided: cast_vote, resolve, expire, cancel. Decisions move no tokens."""

from __future__ import annotations

from typing import cast

from chorale.domain.accounts import StatusByte
from chorale.domain.model.run import SYSTEM_PROGRAM, Place, Run, counted, demand, touched_active
from chorale.domain.model.values import (
    MAX_CO_AUTHORS,
    SEAT_BYTES,
    TREE_CAPACITY,
    VOTE_BYTES,
    Message,
    Seat,
    Thread,
    Vote,
)
from chorale.domain.model.writing import publish
from chorale.domain.program_errors import ProgramError

BLOCKED = "blocked"  # approved by all, but without a seat or a leaf
UNDECIDED = "undecided"


def cast_vote(run: Run) -> str:
    """Records a co-author's one vote and evaluates."""
    payer, voter, thread_at, message_at, system = run.accounts(5)
    (approve,) = cast("tuple[int]", run.arguments_as("?"))
    run.payer(payer)
    run.signed(voter)
    run.is_at(system, SYSTEM_PROGRAM)
    thread = run.thread(thread_at)
    message = run.message(message_at, thread_at)
    demand(voter.key != message.author, ProgramError.OWN_MESSAGE)
    demand(thread.seats_key(voter.key), ProgramError.NOT_A_CO_AUTHOR)
    _open(run, message)
    demand(message.vote_of(voter.key) is None, ProgramError.ALREADY_VOTED)

    beyond = len(message.votes) == message.room
    if beyond:
        seat_rent = run.rent_per_byte * SEAT_BYTES
        run.fund(payer, message_at, run.rent(message.size + VOTE_BYTES) + seat_rent)
        message.room += 1
    message.sequence = touched_active(thread, run.now)
    message.votes = [*message.votes, Vote(voter.key, bool(approve), False, run.now)]
    verdict = evaluated(thread, message)
    _decide(run, payer, thread_at, message_at, verdict)
    return f"{verdict} beyond the room" if beyond else verdict


def resolve(run: Run) -> str:
    """Evaluates again; changes nothing where that decides nothing."""
    payer, thread_at, message_at, system = run.accounts(4)
    run.arguments_as("")
    run.payer(payer)
    run.is_at(system, SYSTEM_PROGRAM)
    thread = run.thread(thread_at)
    message = run.message(message_at, thread_at)
    _open(run, message)

    verdict = evaluated(thread, message)
    if verdict not in (UNDECIDED, BLOCKED):
        touched_active(thread, run.now)
        _decide(run, payer, thread_at, message_at, verdict)
    return verdict


def expire(run: Run) -> str:
    """Ends a message whose time has passed, whatever votes there are."""
    thread_at, message_at = run.accounts(2)
    run.arguments_as("")
    thread = run.thread(thread_at)
    message = run.message(message_at, thread_at)
    demand(message.status is StatusByte.PENDING, ProgramError.NOT_PENDING)
    demand(run.now >= message.expires_at, ProgramError.WINDOW_OPEN)

    touched_active(thread, run.now)
    _return_stake(run, thread, message, StatusByte.EXPIRED)
    return "expired with votes" if message.votes else "expired"


def cancel(run: Run) -> str:
    """The author takes a message back before the first vote."""
    author, thread_at, message_at = run.accounts(3)
    run.arguments_as("")
    run.signed(author)
    thread = run.thread(thread_at)
    message = run.message(message_at, thread_at)
    demand(author.key == message.author, ProgramError.UNAUTHORIZED)
    _open(run, message)
    demand(not message.votes, ProgramError.HAS_VOTES)

    touched_active(thread, run.now)
    _return_stake(run, thread, message, StatusByte.CANCELLED)
    return "cancelled"


def evaluated(thread: Thread, message: Message) -> str:
    """What the votes amount to, by the co-authors who are present now."""
    voted = {vote.voter for vote in message.votes}
    if any(seat.key != message.author and seat.key not in voted for seat in thread.seats):
        return UNDECIDED
    cast_votes = {vote.approve for vote in message.votes}
    if not cast_votes:
        return "expired"
    if cast_votes == {False}:
        return "denied"
    if cast_votes == {True, False}:
        return "split"
    full = len(thread.seats) >= MAX_CO_AUTHORS and not thread.seats_key(message.author)
    return BLOCKED if full or thread.published_count >= TREE_CAPACITY else "published"


def _open(run: Run, message: Message) -> None:
    demand(message.status is StatusByte.PENDING, ProgramError.NOT_PENDING)
    demand(run.now < message.expires_at, ProgramError.WINDOW_CLOSED)


def _decide(run: Run, payer: Place, thread_at: Place, message_at: Place, verdict: str) -> None:
    thread, message = run.thread(thread_at), run.message(message_at, thread_at)
    if verdict == "published":
        _seat(run, payer, thread_at, message_at)
        _close(run, thread, message, StatusByte.PUBLISHED)
        thread.token_balance = counted(thread.token_balance, message.stake)
        publish(thread, message)
    elif verdict == "denied":
        deniers = len(message.votes)
        _close(run, thread, message, StatusByte.DENIED)
        message.share = message.stake // deniers
        message.escrow_remaining = message.share * deniers
        thread.escrow_total = counted(thread.escrow_total, message.escrow_remaining)
        thread.treasury_due = counted(thread.treasury_due, message.stake - message.escrow_remaining)
    elif verdict == "split":
        _close(run, thread, message, StatusByte.SPLIT)
        thread.treasury_due = counted(thread.treasury_due, message.stake)
    elif verdict == "expired":
        _return_stake(run, thread, message, StatusByte.EXPIRED)


def _seat(run: Run, payer: Place, thread_at: Place, message_at: Place) -> None:
    """Seats the author unless they sit already. The seat's rent has waited in the message; it moves either way."""
    thread, message = run.thread(thread_at), run.message(message_at, thread_at)
    spare = message_at.state.lamports - run.rent(message.size)
    saved = max(0, min(spare, run.rent_per_byte * SEAT_BYTES))
    joins = not thread.seats_key(message.author)
    if joins and len(thread.seats) == thread.room:
        run.fund(payer, thread_at, run.rent(thread.size + SEAT_BYTES) - saved)
        thread.room += 1
    message_at.state.lamports -= saved
    thread_at.state.lamports += saved
    if joins:
        thread.seats = [*thread.seats, Seat(message.author, thread.sequence)]


def _return_stake(run: Run, thread: Thread, message: Message, status: StatusByte) -> None:
    _close(run, thread, message, status)
    thread.escrow_total = counted(thread.escrow_total, message.stake)
    message.escrow_remaining = message.stake


def _close(run: Run, thread: Thread, message: Message, status: StatusByte) -> None:
    thread.stakes_total = counted(thread.stakes_total, -message.stake)
    thread.pending_count = counted(thread.pending_count, -1)
    message.status, message.decided_at, message.sequence = status, run.now, thread.sequence
