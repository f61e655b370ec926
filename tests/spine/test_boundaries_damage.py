"""Each system damaged for real: found by a verification, left alone without repair, healed and read back with it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest
import pytest_asyncio

from chorale.domain.boundaries import BoundaryName
from chorale.domain.chain import Commitment
from chorale.domain.conflict import ConflictKind, Settlement
from chorale.domain.content import ContentKey, ContentKind
from chorale.domain.paging import PageRequest
from chorale.process.verification_report import NOT_CHECKED, exit_code
from chorale.reconciliation.resolvers import open_resolvers
from chorale.reconciliation.ui import UiResolver
from datasources.embeddings import FastEmbedder
from tests.chains import MINIMUM_STAKE, running_localnet
from tests.patience import PATIENCE
from tests.spine.checked import LIMITS, House, begin_thread, publish
from tests.spine.parts import Actor, Draft, open_parts

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass
class Site:
    """A thread with two posts, one pending submission with a vote, and one staged draft."""

    house: House
    ana: Actor
    title: Draft
    posts: list[Draft]
    pending: Draft

    @property
    def thread_id(self) -> str:
        """Its id."""
        return self.title.content.key.thread_id

    def key(self, draft: Draft) -> ContentKey:
        """The draft's point."""
        return draft.content.key

    async def picture(self) -> tuple[object, ...]:
        """All that the index and the store say of the thread."""
        hashes = sorted(draft.hash for draft in (*self.posts, self.pending))
        index, content = self.house.parts.index, self.house.parts.content
        return (
            await index.kept_threads([self.thread_id]),
            await index.kept_messages(hashes),
            await index.recomputed_root(self.thread_id, 2),
            await content.fetch([ContentKey(ContentKind.MESSAGE, self.thread_id, each) for each in hashes]),
            await self.house.entities.get(self.addresses()),
        )

    def addresses(self) -> list[str]:
        """Accounts of the thread and its messages."""
        addresses = self.house.reading.addresses
        thread = addresses.thread(self.thread_id)
        return [thread, *(addresses.message(thread, draft.hash) for draft in (*self.posts, self.pending))]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory, embedder: FastEmbedder) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("damaged")
    with running_localnet(tmp_path_factory.mktemp("chain")) as running:
        async with open_parts(running, embedder, folder) as parts, parts.watch():
            ana, ben = [Actor(running, await running.wallet()) for _ in range(2)]
            title = await begin_thread(parts, ana, "Damaged")
            thread_id = title.content.key.thread_id
            posts = await publish(parts, ana, thread_id, ["The first post.", "The second post."])
            pending = ben.submit(thread_id, "A submission.")
            await parts.stage(pending.content)
            await ben.send(pending.instruction)
            assert await parts.index.wait_for(thread_id, 4, PATIENCE)
            house = House(parts, folder)
            house.reconciler.equip(
                open_resolvers(
                    parts.chain, parts.content, parts.embedder, parts.index, parts.projector, parts.corrections,
                    house.entities, house.reports, LIMITS,
                )
            )  # fmt: skip
            yield Site(house, ana, title, posts, pending)


Damage = Callable[[Site], Awaitable[None]]


async def status(site: Site) -> None:
    site.house.sql("UPDATE messages SET status = 'PUBLISHED' WHERE content_hash = ?", site.pending.hash)


async def older(site: Site) -> None:
    site.house.sql("UPDATE messages SET sequence = 1 WHERE content_hash = ?", site.posts[0].hash)


async def newer(site: Site) -> None:
    site.house.sql("UPDATE messages SET sequence = 900 WHERE content_hash = ?", site.posts[0].hash)


async def amount(site: Site) -> None:
    site.house.sql("UPDATE messages SET escrow_remaining = 7 WHERE content_hash = ?", site.pending.hash)


async def vote(site: Site) -> None:
    site.house.sql(
        "INSERT INTO votes SELECT number, 'nobody', 1, 0 FROM messages WHERE content_hash = ?", site.pending.hash
    )


async def seat(site: Site) -> None:
    site.house.sql("INSERT INTO members SELECT 'nobody', number, 2 FROM threads WHERE thread_id = ?", site.thread_id)


async def tree(site: Site) -> None:
    site.house.sql(
        "UPDATE nodes SET hash = zeroblob(32) WHERE number = 0 AND thread = "
        "(SELECT number FROM threads WHERE thread_id = ?)",
        site.thread_id,
    )


async def lost_row(site: Site) -> None:
    site.house.sql("DELETE FROM messages WHERE content_hash = ?", site.posts[1].hash)


async def invented_row(site: Site) -> None:
    site.house.sql(
        "INSERT INTO messages SELECT NULL, ?, thread, author, status, sequence, submitted_sequence, submitted_at, "
        "expires_at, decided_at, share, escrow_remaining FROM messages WHERE content_hash = ?",
        "ab" * 32,
        site.posts[0].hash,
    )


