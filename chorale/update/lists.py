"""The index against the accounts: whether lists, counts and who may see what are as the chain has them."""

from __future__ import annotations

from collections.abc import Mapping

from chorale.domain.accounts import MessageAccount, ThreadAccount
from chorale.domain.conflict import ConflictCause
from chorale.domain.projection import ListedThread
from chorale.update.comparison import Comparison


def compare_thread(thread: ThreadAccount, listed: ListedThread | None) -> Comparison:
    """A thread's rows, where they are of its version."""
    if listed is None:
        return Comparison(gap=-1, of_lists=True)
    if listed.sequence != thread.sequence:
        return Comparison(gap=listed.sequence - thread.sequence, of_lists=True)
    seats = frozenset((co_author.key, co_author.joined_sequence) for co_author in thread.co_authors)
    return _compared({"co-authors": (sorted(listed.co_authors), sorted(seats))})


def compare_message(message: MessageAccount, listed: ListedThread | None) -> Comparison:
    """A message's rows, where they are of its version."""
    row = None if listed is None else listed.message
    if row is None:
        return Comparison(gap=-1, of_lists=True)
    if row.sequence != message.sequence:
        return Comparison(gap=row.sequence - message.sequence, of_lists=True)
    votes = frozenset((vote.voter, vote.approve, vote.claimed) for vote in message.votes)
    pairs = {
        "status": (row.status.value, message.status.value),
        "decided_at": (row.decided_at, message.decided_at),
        "share": (row.share, message.share),
        "escrow_remaining": (row.escrow_remaining, message.escrow_remaining),
        "votes": (sorted(row.votes), sorted(votes)),
    }
    return _compared(pairs)


def _compared(pairs: Mapping[str, tuple[object, object]]) -> Comparison:
    found = [f"listed {name} {kept}, the chain's {true}" for name, (kept, true) in pairs.items() if kept != true]
    return Comparison(conflict="; ".join(found) or None, cause=ConflictCause.INDEX_WRONG, of_lists=True)
