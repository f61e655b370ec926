"""Inside `serve` the keeper is on by default, and whoever watches a thread sees what it does."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.chains import APPROVAL_WINDOW
from tests.patience import PATIENCE
from tests.stack import RunningServer, running_stack

KEEPER = """query Keeper {
  keeper { address lamports state budget spent pending lastPass nextDue lastError
    instructions { duty sent confirmed failed unknown refused skipped lamports } }
}"""
EVENTS = """subscription Events($threadId: Hash!) {
  threadEvents(threadId: $threadId) {
    __typename
    ... on MessageExpired { message { contentHash status } }
    ... on StakeRefunded { message { contentHash } }
  }
}"""


async def confirmed(server: RunningServer, token: str | None) -> dict[str, int]:
    """Counters above 0."""
    keeper = (await server.data_of(KEEPER, None, token))["keeper"]
    return {each["duty"]: int(each["confirmed"]) for each in keeper["instructions"] if each["confirmed"] != "0"}


async def test_subscribers_see_what_the_keeper_does(tmp_path: Path, models: Path) -> None:
    """Nobody expires or refunds by hand; the leap of the clock alone brings both events."""
    settings = {"CHORALE_KEEPER": "", "CHORALE_KEEPER_GRACE": "0"}
    with running_stack(tmp_path / "data", models, None, **settings) as server:
        ana, ben = await server.actor(), await server.actor()
        thread_id = await ana.create_thread()
        content_hash = (await ben.act("submitMessage", threadId=thread_id, body="A line", stake="1000000"))["message"]
        body: dict[str, Any] = await server.execute(KEEPER)
        assert body["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        async with ana.subscribed(EVENTS, {"threadId": thread_id}) as events:
            await server.chain.advance_clock(APPROVAL_WINDOW + 1)
            first = (await events.next())["threadEvents"]
            assert first == {
                "__typename": "MessageExpired",
                "message": {"contentHash": content_hash["contentHash"], "status": "EXPIRED"},
            }
            second = (await events.next())["threadEvents"]
            assert second["__typename"] == "StakeRefunded"
        async with asyncio.timeout(PATIENCE):
            while await confirmed(server, ana.token) != {"EXPIRE": 1, "REFUND": 1}:
                await asyncio.sleep(0.05)
        keeper = (await ana.ask(KEEPER))["keeper"]
        assert (keeper["state"], keeper["lastError"], keeper["spent"]) == ("RUNNING", None, "10000")
        assert (keeper["pending"], keeper["nextDue"]) == ("0", None)
        assert server.stop() == 0
        log = server.log.read_text()
        assert "keeper did=expire account=" in log
        assert "Traceback" not in log


async def test_a_server_without_one(server: RunningServer) -> None:
    """CHORALE_KEEPER=0."""
    ana = await server.actor()
    assert await ana.ask(KEEPER) == {"keeper": None}
