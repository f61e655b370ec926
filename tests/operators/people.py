"""What the tests of this folder do over and over: bring something into the treasury, and ask what is in it."""

from __future__ import annotations

import asyncio
from typing import Any

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from programs.addresses import TOKEN_PROGRAM
from tests import operations
from tests.patience import PATIENCE
from tests.stack import Actor, RunningServer

_TRANSFER = 3


async def split(house: RunningServer, stake: int) -> tuple[Actor, str]:
    """A thread whose co-authors disagreed on a message, so that it owes `stake` to the treasury; its creator."""
    ana, ben, cara = [await house.actor() for _ in range(3)]
    thread_id = await ana.create_thread("A thread with quarrels")
    joins = await ben.submit(thread_id, "May I join?", 20_000_000)
    await ana.act("castVote", contentHash=joins, approve=True)
    disputed = await cara.submit(thread_id, "Left is right.", stake)
    await ana.act("castVote", contentHash=disputed, approve=True)
    await ben.act("castVote", contentHash=disputed, approve=False)
    return ana, thread_id


async def sweep(house: RunningServer, stake: int) -> tuple[str, str]:
    """Thread id and signature of a sweep of `stake` base units."""
    ana, thread_id = await split(house, stake)
    payload = await ana.act("sweepThread", threadId=thread_id)
    return thread_id, payload["update"]["signature"]


async def deposit(house: RunningServer, actor: Actor, amount: int) -> str:
    """Tokens straight into the treasury, past the program; the signature."""
    chain = house.chain
    source = chain.addresses.associated_token_account(actor.address, chain.mint)
    keys = [Pubkey.from_string(key) for key in (source, chain.addresses.treasury())]
    metas = [AccountMeta(key, False, True) for key in keys] + [AccountMeta(actor.keypair.pubkey(), True, False)]
    transfer = Instruction(Pubkey.from_string(TOKEN_PROGRAM), bytes([_TRANSFER]) + amount.to_bytes(8, "little"), metas)
    return await chain.send([transfer], [actor.keypair])


async def treasury(house: RunningServer, **paging: Any) -> Any:
    """The treasury as anybody sees it, its sums checked against each other. All flows where no page is asked for."""
    found = (await house.data_of(operations.READ_TREASURY, paging or {"first": 100}))["treasury"]
    amounts = {name: int(part["amount"]) for name, part in found.items() if isinstance(part, dict) and "amount" in part}
    explained = amounts["swept"] + amounts["deposited"] - amounts["withdrawn"]
    assert amounts["balance"] == explained + amounts["unexplainedIn"] - amounts["unexplainedOut"]
    return found


async def explained(house: RunningServer, **paging: Any) -> Any:
    """The treasury once nothing is unexplained any more."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await treasury(house, **paging)
            if found["unexplainedIn"]["amount"] == found["unexplainedOut"]["amount"] == "0":
                return found
            await asyncio.sleep(0.1)
