"""On the embedded chain the wallet named `admin` is the protocol's admin: operators' mutations can be tried there."""

from __future__ import annotations

from tests import operations
from tests.graphql.test_mutations_dev import SIGN, SIGN_IN
from tests.stack import RunningServer


async def test_the_wallet_named_admin_configures(house: RunningServer) -> None:
    """It signs in as the admin that the chain names, and what it signs is obeyed."""
    session = (await house.data_of(SIGN_IN, {"name": "admin"}))["devSignIn"]
    wallet, token = session["viewer"]["address"], session["token"]
    assert wallet == (await house.data_of("{ protocol { admin } }"))["protocol"]["admin"]
    prepared = await house.data_of(operations.PREPARE["configure"], {"wallet": wallet}, token)
    transaction = prepared["prepare"]["configure"]["transaction"]
    signed = (await house.data_of(SIGN, {"name": "admin", "transaction": transaction}))["devSign"]
    sent = {"input": {"signedTransaction": signed}}
    done = (await house.data_of(operations.MUTATE["configure"], sent, token))["configure"]
    assert done["update"]["outcome"] == "VERIFIED"
