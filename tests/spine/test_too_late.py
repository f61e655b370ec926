"""Once a message's window has passed: on the embedded chain, whose clock is moved, and on a validator whose windows end
within seconds."""

from __future__ import annotations

import pytest
import pytest_asyncio

from chorale.domain.commands import ExpireMessage, PreparedTransaction
from chorale.domain.updates import Refusal
from tests.chains import RunningChain
from tests.spine.desk import Desk
from tests.spine.parts import Actor
from tests.spine.test_payout_destinations import signed_by

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture(
    scope="session",
    params=["localnet", pytest.param("brief_validator", marks=[pytest.mark.validator, pytest.mark.brief])],
)
def running(request: pytest.FixtureRequest) -> RunningChain:
    chain: RunningChain = request.getfixturevalue(request.param)
    return chain


@pytest_asyncio.fixture(loop_scope="session")
async def ana(running: RunningChain) -> Actor:
    """On this file's chain, not the one of the tests beside it."""
    return Actor(running, await running.wallet())


@pytest_asyncio.fixture(loop_scope="session")
async def ben(running: RunningChain) -> Actor:
    """The same."""
    return Actor(running, await running.wallet())


async def test_late_votes_are_refused(desk: Desk, ana: Actor, ben: Actor) -> None:
    """Preparing one tells what the program would say; one that is sent is answered so, and changes nothing."""
    thread_id = (await desk.create(ana)).content.key.thread_id
    pending = await desk.submit(ben, thread_id, "Decide in time")
    await desk.running.pass_window()
    told = await desk.preparer.cast_vote(ana.key, pending.hash, True)
    assert isinstance(told, Refusal)
    before = await desk.picture()
    refusal = await desk.refused(await desk.ballot(ana, thread_id, pending.hash, approve=True))
    assert await desk.picture() == before
    for each in (told, refusal):
        assert (each.problem, each.code) == ("NotAllowedNow", "WINDOW_CLOSED")


async def test_an_overdue_message_costs_its_sender_the_fee_alone(desk: Desk, ana: Actor, ben: Actor) -> None:
    """Nobody else signs; the sender is who it is shown for."""
    thread_id = (await desk.create(ana)).content.key.thread_id
    late = (await desk.submit(ben, thread_id, "Late")).hash
    await desk.running.pass_window()
    eve = Actor(desk.running, await desk.running.wallet())
    assert isinstance(await desk.preparer.expire_message(eve.key, late), Refusal)
    answer = await desk.preparer.expire_message(eve.key, late, viewer=ana.key)
    assert isinstance(answer, PreparedTransaction), answer
    assert (answer.fee_lamports, answer.rent_lamports, answer.fee_payer) == (5_000, 0, eve.key)
    result = await desk.run(ExpireMessage(signed_transaction=signed_by(answer, eve)))
    assert result.wallet == eve.key
    assert result.message is not None
    assert (result.message.status.value, result.message.escrow_remaining) == ("EXPIRED", result.message.stake)
