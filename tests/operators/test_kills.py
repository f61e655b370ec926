"""A server killed in the middle of an operator's mutation: sent again it is done once, and every flow is told."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import httpx
import pytest

from tests import operations
from tests.operators.people import deposit, explained
from tests.operators.test_treasury import history, plain
from tests.stack import Actor, Json, running_stack

ROUNDS = 5
LONGEST = 0.12  # s from the request to the kill; an undisturbed one takes about as long


async def withdraw(admin: Actor, signed: Json) -> str:
    """Send it, as a client that may lose its server; the type of the answer, "" for none."""
    try:
        body = await admin.execute(operations.MUTATE["withdrawTreasury"], {"input": signed})
    except (httpx.HTTPError, ValueError):
        return ""
    return "" if body.get("data") is None else str(body["data"]["withdrawTreasury"]["__typename"])


@pytest.mark.faults
async def test_a_withdrawal_is_made_once_however_often_the_server_dies(tmp_path: Path, models: Path) -> None:
    """Whenever the kill comes: the same signed transaction, sent again, has one effect."""
    moments = random.Random(4)
    with running_stack(tmp_path / "data", models) as server:
        admin = Actor(server, server.chain.admin)
        await admin.sign_in()
        await deposit(server, await server.actor(), 10_000)
        await explained(server)
        answers = []
        for number in range(1, ROUNDS + 1):
            signed = await admin.signed("withdrawTreasury", amount=str(number))
            asking = asyncio.create_task(withdraw(admin, signed))
            await asyncio.sleep(moments.uniform(0, LONGEST))
            server.kill()
            answers.append(await asking)
            server.start()
            again = await withdraw(admin, signed)
            if again == "TransactionExpired":  # a busy machine took a minute to start, and it had never been sent
                again = (await admin.act("withdrawTreasury", amount=str(number)))["__typename"]
            assert again == "WithdrawTreasurySuccess"
        found = await explained(server, first=100)
        assert found["withdrawn"]["amount"] == str(sum(range(1, ROUNDS + 1)))
        assert plain(found["flows"]["nodes"]) == await history(server)
        assert (await server.data_of(operations.READ_PROTOCOL))["protocol"]["missingChanges"] == 0
        assert "" in answers  # at least one was cut off
