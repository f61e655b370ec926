"""Keyset paging over a listing: the four forms of a connection, exact about what lies before and behind."""

from __future__ import annotations

import sqlite3
from typing import Any, NamedTuple

from chorale.domain.errors import InvalidInputError
from chorale.domain.paging import Key, KeyedRow, Page, PageRequest
from datasources.index.listings import Listing

_LARGEST = 2**63 - 1


class Rows(NamedTuple):
    """Rows of one page in the listing's order, each beginning with its key; whether `more` follow in the direction of
    the walk, and whether some lie on the near side of its bound."""

    rows: list[tuple[Any, ...]]
    more: bool
    behind: bool


def fetch(connection: sqlite3.Connection, listing: Listing, request: PageRequest, sequence: int = 0) -> Page:
    """One page in the listing's order. Raises InvalidInputError for a key that this listing never made."""
    found = select(connection, listing, "t.thread_id", request)
    keyed = tuple(KeyedRow(identity, thread_id, (at, identity)) for at, identity, thread_id in found.rows)
    if request.last is not None:
        return Page(keyed, has_next=found.behind, has_previous=found.more, sequence=sequence)
    return Page(keyed, has_next=found.more, has_previous=found.behind, sequence=sequence)


def select(connection: sqlite3.Connection, listing: Listing, columns: str, request: PageRequest) -> Rows:
    """Keys and `columns` of one page. Raises InvalidInputError as `fetch`."""
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
    behind = False
    if bound is not None:
        arguments["bound_number"], arguments["bound_name"] = _checked(bound, "before" if backward else "after")
        condition = f" AND ({number}, {name}) {beyond} (:bound_number, :bound_name)"
        near = f"SELECT EXISTS (SELECT 1 {listing.source} AND ({number}, {name}) {within} (:bound_number, :bound_name))"
        behind = bool(connection.execute(near, arguments).fetchone()[0])
    direction = "DESC" if descending else "ASC"
    rows = connection.execute(
        f"SELECT {number}, {name}, {columns} {listing.source}{condition} "
        f"ORDER BY {number} {direction}, {name} {direction} LIMIT :limit",
        arguments,
    ).fetchall()
    kept = rows[:limit]
    return Rows(kept[::-1] if backward else kept, len(rows) > limit, behind)


def _checked(key: Key, field: str) -> tuple[int, str]:
    if len(key) == 2:
        number, name = key
        if isinstance(number, int) and isinstance(name, str) and -_LARGEST <= number <= _LARGEST:
            return number, name
    raise InvalidInputError("This cursor belongs to another connection.", field)
