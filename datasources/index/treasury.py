"""The protocol's history in SQLite: its changes by sequence, deposits, and the flows that both make with the sweeps,
which stand in the threads' log and nowhere else."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import astuple, replace
from typing import Any

from chorale.domain.paging import KeyedRow, Page, PageRequest
from chorale.domain.treasury import (
    ChangeKind,
    ChangePage,
    FlowKind,
    FlowPage,
    ProtocolChange,
    ProtocolProjection,
    ProtocolTransaction,
    TreasuryFlow,
    TreasuryTotals,
)
from datasources.index.integers import joined, signed, unsigned
from datasources.index.listings import Listing
from datasources.index.pages import Rows, select

# The admin of a withdrawal is whom the parameters before it named, where all sequences in between are known.
_ADMIN = """(SELECT CASE WHEN (SELECT count(*) FROM protocol_changes g WHERE g.sequence BETWEEN c.sequence AND
  w.sequence) = w.sequence - c.sequence + 1 THEN c.admin END FROM protocol_changes c
  WHERE c.kind = 'CONFIGURED' AND c.sequence < w.sequence ORDER BY c.sequence DESC LIMIT 1)"""

_FLOWS: dict[FlowKind, tuple[Listing, str]] = {
    FlowKind.SWEPT: (
        Listing(
            "FROM events e JOIN threads t ON t.number = e.thread WHERE e.kind = 'Swept' AND e.amount IS NOT NULL",
            ("e.slot", "e.signature || '/' || t.thread_id || '/' || e.sequence"),
            True,
            {},
        ),
        "e.amount, e.occurred_at, e.signature, t.thread_id, e.sequence, NULL, NULL",
    ),
    FlowKind.DEPOSITED: (
        Listing("FROM deposits d WHERE 1", ("d.slot", "d.signature"), True, {}),
        "d.amount, d.occurred_at, d.signature, NULL, NULL, NULL, NULL",
    ),
    FlowKind.WITHDRAWN: (
        Listing(
            "FROM protocol_changes w WHERE w.kind = 'WITHDRAWN'",
            ("w.slot", "w.signature || '/' || w.sequence"),
            True,
            {},
        ),
        f"w.amount, w.occurred_at, w.signature, NULL, w.sequence, {_ADMIN}, w.destination",
    ),
}
_CHANGES = Listing("FROM protocol_changes c WHERE c.kind = 'CONFIGURED'", ("c.sequence", "c.signature"), True, {})


# A deposit's sequence is 0.
_FORGET = {
    FlowKind.WITHDRAWN: "DELETE FROM protocol_changes WHERE (signature, slot, sequence) = (?, ?, ?) RETURNING amount",
    FlowKind.DEPOSITED: "DELETE FROM deposits WHERE (signature, slot, 0) = (?, ?, ?) RETURNING amount",
}


def flow_listings() -> dict[str, Listing]:
    """The listings that make up the flows."""
    return {kind.value: listing for kind, (listing, _) in _FLOWS.items()}


def totals(connection: sqlite3.Connection) -> TreasuryTotals:
    """Sums and progress, all of one moment where the caller reads in a transaction."""
    progress = connection.execute(
        "SELECT sequence, (SELECT count(*) FROM protocol_changes), unexplained, slot FROM protocol"
    ).fetchall()
    sequence, changes, unexplained, slot = progress[0] if progress else (0, 0, 0, 0)
    sums = {
        kind: joined(high, low)
        for kind, high, low in connection.execute("SELECT kind, high, low FROM flow_sums").fetchall()
    }
    return TreasuryTotals(
        sequence=sequence,
        changes=changes,
        swept=sums[FlowKind.SWEPT],
        deposited=sums[FlowKind.DEPOSITED],
        withdrawn=sums[FlowKind.WITHDRAWN],
        unexplained=int(unexplained),
        slot=slot,
    )


def reached(connection: sqlite3.Connection) -> int:
    """The protocol's that the index has reached, 0 before the first look."""
    rows = connection.execute("SELECT sequence FROM protocol").fetchall()
    return rows[0][0] if rows else 0


def flows(connection: sqlite3.Connection, request: PageRequest) -> FlowPage:
    """One page, newest first. Raises InvalidInputError for a key that this listing never made."""
    found = [(kind, select(connection, listing, columns, request)) for kind, (listing, columns) in _FLOWS.items()]
    backward = request.last is not None
    limit = (request.last if backward else request.first) or 0
    merged = sorted(
        ((row[:2], kind, row) for kind, part in found for row in part.rows), key=lambda each: each[0], reverse=True
    )
    more = len(merged) > limit or any(part.more for _, part in found)
    kept = merged[max(0, len(merged) - limit) :] if backward else merged[:limit]
    page = _page(
        [KeyedRow(key[1], row[5] or "", key) for key, _, row in kept],
        backward,
        Rows([], more, any(part.behind for _, part in found)),
    )
    return FlowPage(page, tuple(_flow(kind, row) for _, kind, row in kept), totals(connection))


def changes(connection: sqlite3.Connection, request: PageRequest) -> ChangePage:
    """One page of CONFIGURED changes, newest first. Raises InvalidInputError as `flows`."""
    found = select(connection, _CHANGES, "c.*", request)
    page = _page([KeyedRow(row[1], "", (row[0], row[1])) for row in found.rows], request.last is not None, found)
    made = tuple(_change(row[2:]) for row in found.rows)
    return ChangePage(replace(page, sequence=reached(connection)), made)


