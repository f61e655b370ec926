"""Everybody reads how the boundaries hold; their conflicts, events, reasons and repair are the operators'."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, cast

import pytest
import pytest_asyncio
from solders.keypair import Keypair

from chorale.boundaries import Boundaries
from chorale.checking.findings import Checked
from chorale.domain.availability import AlwaysAvailable, AuthorityHealth, Health
from chorale.domain.boundaries import AnnouncementKind, BoundaryName
from chorale.domain.conflict import Conflict, ConflictCause, Settlement
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.updates import Authority
from tests.graphql.stack import Answer, Stack
from tests.spine.parts import Parts

BOUNDARIES = """{ boundaries {
  checks { name checked conflicts healed complete problem checkedAt }
  authorities { authority health since reason }
  measures { stateSyncDelay { count p50Ms p99Ms } propagationTime { count } conflictRate recoverySuccess
    conflicts { kind total perHour } watcherLagSlots cacheHitRate cache { entity hits misses }
    queueDepths { queue depth } }
  catchUp { total done left finished } writesSharedContent writer
  verification { number repair finished checked total boundaries { name } conflicts { number } }
} }"""
CONFLICTS = """query Conflicts($first: Int, $after: Cursor, $kinds: [ConflictKind!]) {
  boundaryConflicts(first: $first, after: $after, kinds: $kinds) {
    nodes { number kind cause authority subject threadId expected found slot version settlement action durationMs at }
    edges { cursor node { number } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
VERIFY = """mutation Verify($repair: Boolean!, $wait: Boolean!) { verifyBoundaries(repair: $repair, wait: $wait) {
  number repair finished startedAt finishedAt checked total boundaries { name problem } conflicts { number } } }"""
EVENTS = """subscription Events($after: Cursor) { boundaryEvents(after: $after) {
  cursor number missed at kind detail authority conflict { number cause settlement } } }"""
THREAD = "ab" * 32
OPERATOR = str(Keypair.from_seed(bytes([1] * 32)).pubkey())
STRANGER = str(Keypair.from_seed(bytes([2] * 32)).pubkey())

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def stack(parts: Parts) -> Stack:
    return Stack(parts, operators=frozenset({OPERATOR}))


@pytest_asyncio.fixture(loop_scope="session")
async def admin(stack: Stack) -> str:
    return str((await stack.ask("{ protocol { admin } }"))["protocol"]["admin"])


def conflict(cause: ConflictCause, sequence: int = 0) -> Conflict:
    """One about a thread, or about a wallet of the same number."""
    subject = f"Thread:{THREAD}" if cause is not ConflictCause.CACHE_STALE else f"User:{sequence}"
    return Conflict(cause, subject, THREAD, "3 members", "2 members", slot=7, sequence=sequence)


class Unchecked:
    """A boundary whose checks end in an error that names an address."""

    name = BoundaryName.QDRANT_CONTENT

    async def whole(self) -> AsyncGenerator[Checked, None]:
        yield Checked(3)
        raise AuthorityUnavailableError(Authority.QDRANT, "http://10.0.0.7:6333 refuses")

    sample = whole


class Failing(AlwaysAvailable):
    """Qdrant is down, for a reason that names an address."""

    def all(self) -> tuple[AuthorityHealth, ...]:
        lost = AuthorityHealth(Authority.QDRANT, Health.DOWN, 1_700_000_000.0, "http://10.0.0.7:6333 refuses")
        return (*(known for known in super().all() if known.authority is not Authority.QDRANT), lost)


async def test_numbers_are_for_everyone_and_reasons_for_operators(stack: Stack, admin: str) -> None:
    """Health and measures are there for anybody; why, who writes and what was found only for operators."""
    stack.availability = Failing()
    stack.boundaries = Boundaries((Unchecked(),), stack.reconciler, stack.announcements, stack.limits)
    stack.measures.state_synced(0.25)
    stack.measures.cache_read("thread", hits=1, misses=1)
    await stack.boundaries.verify(repair=False)
    for viewer in (None, STRANGER, OPERATOR, admin):
        read = (await stack.ask(BOUNDARIES, viewer))["boundaries"]
        operator = viewer in (OPERATOR, admin)
        lost = read["authorities"][-1]
        assert (lost["authority"], lost["health"], lost["since"]) == ("QDRANT", "DOWN", "2023-11-14T22:13:20Z")
        assert lost["reason"] == ("http://10.0.0.7:6333 refuses" if operator else None)
        [check] = read["checks"]
        assert (check["name"], check["checked"], check["complete"]) == ("QDRANT_CONTENT", "3", False)
        assert check["checkedAt"] is not None
        assert check["problem"] == ("http://10.0.0.7:6333 refuses" if operator else None)
        assert read["measures"]["stateSyncDelay"] == {"count": "1", "p50Ms": 250.0, "p99Ms": 250.0}
        assert read["measures"]["cacheHitRate"] == 0.5
        assert read["measures"]["recoverySuccess"] is None
        assert [found["kind"] for found in read["measures"]["conflicts"]] == ["OWNERSHIP", "CONTENT", "CACHE", "UI"]
        assert read["writesSharedContent"] is True
        assert read["writer"] == ("this process" if operator else None)
        assert (read["verification"] is not None) == operator


async def test_it_answers_where_solana_is_away(stack: Stack, admin: str) -> None:
    """Whoever only the chain would tell to be an operator gets what everybody gets; a setting needs no chain."""
    stack.chain.away = True
    await stack.boundaries.verify(repair=False)
    assert (await stack.ask(BOUNDARIES, admin))["boundaries"]["writer"] is None
    assert (await stack.ask(BOUNDARIES, OPERATOR))["boundaries"]["writer"] == "this process"
    assert (await stack.run(CONFLICTS, admin)).codes == ["AUTHORITY_UNAVAILABLE"]
    assert (await stack.ask(CONFLICTS, OPERATOR))["boundaryConflicts"]["nodes"] == []


@pytest.mark.parametrize(
    ("document", "variables"), [(CONFLICTS, {}), (VERIFY, {"repair": True, "wait": True}), (EVENTS, {})]
)
@pytest.mark.parametrize(("viewer", "code"), [(None, "UNAUTHENTICATED"), (STRANGER, "FORBIDDEN")])
async def test_strangers_are_refused(
    stack: Stack, document: str, variables: dict[str, Any], viewer: str | None, code: str
) -> None:
    """Neither the log nor events nor a verification for them, and none has begun."""
    if document is EVENTS:
        async with aclosing(cast("Any", stack.stream(document, viewer))) as events:
            answer = await anext(events)
    else:
        answer = await stack.run(document, viewer, **variables)
    assert answer.codes == [code]
    assert stack.boundaries.running() is None
    assert stack.boundaries.latest() is None


async def test_conflicts_page_from_the_newest_while_new_ones_come(stack: Stack) -> None:
    """A page begins where the last one ended, whatever was met meanwhile; kinds filter; texts are told as they are."""
    for number in range(1, 6):
        stack.reconciler.record(conflict(ConflictCause.INDEX_WRONG, number), Settlement.RESOLVED, f"Written {number}.")
        stack.reconciler.record(conflict(ConflictCause.CACHE_STALE), Settlement.RESOLVED, f"Read again {number}.")
    page = (await stack.ask(CONFLICTS, OPERATOR, first=3, kinds=["OWNERSHIP"]))["boundaryConflicts"]
    assert [node["version"] for node in page["nodes"]] == [5, 4, 3]
    assert [edge["node"]["number"] for edge in page["edges"]] == [node["number"] for node in page["nodes"]]
    assert (page["pageInfo"]["hasNextPage"], page["pageInfo"]["hasPreviousPage"]) == (True, False)
    told = page["nodes"][0]
    assert (told["kind"], told["cause"], told["authority"]) == ("OWNERSHIP", "INDEX_WRONG", "SOLANA")
    assert (told["subject"], told["threadId"]) == (f"Thread:{THREAD}", THREAD)
    assert (told["expected"], told["found"]) == ("3 members", "2 members")
    assert (told["slot"], told["settlement"], told["action"]) == (7, "RESOLVED", "Written 5.")
    stack.reconciler.record(conflict(ConflictCause.INDEX_WRONG, 6), Settlement.RESOLVED, "Written 6.")
    after = page["pageInfo"]["endCursor"]
    rest = (await stack.ask(CONFLICTS, OPERATOR, first=3, after=after, kinds=["OWNERSHIP"]))["boundaryConflicts"]
    assert [node["version"] for node in rest["nodes"]] == [2, 1]
    assert (rest["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasPreviousPage"]) == (False, True)
    every = (await stack.ask(CONFLICTS, OPERATOR, kinds=[]))["boundaryConflicts"]["nodes"]
    assert [node["number"] for node in every] == list(range(11, 0, -1))
    assert every[1]["kind"] == "CACHE"
    assert every[1]["version"] is None


async def test_pages_of_another_log_or_size_are_refused(stack: Stack, parts: Parts) -> None:
    """A cursor belongs to one replica's log; sizes are bounded."""
    other = Stack(parts, operators=frozenset({OPERATOR}))
    for house in (stack, other):
        house.reconciler.report(conflict(ConflictCause.INDEX_BEHIND))
    foreign = (await other.ask(CONFLICTS, OPERATOR))["boundaryConflicts"]["pageInfo"]["endCursor"]
    for variables in ({"after": foreign}, {"after": "bm9uZQ"}, {"first": 0}, {"first": 101}):
        answer = await stack.run(CONFLICTS, OPERATOR, **variables)
        assert answer.codes == ["INVALID_INPUT"], variables


@pytest.mark.parametrize("wait", [True, False])
async def test_a_verification_is_run_for_operators(stack: Stack, admin: str, wait: bool) -> None:
    """With the report when it has ended, or at once; afterwards `boundaries` has it."""
    report = (await stack.ask(VERIFY, admin, repair=True, wait=wait))["verifyBoundaries"]
    assert (report["number"], report["repair"]) == (1, True)
    assert report["finished"] == wait == (report["finishedAt"] is not None)
    await stack.boundaries.verify(repair=True)
    latest = (await stack.ask(BOUNDARIES, admin))["boundaries"]["verification"]
    assert latest["finished"] is True


async def test_events_come_as_they_happen_and_resume_behind_a_cursor(stack: Stack) -> None:
    """From now on, each once and in order; a second subscriber goes on behind the first one's event."""
    stack.announcements.announce(AnnouncementKind.CAUGHT_UP, "before")
    async with aclosing(cast("Any", stack.stream(EVENTS, OPERATOR))) as events:
        first = asyncio.ensure_future(anext(events))
        while not stack.announcements.listeners:
            await asyncio.sleep(0)
        stack.reconciler.report(conflict(ConflictCause.INDEX_BEHIND))
        met = (await first).data["boundaryEvents"]
        assert (met["number"], met["missed"], met["kind"], met["authority"]) == (2, 0, "CONFLICT", "SOLANA")
        assert met["conflict"] == {"number": 1, "cause": "INDEX_BEHIND", "settlement": "OPEN"}
    for number in range(3):
        stack.announcements.announce(AnnouncementKind.LEASE_LOST, f"lost {number}", authority=Authority.BACKEND)
    async with aclosing(cast("Any", stack.stream(EVENTS, OPERATOR, after=met["cursor"]))) as resumed:
        told = [(await anext(resumed)).data["boundaryEvents"] for _ in range(3)]
        assert [(event["number"], event["detail"], event["missed"]) for event in told] == [
            (3, "lost 0", 0), (4, "lost 1", 0), (5, "lost 2", 0),
        ]  # fmt: skip
        late = asyncio.ensure_future(anext(resumed))
        while not stack.announcements.listeners:
            await asyncio.sleep(0)
        stack.announcements.announce(AnnouncementKind.CAUGHT_UP, "live again")
        assert (await late).data["boundaryEvents"]["number"] == 6


async def test_what_was_missed_is_counted(parts: Parts) -> None:
    """A log of four and a queue of two: who resumes too late, and who reads too slowly, is told how many are gone."""
    stack = Stack(parts, operators=frozenset({OPERATOR})).with_limits(announcement_log=4, announcement_queue=2)
    said = [stack.announcements.announce(AnnouncementKind.CAUGHT_UP, str(number)) for number in range(1, 11)]
    assert said[-1].number == 10
    foreign = (await _first(Stack(parts, operators=frozenset({OPERATOR})))).data["boundaryEvents"]["cursor"]
    async with aclosing(cast("Any", stack.stream(EVENTS, OPERATOR, after=foreign))) as events:
        kept = [(await anext(events)).data["boundaryEvents"] for _ in range(4)]
        assert [(event["number"], event["missed"]) for event in kept] == [(7, 6), (8, 0), (9, 0), (10, 0)]
        waiting = asyncio.ensure_future(anext(events))
        while not stack.announcements.listeners:
            await asyncio.sleep(0)
        for number in range(11, 16):
            stack.announcements.announce(AnnouncementKind.CAUGHT_UP, str(number))
        slow = [(await waiting).data["boundaryEvents"], (await anext(events)).data["boundaryEvents"]]
        assert [(event["number"], event["missed"]) for event in slow] == [(14, 3), (15, 0)]


async def _first(stack: Stack) -> Answer:
    async with aclosing(cast("Any", stack.stream(EVENTS, OPERATOR))) as events:
        first = asyncio.ensure_future(anext(events))
        while not stack.announcements.listeners:
            await asyncio.sleep(0)
        stack.announcements.announce(AnnouncementKind.CAUGHT_UP, "one")
        return await first


async def test_events_end_for_who_is_no_operator_any_more(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may listen is asked again at the events of a long stream; while Solana is away, whoever was let in stays."""
    monkeypatch.setattr("resolvers.subscriptions.boundary_events._FRESH_SECONDS", 0.0)
    admin = str((await stack.ask("{ protocol { admin } }"))["protocol"]["admin"])
    async with aclosing(cast("Any", stack.stream(EVENTS, admin))) as events:
        first = asyncio.ensure_future(anext(events))
        while not stack.announcements.listeners:
            await asyncio.sleep(0)
        stack.chain.away = True
        stack.announcements.announce(AnnouncementKind.AUTHORITY_LOST, "gone", authority=Authority.SOLANA)
        assert (await first).data["boundaryEvents"]["kind"] == "AUTHORITY_LOST"
        stack.chain.away = False
        monkeypatch.setattr("resolvers.operators._is_admin", _nobody)
        stack.announcements.announce(AnnouncementKind.AUTHORITY_RECOVERED, "back", authority=Authority.SOLANA)
        assert (await anext(events)).codes == ["FORBIDDEN"]


async def _nobody(*_: object) -> bool:
    return False


async def test_events_end_with_the_session(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event after its expiry is no longer told."""
    monkeypatch.setattr("resolvers.subscriptions.boundary_events._FRESH_SECONDS", 0.0)
    async with aclosing(cast("Any", stack.stream(EVENTS, OPERATOR))) as events:
        first = asyncio.ensure_future(anext(events))
        while not stack.announcements.listeners:
            await asyncio.sleep(0)
        later = time.time() + 7_200
        monkeypatch.setattr("resolvers.permissions.time.time", lambda: later)
        stack.announcements.announce(AnnouncementKind.CAUGHT_UP, "too late")
        assert (await first).codes == ["UNAUTHENTICATED"]
