"""Keyset paging: a key is the tuple that orders a row, never an offset."""

from __future__ import annotations

from dataclasses import dataclass

Key = tuple[int | str, ...]

MAX_PAGE = 100


@dataclass(frozen=True, slots=True)
class PageRequest:
    """`first` rows after `after`, or `last` rows before `before`; exactly one of first and last is set."""

    first: int | None = None
    after: Key | None = None
    last: int | None = None
    before: Key | None = None


@dataclass(frozen=True, slots=True)
class KeyedRow:
    """A row of a page: the entity's id (thread_id or content_hash), its thread, and its key."""

    id: str
    thread_id: str
    key: Key


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in the connection's order. `sequence` is the indexed sequence of the thread whose messages these are."""

    rows: tuple[KeyedRow, ...]
    has_next: bool
    has_previous: bool
    sequence: int = 0
