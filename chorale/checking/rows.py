"""The index's rows against the accounts: what differs, in words short enough for a report. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from chorale.domain.accounts import MessageAccount, ThreadAccount
from chorale.domain.kept import KeptMessage, KeptThread

Difference = tuple[str, str]
"""What the authority says, and what was found instead."""


_HASH = re.compile(r"[0-9a-f]{64}")


def is_hash(text: str) -> bool:
    """Whether it is 32 bytes in hex, as ids of threads and hashes are."""
    return _HASH.fullmatch(text) is not None


def message_difference(account: MessageAccount, row: KeptMessage) -> Difference | None:
    """A message's row against the account of its sequence."""
    votes = frozenset((vote.voter, vote.approve, vote.claimed) for vote in account.votes)
    return difference(
        {
            "author": (account.author, row.author),
            "status": (account.status.value, row.status),
            "submitted_sequence": (account.submitted_sequence, row.submitted_sequence),
            "submitted_at": (account.submitted_at, row.submitted_at),
            "expires_at": (account.expires_at, row.expires_at),
            "decided_at": (account.decided_at, row.decided_at),
            "share": (account.share, row.share),
            "escrow_remaining": (account.escrow_remaining, row.escrow_remaining),
            "votes": (sorted(votes), sorted(row.votes)),
        }
    )


def thread_difference(account: ThreadAccount, row: KeptThread) -> Difference | None:
    """A thread's rows against the account of its sequence."""
    return difference(
        {
            "address": (account.address, row.address),
            "activity_at": (account.activity_at, row.activity_at),
            "published_count": (account.published_count, row.leaves),
            "co_authors": (_seats(account), sorted(row.co_authors)),
        }
    )


def between_difference(earlier: ThreadAccount, later: ThreadAccount, row: KeptThread) -> Difference | None:
    """The rows of a thread that moved on, against a read of before and one of after.

    What is equal in both was so in between, since a seat that was given up never comes back with its sequence; what
    only grows was in between."""
    pairs: dict[str, tuple[object, object]] = {"address": (earlier.address, row.address)}
    if _seats(earlier) == _seats(later):
        pairs["co_authors"] = (_seats(earlier), sorted(row.co_authors))
    for name, low, high, found in (
        ("activity_at", earlier.activity_at, later.activity_at, row.activity_at),
        ("published_count", earlier.published_count, later.published_count, row.leaves),
    ):
        if not low <= found <= high:
            pairs[name] = (f"{low} to {high}", found)
    return difference(pairs)


def difference(pairs: Mapping[str, tuple[object, object]]) -> Difference | None:
    """Of the pairs (true, found) those that differ, as two texts; None where none does."""
    differing = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    if not differing:
        return None
    expected, found = (", ".join(f"{name} {pair[at]}" for name, pair in differing.items()) for at in (0, 1))
    return expected, found


def _seats(account: ThreadAccount) -> list[tuple[str, int]]:
    return sorted((co_author.key, co_author.joined_sequence) for co_author in account.co_authors)
