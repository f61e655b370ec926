"""The content root on chain is the root that anybody can recompute from the published hashes."""

from __future__ import annotations

import pytest

from chorale.domain.program_errors import ProgramError
from programs import identity, merkle
from programs.accounts import THREAD_VECTOR
from tests.program.stage import Stage, body_hash

PUBLISHED_COUNT, CONTENT_ROOT, FRONTIER = 163, 191, 223


def test_the_root_follows_every_publication() -> None:
    """Posted and voted messages alike, in leaf order; frontier and root after each are the recomputed ones."""
    stage = Stage()
    published: list[str] = []
    for _ in range(9):
        published.append(stage.post(stage.creator))
        frontier, count, root = merkle.fold(published)
        thread = stage.thread
        assert (thread.content_root, thread.frontier, thread.published_count) == (root, frontier, count)
        assert root == merkle.root_of(published)
    author = stage.outsider
    content_hash = stage.submit(author)
    assert stage.thread.content_root == merkle.root_of(published)
    stage.vote(stage.creator, content_hash)
    published.append(content_hash)
    assert stage.thread.content_root == merkle.root_of(published)
    leaf = stage.message(content_hash).leaf_index
    path = merkle.path_of(published, leaf)
    assert merkle.verify_path(content_hash, leaf, path, stage.thread.content_root, stage.thread.published_count)


def put_tree(stage: Stage, frontier: tuple[str, ...], count: int) -> None:
    """Writes a tree of `count` leaves into the thread."""
    address = stage.program.thread(stage.thread_id)
    data = bytearray(stage.chain.data(address))
    data[PUBLISHED_COUNT : PUBLISHED_COUNT + 4] = count.to_bytes(4, "little")
    data[FRONTIER : FRONTIER + 640] = bytes.fromhex("".join(frontier))
    assert len(data) > THREAD_VECTOR
    stage.chain.put_account(address, stage.program.program_id, bytes(data))


@pytest.mark.parametrize("count", [1, 2, 3, 0xAAAAA, 0x55555, 2**19 - 1, 2**19, 2**20 - 2, 2**20 - 1])
def test_appending_at_any_size(count: int) -> None:
    """The program appends leaf `count` as the pure tree does, the last leaf of a full tree included."""
    stage = Stage()
    frontier = tuple(("%064x" % (level + 1)) if count >> level & 1 else "00" * 32 for level in range(20))
    put_tree(stage, frontier, count)
    content_hash = stage.post(stage.creator)
    expected, root = merkle.append(frontier, count, content_hash)
    thread = stage.thread
    assert (thread.frontier, thread.content_root, thread.published_count) == (expected, root, count + 1)
    assert stage.message(content_hash).leaf_index == count


def test_a_full_tree_takes_no_more() -> None:
    """Posting and submitting are refused; what is already pending cannot be published and expires."""
    stage = Stage()
    pending = stage.submit(stage.outsider)
    put_tree(stage, merkle.EMPTY_FRONTIER, merkle.CAPACITY)
    stage.refused(ProgramError.TREE_FULL, stage.post_instruction(stage.creator, 50), stage.creator)
    late = stage.chain.wallet()
    stage.refused(ProgramError.TREE_FULL, stage.submit_instruction(late, 50), late)
    assert [e.name for e in stage.vote(stage.creator, pending).events] == ["VoteCast"]
    assert stage.thread.pending_count == 1


def test_identities_come_from_the_signer() -> None:
    """The content hash on chain is the one that a client computes beforehand."""
    stage = Stage()
    stage.must(stage.post_instruction(stage.creator, 77), stage.creator)
    content_hash = identity.content_hash(stage.thread_id, stage.creator.key, 77, body_hash(77))
    assert stage.message(content_hash).content_hash == content_hash
    assert stage.thread.thread_id == identity.thread_id(stage.creator.key, 0)
