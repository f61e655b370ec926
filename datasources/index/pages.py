"""Keyset paging over a listing: the four forms of a connection, exact about what lies before and behind."""

from __future__ import annotations

import sqlite3

from chorale.domain.errors import InvalidInputError
from chorale.domain.paging import Key, KeyedRow, Page, PageRequest
from datasources.index.listings import Listing

_LARGEST = 2**63 - 1


def fetch(connection: sqlite3.Connection, listing: Listing, request: PageRequest, sequence: int = 0) -> Page:
    """One page in the listing's order. Raises InvalidInputError for a key that this listing never made."""
    backward = request.last is not None
    limit = request.last if request.last is not None else request.first
    if limit is None or limit < 0:
        raise InvalidInputError("A page needs a number of rows, 0 or more.", "first")
    bound = request.before if backward else request.after
    arguments = {**listing.arguments, "limit": limit + 1}
    # Walking against the order is walking the reversed order forward.
    descending = listing.descending is not backward
    number, name = listing.key
    beyond, within = ("<", ">=") if descending else (">", "<=")
    condition = ""
    behind = False  # whether rows lie on the near side of the bound
    if bound is not None:
        arguments["bound_number"], arguments["bound_name"] = _checked(bound, "before" if backward else "after")
        condition = f" AND ({number}, {name}) {beyond} (:bound_number, :bound_name)"
        near = f"SELECT EXISTS (SELECT 1 {listing.source} AND ({number}, {name}) {within} (:bound_number, :bound_name))"
        behind = bool(connection.execute(near, arguments).fetchone()[0])
    direction = "DESC" if descending else "ASC"
    rows = connection.execute(
        f"SELECT {name}, t.thread_id, {number} {listing.source}{condition} "
        f"ORDER BY {number} {direction}, {name} {direction} LIMIT :limit",
        arguments,
    ).fetchall()
    more = len(rows) > limit
    keyed = [KeyedRow(identity, thread_id, (at, identity)) for identity, thread_id, at in rows[:limit]]
    if backward:
        keyed.reverse()
        return Page(tuple(keyed), has_next=behind, has_previous=more, sequence=sequence)
    return Page(tuple(keyed), has_next=more, has_previous=behind, sequence=sequence)


def _checked(key: Key, field: str) -> tuple[int, str]:
    if len(key) == 2:
        number, name = key
        if isinstance(number, int) and isinstance(name, str) and -_LARGEST <= number <= _LARGEST:
            return number, name
    raise InvalidInputError("This cursor belongs to another connection.", field)
