"""Once a message's window has passed: on the embedded chain, whose clock is moved, and on a validator whose windows end
within seconds."""

from __future__ import annotations

import pytest
import pytest_asyncio

from chorale.domain.updates import Refusal
from tests.chains import RunningChain
from tests.spine.desk import Desk
from tests.spine.parts import Actor

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
