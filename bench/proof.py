"""proof: the Merkle path of a message in a thread of 100,000, from the index's stored subtrees and from the leaves."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from random import Random

from bench.people import Demo
from bench.report import figure, percentile, spread, table
from chorale.domain.accounts import NO_LEAF, CoAuthor, MessageAccount, ThreadAccount
from chorale.domain.approval import MessageStatus
from chorale.domain.projection import Projection
from datasources.index import SqliteIndex, open_index
from datasources.index.schema import TABLES
from datasources.index.tree import append
from programs import merkle

LEAVES = 100_000
CHUNK = 10_000
TREE = 2**18
PATHS = 2_000
REBUILDS = 5
AUTHOR = "11111111111111111111111111111111"


def content_hash(number: int) -> str:
    """Hash of message `number`."""
    return sha256(f"message {number}".encode()).hexdigest()


def projections() -> Iterator[Projection]:
    """The thread as its one writer would hand it to the index, CHUNK published messages at a time."""
    thread_id = sha256(b"thread").hexdigest()
    frontier, root = merkle.EMPTY_FRONTIER, merkle.EMPTY[merkle.DEPTH]
    for start in range(0, LEAVES, CHUNK):
        messages = []
        for number in range(start, start + CHUNK):
            frontier, root = merkle.append(frontier, number, content_hash(number))
            messages.append(_message(number))
        count = start + CHUNK
        thread = ThreadAccount(
            address=AUTHOR, thread_id=thread_id, creator=AUTHOR, nonce=0, created_at=1, title_hash=thread_id,
            token_balance=0, stakes_total=0, escrow_total=0, treasury_due=0, message_count=count, pending_count=0,
            published_count=count, sequence=1 + count, activity_at=count, activity_sequence=count,
            content_root=root, frontier=frontier, co_authors=(CoAuthor(AUTHOR, 1),),
        )  # fmt: skip
        yield Projection(thread, slot=count, messages=tuple(messages))


def _message(number: int) -> MessageAccount:
    own = content_hash(number)
    return MessageAccount(
        address=own, thread=AUTHOR, author=AUTHOR, status=MessageStatus.PUBLISHED, content_hash=own, body_hash=own,
        nonce=number, stake=0, escrow_remaining=0, share=NO_LEAF, submitted_at=number, expires_at=0, decided_at=number,
        submitted_sequence=2 + number, sequence=2 + number, leaf_index=number, votes=(),
    )  # fmt: skip


async def run(_demo: Demo) -> str:
    """The tables."""
    with tempfile.TemporaryDirectory(prefix="chorale-bench-") as folder:
        async with open_index(Path(folder), "genesis", "program", "model") as index:
            began = time.perf_counter()
            for projection in projections():
                await index.apply(projection)
            seconds = time.perf_counter() - began
            timed = await _timed(index, projection.thread)
    return f"{timed}\n\nWritten in {figure(seconds)} s, {figure(LEAVES / seconds)} messages/s.\n\n{_on_disk()}"


async def _timed(index: SqliteIndex, thread: ThreadAccount) -> str:
    random, leaves = Random(1), [content_hash(number) for number in range(LEAVES)]
    stored: list[float] = []
    rebuilt: list[float] = []
    ratio: list[float] = []
    for rebuild in range(REBUILDS):
        before = len(stored)
        for _ in range(PATHS // REBUILDS):
            leaf = random.randrange(LEAVES)
            began = time.perf_counter()
            path = await index.merkle_path(thread.thread_id, leaf, LEAVES)
            stored.append((time.perf_counter() - began) * 1e6)
            if path is None or not merkle.verify_path(leaves[leaf], leaf, path, thread.content_root, LEAVES):
                raise RuntimeError(f"The path of leaf {leaf} does not lead to the root.")
        leaf = random.randrange(LEAVES)
        began = time.perf_counter()
        path = merkle.path_of(leaves, leaf)
        rebuilt.append((time.perf_counter() - began) * 1e6)
        ratio.append(rebuilt[-1] / percentile(stored[before:], 0.5))
        if path != await index.merkle_path(thread.thread_id, leaf, LEAVES):
            raise RuntimeError(f"Rebuild {rebuild} has another path.")
    return table(
        ("path of one leaf among 100,000", "p50 µs", "p99 µs", "ratio to the index (min / median / max)"),
        [
            ("from the index", figure(percentile(stored, 0.5)), figure(percentile(stored, 0.99)), "1"),
            (
                "from all leaves, in memory (hashlib)",
                figure(percentile(rebuilt, 0.5)),
                figure(max(rebuilt)),
                spread(ratio),
            ),
        ],
    )


def _on_disk() -> str:
    """Rows and bytes of a tree's complete subtrees alone, per million leaves."""
    with tempfile.TemporaryDirectory(prefix="chorale-bench-") as folder:
        connection = sqlite3.connect(Path(folder) / "tree.sqlite3", isolation_level=None)
        connection.executescript(TABLES)
        connection.execute("BEGIN")
        count = TREE
        began = time.perf_counter()
        append(connection, 1, 0, (content_hash(number) for number in range(count)))
        seconds = time.perf_counter() - began
        connection.execute("COMMIT")
        rows = connection.execute("SELECT count(*) FROM nodes").fetchone()[0]
        size = connection.execute("SELECT sum(pgsize) FROM dbstat WHERE name = 'nodes'").fetchone()[0]
        connection.close()
    million = 1e6 / count
    return table(
        ("per million leaves, from a tree of 262,144", "rows", "MB on disk", "bytes a leaf", "to hashes alone"),
        [
            (
                "complete subtrees",
                f"{rows * million:,.0f}",
                figure(size * million / 1e6),
                figure(size / count),
                f"{figure(size / (rows * 32))} ×",
            )
        ],
    ) + (f"\n\nAppended in {figure(seconds)} s, {figure(count / seconds)} leaves/s.")