async def facts(site: Site) -> None:
    await site.house.set_payload(site.key(site.pending), status="PUBLISHED")


async def voters(site: Site) -> None:
    await site.house.set_payload(site.key(site.pending), voters=["nobody"])


async def old_facts(site: Site) -> None:
    await site.house.set_payload(site.key(site.posts[0]), sequence=1)


async def other_model(site: Site) -> None:
    await site.house.set_payload(site.key(site.posts[0]), fingerprint="another model")


async def stale_entry(site: Site) -> None:
    await site.house.cache(site.addresses()[0], version=3, data=b"an older account")


async def wrong_entry(site: Site) -> None:
    await site.house.cache(site.addresses()[1], version=2, data=b"another account")


async def ahead(site: Site) -> None:
    site.house.reports.note("a client", {site.thread_id: 900}, frozenset())


@pytest.mark.parametrize(
    ("damage", "cause", "subject"),
    [
        (status, "INDEX_WRONG", "pending"),
        (older, "INDEX_BEHIND", "post"),
        (newer, "INDEX_WRONG", "post"),
        (amount, "INDEX_WRONG", "pending"),
        (vote, "INDEX_WRONG", "pending"),
        (seat, "INDEX_WRONG", "thread"),
        (tree, "INDEX_WRONG", "thread"),
        (lost_row, "INDEX_BEHIND", "second"),
        (invented_row, "INDEX_WRONG", "invented"),
        (facts, "PAYLOAD_WRONG", "pending"),
        (voters, "PAYLOAD_WRONG", "pending"),
        (old_facts, "PAYLOAD_BEHIND", "post"),
        (other_model, "PAYLOAD_BEHIND", "post"),
        (stale_entry, "CACHE_STALE", "thread"),
        (wrong_entry, "CACHE_WRONG", "post"),
        (ahead, "UI_AHEAD", "thread"),
    ],
)  # fmt: skip
async def test_damage_is_found_left_and_healed(site: Site, damage: Damage, cause: str, subject: str) -> None:
    """Reported and unchanged without repair; with repair nothing is left of it, and all else is as it was."""
    named = {
        "thread": f"Thread:{site.thread_id}",
        "post": f"Message:{site.posts[0].hash}",
        "second": f"Message:{site.posts[1].hash}",
        "pending": f"Message:{site.pending.hash}",
        "invented": "Message:" + "ab" * 32,
    }
    assert await site.house.causes() == []
    whole = await site.picture()
    await damage(site)
    damaged = await site.picture()
    assert await site.house.causes() == [(cause, named[subject])]
    assert await site.picture() == damaged
    report = await site.house.boundaries.verify(repair=True)
    assert [(found.conflicts, found.healed) for found in report.boundaries if found.conflicts] == [(1, 1)], report
    assert await site.house.causes() == []
    assert (await site.picture())[:4] == whole[:4]


async def test_corrupt_bytes_stay_a_conflict(site: Site) -> None:
    """Nothing but the right bytes heals them: with repair they are quarantined, and still reported."""
    post, parts = site.posts[0], site.house.parts
    await site.house.set_payload(site.key(post), body="Something else.")
    conflict = ("CONTENT_CORRUPT", f"Message:{post.hash}")
    assert await site.house.causes() == [conflict]
    assert await site.house.causes(repair=True) == [conflict]
    report = await site.house.boundaries.verify(repair=True)
    assert [(found.conflicts, found.healed) for found in report.boundaries if found.conflicts] == [(1, 0)]
    now = int(time.time())
    await parts.content.restore(post.content, lease_until=now + 60, now=now)
    await parts.projector.refresh(site.thread_id, [post.hash])
    assert await site.house.causes() == []


async def test_lost_bytes_are_missed(site: Site) -> None:
    """A hash on chain without a point is reported, for titles as for messages, until somebody supplies it."""
    post = site.posts[0]
    await site.house.delete_point(site.key(post))
    await site.house.delete_point(site.title.content.key)
    assert await site.house.causes() == [
        ("CONTENT_MISSING", f"Message:{post.hash}"),
        ("CONTENT_MISSING", f"Thread:{site.thread_id}"),
    ]
    await site.house.parts.stage(post.content)
    await site.house.parts.stage(site.title.content)
    assert await site.house.causes() == []


async def test_bytes_that_were_left_behind_are_found(site: Site) -> None:
    """Staged bytes count once their lease has long passed; repair collects them."""
    draft = site.ana.post(site.thread_id, "Never sent.")
    await site.house.parts.stage(draft.content)
    assert await site.house.causes() == []
    await site.house.set_payload(site.key(draft), lease_until=1)
    conflict = ("CONTENT_ABANDONED", f"Message:{draft.hash}")
    assert await site.house.causes() == [conflict]
    assert await site.house.causes(repair=True) == [conflict]
    assert await site.house.causes() == []


