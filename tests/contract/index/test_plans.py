"""No listing walks a table: every one is answered from an index, whatever else the tables hold."""

from __future__ import annotations

import sqlite3

import pytest

from chorale.domain.approval import MessageStatus
from datasources.index import listings, treasury
from datasources.index.listings import Listing
from datasources.index.schema import TABLES

LISTINGS = {
    "threads": listings.threads(None),
    "threads of a co-author": listings.threads("ana"),
    "messages for anyone": listings.messages("t", None, ()),
    "messages for a viewer": listings.messages("t", "ana", (MessageStatus.PENDING,)),
    "messages of an author": listings.messages_of("ana", "ben"),
    "pending approvals": listings.pending_approvals("ana", "ana", 1),
    "claimable escrow": listings.claimable("ana", "ana"),
    "what a thread owes": listings.escrow("t", "ana"),
    **treasury.flow_listings(),
}


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS.keys())
def test_a_page_searches_and_never_scans(listing: Listing) -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript(TABLES)
    number, name = listing.key
    sql = (
        f"EXPLAIN QUERY PLAN SELECT {name} {listing.source} AND ({number}, {name}) > (:a, :b) "
        f"ORDER BY {number}, {name} LIMIT 20"
    )
    plan = [row[3] for row in connection.execute(sql, {**listing.arguments, "a": 1, "b": ""})]
    assert plan
    assert not [step for step in plan if step.startswith("SCAN")], plan
