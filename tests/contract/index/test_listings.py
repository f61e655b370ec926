"""Every listing shows every viewer exactly what they may see, in order, on pages of all four forms."""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from chorale.domain.accounts import MessageAccount, ThreadAccount
from chorale.domain.approval import MessageStatus, can_claim, may_see
from chorale.domain.paging import Key, Page, PageRequest
from chorale.domain.projection import Projection
from datasources.index import SqliteIndex, open_index
from datasources.index.schema import STAGED_SEQUENCE
from tests.contract.index import samples

PEOPLE = ("ana", "ben", "cy", "dee")
VIEWERS: tuple[str | None, ...] = (None, *PEOPLE, "nobody")
NOW = 900
DECIDED = [status for status in MessageStatus if status is not MessageStatus.STAGED]


@dataclass(frozen=True)
class Row:
    """A message in the reference model; a staged one has an account that was never on chain."""

    thread: ThreadAccount
    message: MessageAccount

    def visible(self, viewer: str | None) -> bool:
        return may_see(
            self.message.status,
            author=self.message.author,
            voters=[vote.voter for vote in self.message.votes],
            viewer=viewer,
            viewer_is_co_author=self.thread.has_co_author(viewer),
        )


@dataclass(frozen=True)
class World:
    threads: tuple[ThreadAccount, ...]
    rows: tuple[Row, ...]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    threads, rows = [], []
    for number in range(draw(st.integers(1, 3))):
        members = draw(st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=3, unique=True))
        published: list[str] = []
        messages = []
        for sequence in range(1, draw(st.integers(1, 9))):
            status = draw(st.sampled_from(MessageStatus))
            votes = [
                samples.vote(voter, approve=draw(st.booleans()), claimed=draw(st.booleans()))
                for voter in draw(st.lists(st.sampled_from(PEOPLE), max_size=2, unique=True))
            ]
            message = samples.message(
                (number, sequence),
                status=status,
                author=draw(st.sampled_from(PEOPLE)),
                sequence=sequence,
                submitted_at=draw(st.integers(1, 4)),  # ties are told apart by the hash
                expires_at=draw(st.sampled_from((NOW, NOW + 1, NOW + 2))),
                decided_at=draw(st.integers(1, 3)),
                share=draw(st.integers(0, 1)),
                escrow_remaining=draw(st.integers(0, 1)),
                votes=tuple(votes),
            )
            if status is MessageStatus.PUBLISHED:
                message = replace(message, leaf_index=len(published))
                published.append(message.content_hash)
            if status is MessageStatus.STAGED:
                message = replace(message, submitted_sequence=STAGED_SEQUENCE, submitted_at=0, votes=())
            messages.append(message)
        thread = samples.thread(
            str(number), sequence=20, members=members, published=published, activity_at=draw(st.integers(1, 2))
        )
        threads.append(thread)
        rows += [Row(thread, message) for message in messages]
    return World(tuple(threads), tuple(rows))


async def fill(index: SqliteIndex, world: World) -> None:
    for thread in world.threads:
        own = [row.message for row in world.rows if row.thread == thread]
        staged = [m for m in own if m.status is MessageStatus.STAGED]
        await index.stage([replace(_stored(m, thread), author=m.author) for m in staged])
        on_chain = tuple(m for m in own if m.status is not MessageStatus.STAGED)
        await index.apply(Projection(thread, 5, on_chain))


def _stored(message: MessageAccount, thread: ThreadAccount):  # type: ignore[no-untyped-def]
    stored = samples.staged("", thread.thread_id, message.author)
    return replace(stored, key=replace(stored.key, hash=message.content_hash))


Fetch = Callable[[PageRequest], Awaitable[Page]]


