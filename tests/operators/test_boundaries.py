"""Derived state that is damaged behind a running server's back heals, and operators see it: log, event and metric."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

import httpx
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from tests import operations
from tests.operators.conftest import OPERATOR
from tests.patience import PATIENCE
from tests.stack import Actor, RunningServer, unique

EVENTS = """subscription Events { boundaryEvents { number missed kind detail authority
  conflict { kind cause subject settlement } } }"""
CONFLICTS = """query Conflicts { boundaryConflicts(kinds: [OWNERSHIP]) {
  nodes { subject cause settlement expected found action } } }"""
VERIFY = """mutation Verify { verifyBoundaries(repair: true) { finished repair checked total
  boundaries { name checked problem } } }"""
BOUNDARIES = """query Boundaries { boundaries { checks { name checked conflicts healed }
  measures { stateSyncDelay { count p99Ms } propagationTime { count } conflicts { kind total } recoverySuccess }
  verification { finished } } }"""


@pytest_asyncio.fixture
async def operator(house: RunningServer) -> Actor:
    """The wallet that the settings name; it owns nothing on chain."""
    actor = Actor(house, OPERATOR)
    await actor.sign_in()
    return actor


def damage(house: RunningServer, statement: str, *arguments: object) -> None:
    """Write into the index behind the server's back."""
    [file] = (house.data / "index").glob("index-*.sqlite3")
    with closing(sqlite3.connect(file, timeout=10)) as connection, connection:
        assert connection.execute(statement, arguments).rowcount == 1


async def metrics(house: RunningServer) -> dict[tuple[str, str], float]:
    """Samples by name and, sorted by their names, values of labels."""
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"{house.url}/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, " ".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_damage_is_counted_logged_announced_and_healed(house: RunningServer, operator: Actor) -> None:
    """A pending message that the index calls published: found against its account, written anew, and told as that."""
    author, writer = await house.actor(), await house.actor()
    thread_id = await author.create_thread(unique("A thread to damage"))
    content_hash = await writer.submit(thread_id, unique("A text to damage"))
    before = await metrics(house)
    subject = f"Message:{content_hash}"
    async with operator.subscribed(EVENTS, {}) as events:
        damage(house, "UPDATE messages SET status = 'PUBLISHED' WHERE content_hash = ?", content_hash)
        report = (await operator.ask(VERIFY))["verifyBoundaries"]
        assert report["finished"] and report["repair"]
        assert [found["problem"] for found in report["boundaries"]] == [None] * 4
        told: dict[str, Any] = {}
        while (told.get("conflict") or {}).get("subject") != subject:
            told = (await events.next())["boundaryEvents"]
            assert told["missed"] == 0
    assert (told["kind"], told["authority"]) == ("CONFLICT", "SOLANA")
    assert (told["conflict"]["kind"], told["conflict"]["settlement"]) == ("OWNERSHIP", "RESOLVED")
    logged = (await operator.ask(CONFLICTS))["boundaryConflicts"]["nodes"]
    [mine] = [node for node in logged if node["subject"] == subject]
    assert (mine["cause"], mine["settlement"]) == (told["conflict"]["cause"], "RESOLVED")
    assert mine["expected"] != mine["found"]
    [file] = (house.data / "index").glob("index-*.sqlite3")
    with closing(sqlite3.connect(file, timeout=10)) as connection:
        asked = "SELECT status FROM messages WHERE content_hash = ?"
        assert connection.execute(asked, (content_hash,)).fetchone() == ("PENDING",)
    after = await metrics(house)
    resolved = ("chorale_conflicts_total", "OWNERSHIP RESOLVED")
    assert after[resolved] == before[resolved] + 1
    assert after["chorale_conflict_rate", "OWNERSHIP"] == before["chorale_conflict_rate", "OWNERSHIP"] + 1
    checked = ("chorale_boundary_checked", "SOLANA_STATE")
    assert after[checked] > before[checked]
    read = (await operator.ask(BOUNDARIES))["boundaries"]
    assert read["verification"] == {"finished": True}
    assert read["measures"]["recoverySuccess"] == after["chorale_recovery_success_ratio", ""] == 1


async def test_updates_and_operations_are_measured(house: RunningServer) -> None:
    """One more update is verified, with its propagation, and derived state had the change a moment after the chain."""
    author = await house.actor()
    before = await metrics(house)
    await author.create_thread(unique("A measured thread"))
    after = await metrics(house)
    for name, least in (
        (("chorale_updates_total", "VERIFIED"), 1),
        (("chorale_propagation_time_seconds_count", ""), 1),
        (("chorale_state_sync_delay_seconds_count", ""), 1),
        (("chorale_graphql_operations_total", "ok mutation"), 1),
    ):
        assert after[name] >= before.get(name, 0) + least, name
    assert after["chorale_caught_up", ""] == 1
    assert after["chorale_authority_up", "SOLANA"] == 1
    assert after["chorale_lease_held", ""] == 1


async def test_connections_and_subscriptions_are_counted_while_they_last(house: RunningServer, admin: Actor) -> None:
    """One socket with one subscription; afterwards as before."""
    connections, subscriptions = ("chorale_open", "connection"), ("chorale_open", "subscription")
    before = await metrics(house)
    async with admin.subscribed(EVENTS, {}) as events:
        await admin.ask(VERIFY)
        await events.next()
        during = await metrics(house)
        assert during[connections] == before.get(connections, 0) + 1
        assert during[subscriptions] == before.get(subscriptions, 0) + 1
    async with asyncio.timeout(PATIENCE):
        while (await metrics(house))[subscriptions] != before.get(subscriptions, 0):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("query", [CONFLICTS, VERIFY])
async def test_others_are_refused(house: RunningServer, query: str) -> None:
    """A wallet that is neither admin nor named; the admin and the named one pass in the tests above."""
    stranger = await house.actor(tokens=0)
    body = await stranger.execute(query)
    assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert (await stranger.ask(BOUNDARIES))["boundaries"]["verification"] is None
    assert (await house.execute(query))["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_an_operator_by_setting_may_not_configure(house: RunningServer, operator: Actor, admin: Actor) -> None:
    """The setting opens the boundaries of this server and nothing on chain."""
    assert (await operator.ask(VERIFY))["verifyBoundaries"]["finished"]
    signed = await admin.signed("configure", minimumStake="1000000", approvalWindowSeconds=86_400)
    body = await operator.execute(operations.MUTATE["configure"], {"input": signed})
    assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
