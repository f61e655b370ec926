"""Several keepers do each piece of work once: whoever is late pays nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from solders.signature import Signature

from chorale.domain.ports import Chain
from chorale.keeper import Keeper
from chorale.keeping.claims import Claim, Claims
from datasources.cache.sqlite import open_sqlite_sessions
from datasources.solana.signer import FileSigner
from tests.keeper.field import LIMITS, Field, counted, done
from tests.patience import PATIENCE

MESSAGES = 6
IMPATIENT = replace(LIMITS, keeper_first_pause=0.0, keeper_longest_pause=0.0)


async def prepared(land: Field) -> list[str]:
    """Addresses of messages whose windows have passed, by authors who can be refunded."""
    ana, ben = await land.actor(), await land.actor()
    thread_id = await land.thread(ana)
    addresses = [land.address(thread_id, await land.submit(ben, thread_id)) for _ in range(MESSAGES)]
    await land.expire_all()
    return addresses


async def all_done(keepers: list[Keeper]) -> None:
    """Let keepers run side by side until everything is done."""
    for keeper in keepers:
        keeper.start()
    async with asyncio.timeout(PATIENCE):
        while sum(done(keeper).get("refund", 0) for keeper in keepers) < MESSAGES:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)  # whatever else would be sent


async def check(land: Field, addresses: list[str], keepers: list[Keeper]) -> None:
    """Each message was submitted, expired and refunded, and nothing else; fees were paid for that alone."""
    for address in addresses:
        assert await land.landed_on(address) == 3
    assert sum(done(keeper)["expire"] for keeper in keepers if "expire" in done(keeper)) == MESSAGES
    assert sum([len(await land.paid_by(keeper)) for keeper in keepers]) == 2 * MESSAGES
    for keeper in keepers:
        assert counted(keeper, "failed") == counted(keeper, "unknown") == [0, 0, 0, 0]
        sent = sum(counted(keeper, "sent"))
        assert keeper.report().spent == 5_000 * sent
        await keeper.lamports()
        assert keeper.report().spent == 5_000 * sent  # nor does the balance tell of more


async def test_keepers_that_share_a_store_share_the_work(land: Field) -> None:
    """Three keepers with one store: nothing of theirs is even refused on chain."""
    addresses = await prepared(land)
    async with (
        open_sqlite_sessions(land.folder / "shared.sqlite3") as store,
        land.keeper(store=store, limits=IMPATIENT) as one,
        land.keeper(store=store, limits=IMPATIENT) as two,
        land.keeper(store=store, limits=IMPATIENT) as three,
    ):
        keepers = [one, two, three]
        await all_done(keepers)
        await check(land, addresses, keepers)


async def test_keepers_on_one_file_share_the_work(land: Field) -> None:
    """A server and a command of the same data directory each open the file of claims."""
    addresses = await prepared(land)
    async with land.keeper("same", limits=IMPATIENT) as one, land.keeper("same", limits=IMPATIENT) as two:
        await all_done([one, two])
        await check(land, addresses, [one, two])


async def test_keepers_that_share_nothing_do_it_once_too(land: Field) -> None:
    """Without a common store whoever is late is refused before it lands, for no fee."""
    addresses = await prepared(land)
    async with land.keeper("one", limits=IMPATIENT) as one, land.keeper("two", limits=IMPATIENT) as two:
        await all_done([one, two])
        await check(land, addresses, [one, two])


async def test_one_keypair_in_two_keepers(land: Field) -> None:
    """The same fee payer twice is no worse than two."""
    addresses = await prepared(land)
    signer: FileSigner = await land.signer()
    async with (
        land.keeper("one", signer=signer, limits=IMPATIENT) as one,
        land.keeper("two", signer=signer, limits=IMPATIENT) as two,
    ):
        one.start()
        two.start()
        async with asyncio.timeout(PATIENCE):
            while any([await land.landed_on(address) < 3 for address in addresses]):
                await asyncio.sleep(0.05)
    for address in addresses:
        assert await land.landed_on(address) == 3
    assert len(await land.paid_by(one)) == 2 * MESSAGES


async def test_a_claim_is_dropped_once_and_only_when_its_transaction_is_dead(land: Field) -> None:
    """While a transaction may land nobody else begins; after that, one of many who find it so does."""
    chain: Chain = land.chain
    async with open_sqlite_sessions(land.folder / "claims.sqlite3") as store:
        claims = [Claims(store, chain, "genesis", 600) for _ in range(5)]
        claim = Claim("keeper", "1" * 64, await chain.block_height())
        assert await claims[0].is_free("expire:x", 0)
        assert await claims[0].take("expire:x", claim)
        assert not await claims[1].take("expire:x", claim)
        assert not any([await each.is_free("expire:x", 0) for each in claims])
        await land.running.rpc("chorale_advanceSlots", {"slots": 151})
        free = await asyncio.gather(*(each.is_free("expire:x", 0) for each in claims))
        assert sorted(free) == [False, False, False, False, True]
        newer = Claim("other", str(Signature.new_unique()), await chain.block_height())
        assert await claims[2].take("expire:x", newer)
        assert not any([await each.is_free("expire:x", 0) for each in claims])


async def test_claims_of_other_deployments_are_others(land: Field) -> None:
    async with open_sqlite_sessions(land.folder / "claims.sqlite3") as store:
        claim = Claim("keeper", "1" * 64, await land.chain.block_height())
        assert await Claims(store, land.chain, "one", 600).take("sweep:x", claim)
        assert await Claims(store, land.chain, "two", 600).take("sweep:x", claim)
