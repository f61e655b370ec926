"""The model of the program shares no code with the program's client, and computes the same hashes and addresses."""

from __future__ import annotations

import ast
from pathlib import Path

from solders.pubkey import Pubkey

import chorale.domain.model
from chorale.domain.model import hashing
from programs import identity, merkle
from programs.wire import key_text

MODEL = Path(chorale.domain.model.__file__).parent
DOMAIN = {"chorale.domain.accounts", "chorale.domain.program_errors"}
STANDARD = {"__future__", "collections.abc", "copy", "dataclasses", "enum", "functools", "hashlib", "struct", "typing"}


def test_it_imports_the_standard_library_and_two_tables() -> None:
    """Names of statuses and errors are all that it shares with the rest."""
    imported = set()
    for path in MODEL.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")
    assert imported - STANDARD <= DOMAIN | {name for name in imported if name.startswith("chorale.domain.model")}
    assert {"hashlib", "chorale.domain.program_errors"} <= imported


def test_its_addresses_are_the_runtimes() -> None:
    """The canonical address and bump of 200 seeds, and of seeds whose first bumps are points of the curve."""
    program = hashing.digest(b"some program")
    bumps = set()
    for number in range(200):
        seeds = [b"message", hashing.digest(bytes([number])), number.to_bytes(4, "little")]
        expected, bump = Pubkey.find_program_address(seeds, Pubkey(program))
        assert hashing.derived(program, *seeds) == (bytes(expected), bump)
        bumps.add(bump)
    assert len(bumps) > 3


def test_its_identities_are_the_clients() -> None:
    """Thread ids and content hashes, written twice, agree."""
    author, body = hashing.digest(b"author"), hashing.digest(b"body")
    thread = hashing.thread_id(author, 7)
    assert thread.hex() == identity.thread_id(key_text(author), 7)
    expected = identity.content_hash(thread.hex(), key_text(author), 2**64 - 1, body.hex())
    assert hashing.content_hash(thread, author, 2**64 - 1, body).hex() == expected


def test_its_tree_is_the_definition_and_the_clients() -> None:
    """Appending leaf by leaf gives the root by definition, and the frontier and root of the client."""
    hashes = [hashing.digest(bytes([number])) for number in range(40)]
    frontier, root = [bytes(32)] * 20, hashing.EMPTY[-1]
    for count, content_hash in enumerate(hashes):
        frontier, root = hashing.appended(frontier, count, content_hash)
        leaves = [hashing.leaf(each) for each in hashes]
        assert root == hashing.root_of(leaves.__getitem__, count + 1)
    slots, _, expected = merkle.fold(each.hex() for each in hashes)
    assert (tuple(slot.hex() for slot in frontier), root.hex()) == (slots, expected)


def test_a_tree_filled_beforehand_has_the_root_of_its_leaves() -> None:
    """Filling a tree with equal leaves in one step is the same as appending them one by one."""
    content_hash = hashing.digest(b"filler")
    filler = hashing.doubled(hashing.leaf(content_hash))
    frontier, root = [bytes(32)] * 20, hashing.EMPTY[-1]
    for count in range(13):
        frontier, root = hashing.appended(frontier, count, content_hash)
    assert root == hashing.root_of(lambda _: hashing.leaf(content_hash), 13, 13, filler)
    assert frontier == [filler[level] if 13 >> level & 1 else bytes(32) for level in range(20)]
