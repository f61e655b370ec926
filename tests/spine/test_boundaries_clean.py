"""A house in order verifies as such, however much is written meanwhile."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from datasources.embeddings import FastEmbedder
from tests.chains import running_localnet
from tests.spine.checked import House, begin_thread, publish
from tests.spine.parts import Actor, open_parts

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_nothing_is_found_in_a_house_that_is_written_to(embedder: FastEmbedder, tmp_path: Path) -> None:
    """Complete verifications and samples that run beside posts, submissions and votes report no conflict."""
    # A chain of its own: on the others' there are hashes whose bytes nobody has.
    async with AsyncExitStack() as stack:
        (tmp_path / "chain").mkdir()
        running = stack.enter_context(running_localnet(tmp_path / "chain"))
        parts = await stack.enter_async_context(open_parts(running, embedder, tmp_path))
        ana, ben = Actor(running, await running.wallet()), Actor(running, await running.wallet())
        await stack.enter_async_context(parts.watch())
        thread_id = (await begin_thread(parts, ana, "Under construction")).content.key.thread_id
        house = House(parts, tmp_path)
        writing = True

        async def post() -> None:
            count = 0
            while writing:
                await publish(parts, ana, thread_id, [f"Post {count} {n}" for n in range(8)])
                count += 1

        async def submit() -> None:
            while writing:
                draft = ben.submit(thread_id, f"Submission {time.monotonic_ns()}")
                await parts.stage(draft.content)
                await ben.send(draft.instruction)
                await ana.send(ana.vote(thread_id, draft.hash, approve=False))

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(post())
            tasks.create_task(submit())
            for _ in range(4):
                for complete in (True, False):
                    found = await house.found(complete=complete)
                    assert [(each.name, each.conflicts) for each in found.values() if each.conflicts] == []
            writing = False
        found = await house.found()
        assert sum(each.conflicts for each in found.values()) == 0