async def test_samples_come_round_to_everything(site: Site) -> None:
    """A sample looks at a part, the next at another: damage is found within one round."""
    house = site.house.with_limits(verification_sample=1)
    house.sql("UPDATE messages SET decided_at = 5 WHERE content_hash = ?", site.pending.hash)
    found = [await house.boundaries.verify(repair=False, complete=False) for _ in range(3)]
    assert sum(each.conflicts for report in found for each in report.boundaries) == 1
    assert (await site.house.boundaries.verify(repair=True)).records != ()
    assert await site.house.causes() == []


async def test_threads_that_the_index_lacks_are_brought_back(site: Site) -> None:
    """A thread whose rows are gone is found by what the chain lists, with its messages."""
    house = site.house
    number = "(SELECT number FROM threads WHERE thread_id = ?)"
    for table in ("messages", "members", "nodes", "events"):
        house.sql(f"DELETE FROM {table} WHERE thread = {number}", site.thread_id)
    house.sql("DELETE FROM threads WHERE thread_id = ?", site.thread_id)
    await house.boundaries.verify(repair=True)
    assert await house.causes() == []
    kept = (await house.parts.index.kept_threads([site.thread_id]))[site.thread_id]
    assert len(await house.parts.index.kept_messages([site.posts[0].hash, site.pending.hash])) == 2
    assert kept.leaves == 2


async def test_points_that_nothing_refers_to_are_found(site: Site) -> None:
    """A point that claims a place on chain which it does not have is reported."""
    draft = site.ana.post(site.thread_id, "Pretending.")
    await site.house.parts.content.stage(draft.content, lease_until=int(time.time()) + 3600)
    await site.house.set_payload(site.key(draft), status="PUBLISHED", sequence=3)
    assert await site.house.causes() == [("PAYLOAD_WRONG", f"Message:{draft.hash}")]
    await site.house.delete_point(site.key(draft))
    assert await site.house.causes() == []


async def test_clients_that_show_the_past_again_are_found(site: Site) -> None:
    """Behind once is what refreshing is for; the same version again, long after having been told, is a conflict."""
    house = site.house.with_limits(ui_patience=-1.0)
    house.reconciler.equip({ConflictKind.UI: UiResolver(house.reports)})
    house.reports.note("a client", {site.thread_id: 4}, frozenset())
    house.reports.note("another", {site.thread_id: 1, "": 1}, frozenset())
    assert await house.causes() == []
    for _ in range(2):
        house.reports.note("another", {site.thread_id: 1}, frozenset({site.thread_id}))
    assert await house.causes() == [("UI_BEHIND", f"Thread:{site.thread_id}")]
    report = await house.boundaries.verify(repair=True)
    assert [record.settlement for record in report.records] == [Settlement.CLIENT_TOLD]
    assert await house.causes() == []


async def test_rows_that_make_no_sense_are_found(site: Site) -> None:
    """Names that nothing can have, and rows of no thread, end no check."""
    site.house.sql("UPDATE messages SET thread = 99999 WHERE content_hash = ?", site.posts[0].hash)
    assert ("INDEX_WRONG", f"Message:{site.posts[0].hash}") in await site.house.causes()
    await site.house.boundaries.verify(repair=True)
    assert await site.house.causes() == []


async def test_the_protocol_is_compared(site: Site) -> None:
    """Its parameters as the index tells them, against its account; wrong ones are asked of the chain again."""
    site.house.sql("UPDATE protocol_changes SET minimum_stake = 3 WHERE kind = 'CONFIGURED'")
    assert await site.house.causes() == [("INDEX_WRONG", "Protocol")]
    report = await site.house.boundaries.verify(repair=True)
    assert [(each.conflicts, each.healed) for each in report.boundaries if each.conflicts] == [(1, 1)]
    assert await site.house.causes() == []
    changes = await site.house.parts.index.protocol_changes(PageRequest(first=1))
    assert changes.changes[0].minimum_stake == MINIMUM_STAKE


async def test_what_cannot_be_judged_does_not_pass_for_right(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the chain finalizes nothing in time, what differs is a problem of its boundary and not an agreement."""
    chain, draft = site.house.parts.chain, site.posts[0]
    await site.house.set_payload(site.key(draft), sequence=10**6)
    slot = type(chain).slot

    async def standing(self: object, commitment: Commitment = Commitment.CONFIRMED) -> int:
        return 0 if commitment is Commitment.FINALIZED else await slot(chain, commitment)

    with monkeypatch.context() as patched:
        patched.setattr(type(chain), "slot", standing)
        report = await site.house.with_limits(confirm_timeout=0.2).boundaries.verify(repair=False)
    problems = {found.name: found.problem for found in report.boundaries if found.problem}
    assert list(problems) == [BoundaryName.QDRANT_CONTENT]
    assert "verify again" in problems[BoundaryName.QDRANT_CONTENT]
    assert exit_code(report) == NOT_CHECKED
    assert (await site.house.found(repair=True))[BoundaryName.QDRANT_CONTENT].conflicts == 1
    assert await site.house.causes() == []
