"""What a transaction did to a token account, and that an account changed, is told alike on every chain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chorale.domain.ports import Chain
from chorale.domain.treasury import BalanceChange
from datasources.solana.client import open_chain
from tests.chains import RunningChain, mint_to
from tests.patience import PATIENCE


@pytest.fixture(params=["localnet", pytest.param("validator", marks=pytest.mark.validator)])
def running(request: pytest.FixtureRequest) -> RunningChain:
    chain: RunningChain = request.getfixturevalue(request.param)
    return chain


@pytest.fixture
async def chain(running: RunningChain) -> AsyncIterator[Chain]:
    async with open_chain(running.rpc_url, "", running.program_id) as chain:
        yield chain


async def told(chain: Chain, account: str, signature: str) -> BalanceChange:
    """The change, once the node serves the transaction."""
    for _ in range(100):
        [change] = await chain.balance_changes(account, [signature])
        if change is not None:
            return change
        await asyncio.sleep(0.05)
    raise AssertionError("the transaction does not show")


async def mint(running: RunningChain, account: str, amount: int) -> str:
    """Tokens into `account`."""
    part = mint_to(Pubkey.from_string(running.mint), Pubkey.from_string(account), running.admin.pubkey(), amount)
    return await running.send([part], [running.admin])


async def test_the_change_of_one_account(chain: Chain, running: RunningChain) -> None:
    """What came in; nothing for an account that the transaction left alone; nothing known of an unknown one."""
    wallet = await running.wallet()
    account = running.addresses.associated_token_account(str(wallet.pubkey()), running.mint)
    signature = await mint(running, account, 1_234)
    change = await told(chain, account, signature)
    assert (change.amount, change.record.signature, change.record.succeeded) == (1_234, signature, True)
    assert (await told(chain, running.addresses.treasury(), signature)).amount == 0
    assert await chain.balance_changes(account, []) == []
    unknown = str(Keypair().sign_message(b"never sent"))
    assert await chain.balance_changes(account, [unknown]) == [None]


async def test_a_new_account_begins_with_nothing(chain: Chain, running: RunningChain) -> None:
    """The transaction that makes an account and fills it brought all that is in it."""
    wallet = Keypair()
    account = running.addresses.associated_token_account(str(wallet.pubkey()), running.mint)
    await running.fund(str(wallet.pubkey()), tokens=55)
    [entry] = await chain.history(account)
    assert (await told(chain, account, entry.signature)).amount == 55


async def test_changes_of_an_account_are_heard(chain: Chain, running: RunningChain) -> None:
    """From the subscription on, each with its slot."""
    wallet = await running.wallet()
    account = running.addresses.associated_token_account(str(wallet.pubkey()), running.mint)
    async with aclosing(chain.account_changes(account)) as changes:
        first = asyncio.ensure_future(anext(changes))
        async with asyncio.timeout(PATIENCE):
            for amount in range(1, 100):  # until the subscription stands
                await mint(running, account, amount)
                await asyncio.wait((first,), timeout=0.5)
                if first.done():
                    break
        slot = await first
        assert 0 < slot <= await chain.slot()
