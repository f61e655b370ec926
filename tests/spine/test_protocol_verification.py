"""What concerns the protocol is verified against chain and index, and a difference is told in words."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from chorale.domain.errors import StaleReadError
from chorale.update.protocol_verification import verify_protocol
from tests.chains import MINIMUM_STAKE, RunningChain
from tests.spine.protocol_bench import Bench, opened, own_chain


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningChain]:
    with own_chain(tmp_path_factory.mktemp("protocol")) as running:
        yield running


@pytest.fixture
async def bench(chain: RunningChain, tmp_path: Path) -> AsyncIterator[Bench]:
    async with opened(chain, tmp_path) as made:
        yield made


def tamper(folder: Path, statement: str) -> None:
    """Change the index behind its back."""
    [file] = folder.glob("index-*.sqlite3")
    connection = sqlite3.connect(file)
    connection.execute(statement)
    connection.commit()
    connection.close()


async def test_equal_is_verified(bench: Bench) -> None:
    """Parameters and a payment, also where later changes have followed."""
    await bench.mint(100)
    first = await bench.configure(MINIMUM_STAKE + 1)
    paid = await bench.send(bench.withdrawal(40))
    await bench.configure(MINIMUM_STAKE + 2)
    await bench.lane.look()
    for signature in (first, paid):
        verified = await verify_protocol(bench.lane, signature, 0, 2)
        assert (verified.conflict, verified.remark) == (None, None)
        assert verified.entities.slot > 0


async def test_an_index_that_is_behind_is_brought_up(bench: Bench) -> None:
    """By a look of its own."""
    signature = await bench.configure(MINIMUM_STAKE + 3)
    verified = await verify_protocol(bench.lane, signature, 0, 2)
    assert (verified.conflict, verified.remark) == (None, None)


async def test_what_does_not_come_is_no_conflict(bench: Bench) -> None:
    """A node that does not serve the history leaves it open."""
    signature = await bench.configure(MINIMUM_STAKE + 4)
    bench.chain.serves = False
    with pytest.raises(StaleReadError):
        await verify_protocol(bench.lane, signature, 0, 1)


async def test_a_kept_change_that_differs_is_told(bench: Bench, tmp_path: Path) -> None:
    """From what the transaction's own events say."""
    await bench.mint(100)
    signature = await bench.send(bench.withdrawal(7))
    await bench.lane.look()
    tamper(tmp_path, "UPDATE protocol_changes SET amount = 8 WHERE amount = 7")
    conflict = (await verify_protocol(bench.lane, signature, 0, 1)).conflict
    assert conflict is not None
    assert "amount=8" in conflict and "amount=7" in conflict


async def test_parameters_that_differ_from_the_account_are_told(bench: Bench, tmp_path: Path) -> None:
    """Also where they are another transaction's."""
    await bench.mint(100)
    signature = await bench.send(bench.withdrawal(9))
    await bench.lane.look()
    tamper(tmp_path, "UPDATE protocol_changes SET minimum_stake = 1 WHERE kind = 'CONFIGURED'")
    conflict = (await verify_protocol(bench.lane, signature, 0, 1)).conflict
    assert conflict is not None
    assert conflict.startswith("minimum_stake is 1, the chain's ")


async def test_a_balance_beyond_the_flows_is_a_remark(bench: Bench) -> None:
    """A deposit that has not been found yet is nobody's fault."""
    await bench.mint(100)
    await bench.lane.look()
    signature = await bench.send(bench.withdrawal(3))
    await bench.lane.settle(signature)
    await bench.mint(5)
    verified = await verify_protocol(bench.lane, signature, 0, 1)
    assert verified.conflict is None
    assert verified.remark == "the treasury differs by 5 base units from what its known flows make"
