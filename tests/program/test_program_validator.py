"""All fourteen instructions run alike in LiteSVM, on the embedded chain and on Agave's validator: outcomes, errors,
events, balances, account bytes and compute units."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from typing import Any

import pytest

from chorale.domain.program_errors import ProgramError
from datasources.solana.localnet.keys import localnet_folder, write_keypair
from programs.interface import EVENTS, INSTRUCTIONS
from tests.chains import RunningChain, running_localnet
from tests.program.scenario.deployment import set_up
from tests.program.scenario.life import live
from tests.program.scenario.limits import fresh_harness, preloaded, reach_limits
from tests.program.scenario.people import ADMIN, MINT, PROGRAM
from tests.program.scenario.port import RENT, Chain, LiteSvmChain, RpcChain
from tests.program.scenario.transcript import Step
from tests.program.scenario.window import pass_the_window, shorten

Part = Callable[[Chain], Coroutine[Any, Any, list[Step]]]
SECONDS = 10  # no outcome depends on how many


async def told(rent: bytes = b"") -> dict[Part, list[Step]]:
    """What every part of the scenario tells in LiteSVM, under a cluster's rent sysvar if given."""
    first = LiteSvmChain(fresh_harness(rent=rent))
    second = LiteSvmChain(fresh_harness(rent=rent, preload=await preloaded(SECONDS)))
    parts: list[tuple[Part, Chain]]
    parts = [(set_up, first), (live, first), (reach_limits, second), (pass_the_window, second)]
    return {part: await part(chain) for part, chain in parts}


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RpcChain]:
    """The embedded chain with the scenario's keys; it initialises itself."""
    folder = tmp_path_factory.mktemp("embedded")
    keys = localnet_folder(folder) / "keys"
    keys.mkdir(parents=True)
    for name, keypair in (("program", PROGRAM), ("admin", ADMIN), ("mint", MINT)):
        write_keypair(keys / f"{name}.json", keypair)
    with running_localnet(folder) as running:
        yield RpcChain(running)


async def test_nothing_is_left_out() -> None:
    """Every instruction succeeds somewhere in the scenario, every error is met, every event is seen."""
    steps = [step for part in (await told()).values() for step in part]
    assert {step.instruction for step in steps if step.error is None} == set(INSTRUCTIONS)
    codes = {step.error["InstructionError"][1]["Custom"] for step in steps if step.error is not None}
    assert codes >= {int(error) for error in ProgramError}
    assert {event["name"] for step in steps for event in step.events} == set(EVENTS)


async def test_the_embedded_chain_tells_the_same(embedded: RpcChain) -> None:
    """The parts that need no preloaded account, its clock moved across the shortest window."""
    expected = await told()
    equal(await live(embedded), expected[live])
    await shorten(embedded)
    equal(await pass_the_window(embedded), expected[pass_the_window])


@pytest.mark.validator
async def test_agave_tells_the_same(validator: RunningChain) -> None:
    """A deployment set up, and the whole life of a thread."""
    chain = RpcChain(replace(validator, program_id=str(PROGRAM.pubkey())))
    expected = await told(await rent_of(chain))
    equal(await set_up(chain), expected[set_up])
    equal(await live(chain), expected[live])


@pytest.mark.brief
@pytest.mark.validator
async def test_agave_lets_time_pass_and_limits_be_met_the_same(brief_validator: RunningChain) -> None:
    """On the second ledger: windows that end in seconds, full threads and trees, 64 votes."""
    chain = RpcChain(brief_validator)
    expected = await told(await rent_of(chain))
    equal(await reach_limits(chain), expected[reach_limits])
    equal(await pass_the_window(chain), expected[pass_the_window])


async def rent_of(chain: Chain) -> bytes:
    """The cluster's rent sysvar. Clusters differ in how they write the same rent down, and reading costs units."""
    (sysvar,) = await chain.accounts([RENT])
    assert sysvar is not None
    return sysvar.data


def equal(found: list[Step], expected: list[Step]) -> None:
    """Step by step, so that the first difference is shown."""
    for ours, theirs in zip(found, expected, strict=True):
        assert ours == theirs, ours.title
