"""A query ends by its deadline, whatever it waits for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chorale.limits import Limits
from resolvers.transport.results import is_request_error, response_body
from tests.graphql.stack import Stack, Story

pytestmark = pytest.mark.asyncio(loop_scope="session")

TITLE = "query ($t: Hash!) { thread(threadId: $t) { title } }"


@pytest.fixture
def stuck(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A chain that never answers."""

    async def accounts(*_: Any, **__: Any) -> Any:
        await asyncio.Event().wait()

    limited = stack.with_limits(execution_timeout=0.2)
    monkeypatch.setattr(limited.chain, "accounts", accounts)
    return limited


async def test_a_query_that_waits_too_long_is_given_up(stuck: Stack, story: Story) -> None:
    """TIMEOUT, over HTTP and over WebSocket alike; what waited is cancelled."""
    async with asyncio.timeout(Limits().execution_timeout):  # for both, and neither by that limit
        answer = await stuck.run(TITLE, t=story.thread_id)
        streamed = [
            result
            async for result in await stuck.schema.stream(
                TITLE, variable_values={"t": story.thread_id}, context_value=stuck.context()
            )
        ]
    assert answer.data is None and answer.codes == ["TIMEOUT"]
    [result] = streamed
    assert response_body(result)["data"] is None  # type: ignore[arg-type]
    assert not is_request_error(result)  # type: ignore[arg-type]