def changes_at(connection: sqlite3.Connection, sequences: Sequence[int]) -> tuple[ProtocolChange, ...]:
    """The changes of these sequences that are known, ascending."""
    marks = ",".join("?" * len(sequences))
    rows = connection.execute(
        f"SELECT * FROM protocol_changes WHERE sequence IN ({marks}) ORDER BY sequence",  # noqa: S608 -- only marks
        tuple(sequences),
    ).fetchall()
    return tuple(_change(row) for row in rows)


def known_sequences(connection: sqlite3.Connection) -> frozenset[int]:
    """Sequences of the protocol whose changes are known."""
    return frozenset(row[0] for row in connection.execute("SELECT sequence FROM protocol_changes").fetchall())


def transactions(connection: sqlite3.Connection, since: int, limit: int) -> list[ProtocolTransaction]:
    """What changes and deposits of slots above `since` stand on, newest first."""
    rows = connection.execute(
        """SELECT signature, slot, sequence FROM protocol_changes WHERE slot > ?1
           UNION ALL SELECT signature, slot, 0 FROM deposits WHERE slot > ?1
           ORDER BY slot DESC, sequence DESC, signature LIMIT ?2""",
        (since, limit),
    ).fetchall()
    return [ProtocolTransaction(*row) for row in rows]


def apply(connection: sqlite3.Connection, projection: ProtocolProjection) -> None:
    """Write what a look has found. What is there stays as it is; the progress never goes back."""
    connection.executemany(
        "INSERT INTO protocol_changes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [_values(change) for change in projection.changes],
    )
    connection.executemany(
        "INSERT INTO deposits VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [(made.signature, made.slot, made.occurred_at, signed(made.amount)) for made in projection.deposits],
    )
    unexplained = projection.balance - totals(connection).explained
    connection.execute(
        """INSERT INTO protocol (id, sequence, slot, unexplained) VALUES (1, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
           sequence = max(sequence, excluded.sequence), slot = excluded.slot, unexplained = excluded.unexplained
           WHERE excluded.slot >= protocol.slot""",
        (projection.sequence, projection.slot, str(unexplained)),
    )


def forget(connection: sqlite3.Connection, change: ProtocolChange) -> None:
    """Drop a change of the parameters, where it is exactly this, with the progress from there on."""
    rows = connection.execute("SELECT * FROM protocol_changes WHERE sequence = ?", (change.sequence,)).fetchall()
    if change.kind is ChangeKind.CONFIGURED and [_change(row) for row in rows] == [change]:
        connection.execute("DELETE FROM protocol_changes WHERE sequence = ?", (change.sequence,))
        connection.execute("UPDATE protocol SET sequence = min(sequence, ?)", (change.sequence - 1,))


def forget_transactions(connection: sqlite3.Connection, lost: Sequence[ProtocolTransaction]) -> None:
    """Drop what exactly these transactions explain, each as it was seen; sums shrink along, and the progress goes back
    to before the first of them."""
    for each in lost:
        kind = FlowKind.WITHDRAWN if each.sequence else FlowKind.DEPOSITED
        for (amount,) in connection.execute(_FORGET[kind], (each.signature, each.slot, each.sequence)).fetchall():
            connection.execute(
                """UPDATE flow_sums SET high = high - (?1 >> 32 & 4294967295), low = low - (?1 & 4294967295)
                   WHERE kind = ?2 AND ?1 IS NOT NULL""",
                (amount, kind.value),
            )
    if not lost:
        return
    sequences = [each.sequence for each in lost if each.sequence]
    connection.execute(
        "UPDATE protocol SET slot = min(slot, ?), sequence = min(sequence, ?)",
        (min(each.slot for each in lost) - 1, min(sequences, default=2**62) - 1),
    )


def _values(change: ProtocolChange) -> tuple[Any, ...]:
    sequence, kind, slot, at, signature, admin, stake, window, amount, destination = astuple(change)
    amounts = [None if each is None else signed(each) for each in (stake, amount)]
    return (sequence, kind.value, slot, at, signature, admin, amounts[0], window, amounts[1], destination)


def _change(row: tuple[Any, ...]) -> ProtocolChange:
    sequence, kind, slot, at, signature, admin, stake, window, amount, destination = row
    amounts = [None if each is None else unsigned(each) for each in (stake, amount)]
    return ProtocolChange(
        sequence, ChangeKind(kind), slot, at, signature, admin, amounts[0], window, amounts[1], destination
    )


def _flow(kind: FlowKind, row: tuple[Any, ...]) -> TreasuryFlow:
    slot, _, amount, occurred_at, signature, thread_id, sequence, admin, destination = row
    return TreasuryFlow(kind, unsigned(amount), slot, occurred_at, signature, thread_id, sequence, admin, destination)


def _page(rows: list[KeyedRow], backward: bool, found: Rows) -> Page:
    if backward:
        return Page(tuple(rows), has_next=found.behind, has_previous=found.more)
    return Page(tuple(rows), has_next=found.more, has_previous=found.behind)
