"""What the index lists: each listing's rows, its order, and who sees which of them, all inside the query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chorale.domain.approval import MessageStatus

_MESSAGES = "FROM messages m JOIN threads t ON t.number = m.thread WHERE "

_VISIBLE = """(m.status = 'PUBLISHED' OR m.author = :viewer OR (m.status <> 'STAGED' AND (
  EXISTS (SELECT 1 FROM members v WHERE v.key = :viewer AND v.thread = m.thread)
  OR EXISTS (SELECT 1 FROM votes v WHERE v.message = m.number AND v.voter = :viewer))))"""


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows `source` (FROM and WHERE) ordered by `key`, a number and then the id; `arguments` are its parameters."""

    source: str
    key: tuple[str, str]
    descending: bool
    arguments: Mapping[str, int | str]


def threads(co_author: str | None) -> Listing:
    """Threads, newest activity first."""
    source = "FROM threads t WHERE t.sequence > 0"
    arguments: dict[str, int | str] = {}
    if co_author is not None:
        source += " AND t.number IN (SELECT thread FROM members WHERE key = :co_author)"
        arguments["co_author"] = co_author
    return Listing(source, ("t.activity_at", "t.thread_id"), True, arguments)


def messages(
    thread_id: str, viewer: str | None, statuses: Sequence[MessageStatus], up_to: int | None = None
) -> Listing:
    """A thread's messages in the order of submission; staged ones, without a sequence, are in every bound."""
    conditions = ["m.thread = (SELECT number FROM threads WHERE thread_id = :thread_id)", _visible(viewer)]
    arguments: dict[str, int | str] = {"thread_id": thread_id, **_viewer(viewer)}
    if up_to is not None:
        conditions.append("(m.submitted_sequence <= :up_to OR m.status = 'STAGED')")
        arguments["up_to"] = up_to
    if statuses:
        # Values of an enum, never of a caller.
        conditions.append(f"m.status IN ({', '.join(repr(status.value) for status in statuses)})")
    return Listing(_MESSAGES + " AND ".join(conditions), ("m.submitted_sequence", "m.content_hash"), False, arguments)


def messages_of(author: str, viewer: str | None) -> Listing:
    """A user's messages, newest first; staged ones, without a time, come last."""
    source = f"{_MESSAGES}m.author = :author AND {_visible(viewer)}"
    arguments = {"author": author, **_viewer(viewer)}
    return Listing(source, ("m.submitted_at", "m.content_hash"), True, arguments)


def pending_approvals(voter: str, viewer: str | None, now: int) -> Listing:
    """Open messages of the voter's threads that others wrote and the voter has not voted on."""
    # CROSS JOIN keeps SQLite from walking every pending message of every thread.
    source = f"""FROM members seat CROSS JOIN messages m ON m.thread = seat.thread JOIN threads t ON t.number = m.thread
      WHERE seat.key = :voter AND m.status = 'PENDING' AND m.expires_at > :now AND m.author <> :voter
        AND NOT EXISTS (SELECT 1 FROM votes cast_vote WHERE cast_vote.message = m.number AND cast_vote.voter = :voter)
        AND {_visible(viewer)}"""  # noqa: S608 -- made of constants
    arguments: dict[str, int | str] = {"voter": voter, "now": now, **_viewer(viewer)}
    return Listing(source, ("m.expires_at", "m.content_hash"), False, arguments)


def claimable(wallet: str, viewer: str | None) -> Listing:
    """Denied messages that owe the wallet a share, and its own that owe it a stake."""
    source = f"""{_MESSAGES}(
        (m.status = 'DENIED' AND m.share <> 0 AND m.number IN (
          SELECT message FROM votes WHERE voter = :wallet AND approve = 0 AND claimed = 0))
        OR (m.author = :wallet AND m.status IN ('EXPIRED', 'CANCELLED') AND m.escrow_remaining <> 0))
      AND {_visible(viewer)}"""  # noqa: S608 -- made of constants
    return Listing(source, ("m.decided_at", "m.content_hash"), False, {"wallet": wallet, **_viewer(viewer)})


def escrow(thread_id: str, viewer: str | None) -> Listing:
    """A thread's finished messages that still owe something, in the order of their decisions."""
    source = f"""{_MESSAGES}m.thread = (SELECT number FROM threads WHERE thread_id = :thread_id)
      AND m.escrow_remaining <> 0 AND {_visible(viewer)}"""  # noqa: S608 -- made of constants
    return Listing(source, ("m.decided_at", "m.content_hash"), False, {"thread_id": thread_id, **_viewer(viewer)})


def _visible(viewer: str | None) -> str:
    return "m.status = 'PUBLISHED'" if viewer is None else _VISIBLE


def _viewer(viewer: str | None) -> dict[str, int | str]:
    return {} if viewer is None else {"viewer": viewer}
