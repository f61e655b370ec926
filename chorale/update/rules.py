"""What the program would say to an instruction, in its own order of checks: pure functions of accounts and time."""

from __future__ import annotations

from chorale.domain.accounts import MessageAccount, ThreadAccount
from chorale.domain.approval import MessageStatus, required_voters
from chorale.domain.program_errors import ProgramError
from programs.interface import MAX_CO_AUTHORS, TREE_DEPTH

_LEAVES: int = 2**TREE_DEPTH
_RETURNED = (MessageStatus.EXPIRED, MessageStatus.CANCELLED)


def post_error(thread: ThreadAccount, wallet: str) -> ProgramError | None:
    """To a co-author's message."""
    if not thread.has_co_author(wallet):
        return ProgramError.NOT_A_CO_AUTHOR
    return ProgramError.TREE_FULL if is_tree_full(thread) else None


def submission_error(thread: ThreadAccount, wallet: str, stake: int, minimum_stake: int) -> ProgramError | None:
    """To a submission."""
    if thread.has_co_author(wallet):
        return ProgramError.ALREADY_A_CO_AUTHOR
    if stake < minimum_stake:
        return ProgramError.STAKE_TOO_LOW
    if is_tree_full(thread):
        return ProgramError.TREE_FULL
    return ProgramError.THREAD_FULL if len(thread.co_authors) >= MAX_CO_AUTHORS else None


def vote_error(message: MessageAccount, thread: ThreadAccount, wallet: str, now: int) -> ProgramError | None:
    """To a vote."""
    if wallet == message.author:
        return ProgramError.OWN_MESSAGE
    if not thread.has_co_author(wallet):
        return ProgramError.NOT_A_CO_AUTHOR
    refused = open_error(message, now)
    if refused is not None:
        return refused
    return ProgramError.ALREADY_VOTED if message.vote_of(wallet) is not None else None


def cancellation_error(message: MessageAccount, wallet: str, now: int) -> ProgramError | None:
    """To an author who takes a message back."""
    if wallet != message.author:
        return ProgramError.UNAUTHORIZED
    refused = open_error(message, now)
    if refused is not None:
        return refused
    return ProgramError.HAS_VOTES if message.votes else None


def open_error(message: MessageAccount, now: int) -> ProgramError | None:
    """To what needs a pending message whose window is open."""
    if message.status is not MessageStatus.PENDING:
        return ProgramError.NOT_PENDING
    return ProgramError.WINDOW_CLOSED if now >= message.expires_at else None


def expiry_error(message: MessageAccount, now: int) -> ProgramError | None:
    """To what ends a pending message whose window has passed."""
    if message.status is not MessageStatus.PENDING:
        return ProgramError.NOT_PENDING
    return ProgramError.WINDOW_OPEN if now < message.expires_at else None


def claim_error(message: MessageAccount, wallet: str) -> ProgramError | None:
    """To a denier's claim."""
    if message.status is not MessageStatus.DENIED:
        return ProgramError.NOTHING_OWED
    vote = message.vote_of(wallet)
    if vote is None:
        return ProgramError.NOT_A_DENIER
    if vote.claimed:
        return ProgramError.ALREADY_CLAIMED
    return ProgramError.NOTHING_OWED if message.share == 0 else None


def refund_error(message: MessageAccount, wallet: str) -> ProgramError | None:
    """To an author who has the stake paid back."""
    if wallet != message.author:
        return ProgramError.UNAUTHORIZED
    owed = message.status in _RETURNED and message.escrow_remaining > 0
    return None if owed else ProgramError.NOTHING_OWED


def share_of(thread: ThreadAccount) -> int:
    """What a co-author leaves with, in base units."""
    return thread.token_balance // len(thread.co_authors)


def divestment_error(thread: ThreadAccount, wallet: str, min_payout: int) -> ProgramError | None:
    """To a co-author who leaves."""
    if not thread.has_co_author(wallet):
        return ProgramError.NOT_A_CO_AUTHOR
    return ProgramError.PAYOUT_TOO_LOW if share_of(thread) < min_payout else None


def due_to_treasury(thread: ThreadAccount, held: int) -> int:
    """What a sweep moves out of a vault that holds `held` base units: what is due, and what came in unasked."""
    return held - thread.token_balance - thread.stakes_total - thread.escrow_total


def is_decided_by(message: MessageAccount, thread: ThreadAccount) -> bool:
    """Whether the votes that an open message has decide it now."""
    voters = {vote.voter for vote in message.votes}
    if any(voter not in voters for voter in required_voters(message, thread)):
        return False
    approved = bool(message.votes) and all(vote.approve for vote in message.votes)
    if not approved:
        return True
    seated = thread.has_co_author(message.author) or len(thread.co_authors) < MAX_CO_AUTHORS
    return seated and not is_tree_full(thread)


def is_tree_full(thread: ThreadAccount) -> bool:
    """Whether no further message can be published in this thread."""
    return thread.published_count >= _LEAVES
