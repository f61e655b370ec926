"""withdrawTreasury: the admin pays out of the reserve, and nobody else."""

from __future__ import annotations

from base64 import b64encode

from solders.keypair import Keypair

from programs import instructions
from programs.associated import create_associated_account
from tests import operations
from tests.operators.people import deposit, explained, sweep, treasury
from tests.stack import Actor, RunningServer


async def test_what_is_withdrawn_arrives_and_is_told(house: RunningServer, admin: Actor) -> None:
    """The payload has balance, sums and version after the payment; the admin's tokens grow by it."""
    await sweep(house, 4_000_000)
    before, held = await explained(house), await admin.tokens()
    payload = await admin.act("withdrawTreasury", amount="1500000")
    assert payload["update"]["outcome"] == "VERIFIED"
    assert [step["state"] for step in payload["update"]["steps"]] == ["DONE"] * 4
    assert {step["detail"] for step in payload["update"]["steps"]} == {None}
    now = payload["treasury"]
    assert int(now["balance"]["amount"]) == int(before["balance"]["amount"]) - 1_500_000
    assert int(now["withdrawn"]["amount"]) == int(before["withdrawn"]["amount"]) + 1_500_000
    assert payload["protocol"]["treasury"] == now["balance"]
    assert now["version"] == payload["protocol"]["version"] == before["version"] + 1
    assert await admin.tokens() == (held or 0) + 1_500_000
    listed = [flow["signature"] for flow in (await treasury(house))["flows"]["nodes"]]
    assert payload["update"]["signature"] in listed


async def test_the_associated_account_is_made_where_it_is_missing(house: RunningServer, admin: Actor) -> None:
    """For an admin who has never held the token."""
    await sweep(house, 2_000_000)
    heir = await house.actor(tokens=0)
    handed = await admin.prepare("configure", admin=heir.address)
    await admin.mutate("configure", {"signedTransaction": heir.sign(admin.sign(handed["transaction"]))})
    try:
        prepared = await heir.prepare("withdrawTreasury", amount="1000")
        assert int(prepared["rentLamports"]) > 0
        payload = await heir.mutate("withdrawTreasury", {"signedTransaction": heir.sign(prepared["transaction"])})
        assert payload["update"]["outcome"] == "VERIFIED"
        assert await heir.tokens() == 1000
    finally:
        back = await heir.prepare("configure", admin=admin.address)
        await heir.mutate("configure", {"signedTransaction": admin.sign(heir.sign(back["transaction"]))})


async def test_strangers_get_nothing(house: RunningServer, admin: Actor) -> None:
    """Refused before anything is sent, whoever's transaction it is; the balance stays."""
    await deposit(house, await house.actor(), 50)
    before = (await explained(house))["balance"]
    eve = await house.actor()
    mutation, prepare = operations.MUTATE["withdrawTreasury"], operations.PREPARE["withdrawTreasury"]
    destination = house.chain.addresses.associated_token_account(eve.address, house.chain.mint)
    part = instructions.withdraw_treasury(house.chain.addresses, admin=eve.address, destination=destination, amount=1)
    forged = {"signedTransaction": b64encode(await house.chain.sign([part], [eve.keypair])).decode()}
    for body in (
        await eve.execute(mutation, {"input": forged}),
        await eve.execute(mutation, {"input": await admin.signed("withdrawTreasury", amount="1")}),
        await eve.execute(prepare, {"wallet": eve.address, "amount": "1"}),
    ):
        assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]
    refused = await admin.mutate("withdrawTreasury", forged)
    assert (refused["__typename"], refused["code"]) == ("TransactionInvalid", "UNAUTHORIZED")
    assert (await treasury(house))["balance"] == before


async def test_amounts_and_destinations_that_cannot_be(house: RunningServer, admin: Actor) -> None:
    """Nothing, more than there is, another's account, an account that is none: told before anything is signed."""
    await deposit(house, await house.actor(), 50)
    held = int((await explained(house))["balance"]["amount"])
    none = await admin.prepare("withdrawTreasury", amount="0")
    assert (none["__typename"], none["field"]) == ("InvalidInput", "amount")
    much = await admin.prepare("withdrawTreasury", amount=str(held + 1))
    assert (much["__typename"], much["code"]) == ("InsufficientFunds", "TREASURY_TOO_LOW")
    eve = await house.actor()
    theirs = house.chain.addresses.associated_token_account(eve.address, house.chain.mint)
    for destination in (theirs, house.chain.addresses.treasury(), str(Keypair().pubkey())):
        refused = await admin.prepare("withdrawTreasury", amount="1", destination=destination)
        assert (refused["__typename"], refused["code"]) == ("NotAllowedNow", "INVALID_DESTINATION")


async def test_more_than_is_left_is_refused_when_it_is_sent(house: RunningServer, admin: Actor) -> None:
    """The treasury may have been emptied since the preparation; nothing is sent then."""
    await deposit(house, await house.actor(), 50)
    held = int((await explained(house))["balance"]["amount"])
    late = await admin.signed("withdrawTreasury", amount=str(held))
    await admin.act("withdrawTreasury", amount="1")
    refused = await admin.mutate("withdrawTreasury", late)
    assert (refused["__typename"], refused["code"]) == ("InsufficientFunds", "TREASURY_TOO_LOW")


async def test_only_the_admins_own_account_may_be_made_beside_it(house: RunningServer, admin: Actor) -> None:
    """A transaction that also makes somebody else's account is not the one that was asked for."""
    await deposit(house, await house.actor(), 50)
    own = house.chain.addresses.associated_token_account(admin.address, house.chain.mint)
    parts = [
        create_associated_account(payer=admin.address, owner=str(Keypair().pubkey()), mint=house.chain.mint),
        instructions.withdraw_treasury(house.chain.addresses, admin=admin.address, destination=own, amount=1),
    ]
    raw = await house.chain.sign(parts, [admin.keypair])
    refused = await admin.mutate("withdrawTreasury", {"signedTransaction": b64encode(raw).decode()})
    assert (refused["__typename"], refused["code"]) == ("TransactionInvalid", "FOREIGN_INSTRUCTION")
