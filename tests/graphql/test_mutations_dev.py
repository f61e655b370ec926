"""Named wallets of the embedded chain: made and funded once however many ask, able to sign in and to sign."""

from __future__ import annotations

import asyncio
import stat
from datetime import datetime

from tests import operations
from tests.stack import RunningServer, unique

WALLET = """
mutation Wallet($name: String!, $lamports: U64, $tokens: U64) {
  devWallet(name: $name, lamports: $lamports, tokens: $tokens) { name address }
}"""
BALANCES = "query Balances($address: Pubkey!) { user(address: $address) { lamports tokenBalance { amount decimals } } }"
SIGN_IN = "mutation SignIn($name: String!) { devSignIn(name: $name) { token viewer { address } } }"
SIGN = "mutation Sign($name: String!, $transaction: Base64!) { devSign(name: $name, transaction: $transaction) }"
ADVANCE = "mutation Advance($seconds: Int!) { devAdvanceClock(seconds: $seconds) }"


def code(body: dict[str, list[dict[str, dict[str, str]]]]) -> str:
    """The code of the first error."""
    return body["errors"][0]["extensions"]["code"]


async def test_ten_at_once_make_one_wallet(server: RunningServer) -> None:
    """One key, one funding, readable by its owner alone."""
    name = unique("many").replace(" ", "-")
    asked = {"name": name, "lamports": "2000000000", "tokens": "5000000"}
    answers = await asyncio.gather(*(server.data_of(WALLET, asked) for _ in range(10)))
    addresses = {answer["devWallet"]["address"] for answer in answers}
    assert len(addresses) == 1
    await server.data_of(WALLET, {"name": name, "lamports": "9000000000", "tokens": "9"})
    user = (await server.data_of(BALANCES, {"address": addresses.pop()}))["user"]
    assert user == {"lamports": "2000000000", "tokenBalance": {"amount": "5000000", "decimals": 6}}
    key = server.data / "localnet" / "wallets" / f"{name}.json"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


async def test_a_named_wallet_signs(server: RunningServer) -> None:
    """Prepared for it, signed by it, sent in its session."""
    name = unique("signer").replace(" ", "-")
    session = (await server.data_of(SIGN_IN, {"name": name}))["devSignIn"]
    asked = {"wallet": session["viewer"]["address"], "title": "By name"}
    prepared = (await server.data_of(operations.PREPARE["createThread"], asked))["prepare"]["createThread"]
    variables = {"name": name, "transaction": prepared["transaction"]}
    signed = (await server.data_of(SIGN, variables))["devSign"]
    sent = {"input": {"signedTransaction": signed, "title": "By name", "salt": prepared["salt"]}}
    payload = (await server.data_of(operations.MUTATE["createThread"], sent, session["token"]))["createThread"]
    assert payload["__typename"] == "CreateThreadSuccess"
    stranger = unique("stranger").replace(" ", "-")
    assert code(await server.execute(SIGN, variables | {"name": stranger})) == "INVALID_INPUT"
    await server.data_of(WALLET, {"name": stranger})
    assert code(await server.execute(SIGN, variables | {"name": stranger})) == "INVALID_INPUT"
    assert code(await server.execute(SIGN, {"name": name, "transaction": "AAAA"})) == "INVALID_INPUT"


async def test_wrong_names_and_amounts(server: RunningServer) -> None:
    """Names stay inside their folder; amounts are what a chain can move."""
    for name in ("", "../keys/admin", "a/b", ".hidden", "x" * 33, "a\x00b", "ä"):
        assert code(await server.execute(WALLET, {"name": name})) == "INVALID_INPUT"
    poor = {"name": unique("poor").replace(" ", "-"), "lamports": "1"}
    assert code(await server.execute(WALLET, poor)) == "INVALID_INPUT"
    rich = {"name": unique("rich").replace(" ", "-"), "lamports": "18446744073709551615"}
    assert code(await server.execute(WALLET, rich)) == "INVALID_INPUT"
    for seconds in (0, -5, 2**31 - 1):
        assert code(await server.execute(ADVANCE, {"seconds": seconds})) == "INVALID_INPUT"


async def test_time_passes(server: RunningServer) -> None:
    """The chain's clock goes forward by what was asked."""
    before = (await server.data_of("{ chain { time } }"))["chain"]["time"]
    after = (await server.data_of(ADVANCE, {"seconds": 60}))["devAdvanceClock"]
    passed = datetime.fromisoformat(after) - datetime.fromisoformat(before)
    assert 60 <= passed.total_seconds() < 90
