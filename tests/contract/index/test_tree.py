"""Merkle paths from stored subtrees equal those of the whole tree, for every leaf and count, however it grew."""

from __future__ import annotations

import sqlite3
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasources.index import tree
from datasources.index.schema import TABLES
from programs import merkle
from tests.contract.index.samples import hash_of


def database() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.executescript(TABLES)
    return connection


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=6))
def test_paths_of_every_leaf_at_every_count(steps: list[int]) -> None:
    """However many leaves are appended at a time, earlier counts keep their paths."""
    connection = database()
    hashes: list[str] = []
    for step in steps:
        added = [hash_of(len(hashes) + n) for n in range(step)]
        root = tree.append(connection, 1, len(hashes), added)
        hashes += added
        assert root == merkle.root_of(hashes)
    for count in {1, len(hashes) // 2, max(len(hashes) - 1, 0), len(hashes)} & set(range(1, len(hashes) + 1)):
        for leaf in range(count):
            path = tree.path(connection, 1, leaf, count)
            assert path == merkle.path_of(hashes[:count], leaf)


def test_numbers_are_those_of_completion() -> None:
    """Subtrees are numbered without a hole in the order in which leaves complete them."""
    numbers = [
        tree.node_number(level, ((leaf + 1) >> level) - 1)
        for leaf in range(1024)
        for level in range(11)
        if (leaf + 1) % (1 << level) == 0
    ]
    assert numbers == list(range(len(numbers)))


def test_a_path_reads_at_most_forty_nodes() -> None:
    """In the largest trees, on either side of the cut and in a full one."""
    reads: list[int] = []
    connection = database()
    connection.set_trace_callback(lambda sql: reads.append(sql.count(",")) if "FROM nodes" in sql else None)
    for count in (merkle.CAPACITY, merkle.CAPACITY - 1, 2**19 + 1, 0b10101010101010101010):
        for leaf in (0, count // 2, count - 1):
            with pytest.raises(KeyError):  # no such tree is stored: only the question counts
                tree.path(connection, 1, leaf, count)
    assert max(reads) <= 40


def test_a_full_tree_has_its_root() -> None:
    """The last leaf completes the root itself; nothing is left to fold."""
    connection = database()
    random = Random(1)
    top = {(level, 0): hash_of(random.random()) for level in range(merkle.DEPTH + 1)}
    top |= {(level, 1): hash_of(random.random()) for level in range(merkle.DEPTH)}
    connection.executemany(
        "INSERT OR REPLACE INTO nodes VALUES (1, ?, ?)",
        [(tree.node_number(*place), bytes.fromhex(node)) for place, node in top.items()],
    )
    assert tree.path(connection, 1, 0, merkle.CAPACITY) == tuple(top[level, 1] for level in range(merkle.DEPTH))