async def walk(fetch: Fetch, expected: Sequence[tuple[str, Key]]) -> None:
    """All four forms, from every place, against the whole listing."""
    ids, keys = [row[0] for row in expected], [row[1] for row in expected]

    def check(page: Page, start: int, end: int, *, has_previous: bool, has_next: bool) -> None:
        assert [(row.id, row.key) for row in page.rows] == list(expected[start:end])
        assert (page.has_previous, page.has_next) == (has_previous, has_next)

    for size in (0, 1, 2, len(ids), len(ids) + 1):
        end = min(size, len(ids))
        check(await fetch(PageRequest(first=size)), 0, end, has_previous=False, has_next=end < len(ids))
        start = max(len(ids) - size, 0)
        check(await fetch(PageRequest(last=size)), start, len(ids), has_previous=start > 0, has_next=False)
        for place, key in enumerate(keys):
            end = min(place + 1 + size, len(ids))
            page = await fetch(PageRequest(first=size, after=key))
            check(page, place + 1, end, has_previous=True, has_next=end < len(ids))
            start = max(place - size, 0)
            page = await fetch(PageRequest(last=size, before=key))
            check(page, start, place, has_previous=start > 0, has_next=True)


def ordered(
    rows: Sequence[Row], key: Callable[[MessageAccount], int], *, descending: bool = False
) -> list[tuple[str, Key]]:
    keyed = [(key(row.message), row.message.content_hash) for row in rows]
    return [(name, (number, name)) for number, name in sorted(keyed, reverse=descending)]


@settings(max_examples=25, deadline=None)
@given(worlds(), st.sets(st.sampled_from(MessageStatus)), st.sampled_from(VIEWERS), st.sampled_from(PEOPLE))
async def test_listings_agree_with_the_rule(
    world: World, statuses: set[MessageStatus], viewer: str | None, person: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with open_index(Path(folder), samples.GENESIS, samples.PROGRAM, samples.MODEL) as index:
            await fill(index, world)
            visible = [row for row in world.rows if row.visible(viewer)]

            for thread in world.threads:
                rows = [row for row in visible if row.thread == thread]
                wanted = tuple(statuses)
                rows = [row for row in rows if not wanted or row.message.status in wanted]
                await walk(
                    lambda page, t=thread, w=wanted: index.messages(t.thread_id, page, viewer=viewer, statuses=w),  # type: ignore[misc]
                    ordered(rows, lambda m: m.submitted_sequence),
                )
                rows = [
                    r for r in rows if r.message.submitted_sequence <= 4 or r.message.status is MessageStatus.STAGED
                ]
                await walk(
                    lambda page, t=thread, w=wanted: index.messages(  # type: ignore[misc]
                        t.thread_id, page, viewer=viewer, statuses=w, up_to=4
                    ),
                    ordered(rows, lambda m: m.submitted_sequence),
                )

            rows = [row for row in visible if row.message.author == person]
            await walk(
                lambda page: index.messages_of(person, page, viewer=viewer),
                ordered(rows, lambda m: m.submitted_at, descending=True),
            )

            rows = [row for row in visible if _awaits(row, person)]
            await walk(
                lambda page: index.pending_approvals(person, page, viewer=viewer, now=NOW),
                ordered(rows, lambda m: m.expires_at),
            )

            rows = [row for row in visible if can_claim(row.message, person)]
            await walk(lambda page: index.claimable(person, page, viewer=viewer), ordered(rows, lambda m: m.decided_at))

            for co_author in (None, person):
                threads = [t for t in world.threads if co_author is None or t.has_co_author(co_author)]
                keys = sorted([(t.activity_at, t.thread_id) for t in threads], reverse=True)
                await walk(
                    lambda page, c=co_author: index.threads(page, co_author=c),  # type: ignore[misc]
                    [(name, (number, name)) for number, name in keys],
                )
            mine = [t for t in world.threads if t.has_co_author(person)]
            mine.sort(key=lambda t: (t.activity_at, t.thread_id), reverse=True)
            assert await index.co_authored(person, 2) == [t.thread_id for t in mine[:2]]


def _awaits(row: Row, voter: str) -> bool:
    return (
        row.message.status is MessageStatus.PENDING
        and row.message.expires_at > NOW
        and row.message.author != voter
        and row.thread.has_co_author(voter)
        and row.message.vote_of(voter) is None
    )
