"""The JSON-RPC envelope: batches, notifications, error codes, explicit nulls, commitments and minContextSlot."""

from __future__ import annotations

from typing import Any

import pytest
from solders.keypair import Keypair

from tests.contract.localnet.harness import SOL, Localnet

KEY = str(Keypair().pubkey())


def request(method: str, *params: Any, call_id: Any = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": call_id, "method": method, "params": params}


def test_batch(chain: Localnet) -> None:
    """A batch is answered whole and in order, errors beside results, notifications silently."""
    silent = {"jsonrpc": "2.0", "method": "getSlot"}
    answers = chain.post([request("getHealth", call_id="a"), silent, request("nope", call_id=2), 7])
    assert [answer["id"] for answer in answers] == ["a", 2, None]
    assert answers[0]["result"] == "ok"
    assert answers[1]["error"] == {"code": -32601, "message": "Method not found"}
    assert answers[2]["error"]["code"] == -32600


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b"[]", -32600),
        ({"jsonrpc": "2.0", "id": 1}, -32600),
        (request("nope"), -32601),
        (request("getBalance"), -32602),
        (request("getBalance", 5), -32602),
        (request("getBalance", "0OIl"), -32602),
        (request("getBalance", "abc"), -32602),
        (request("getBalance", KEY, {"minContextSlot": "x"}), -32602),
        (request("getAccountInfo", KEY, {"encoding": "nope"}), -32602),
        (request("getAccountInfo", KEY, {"dataSlice": {"offset": -1, "length": 1}}), -32602),
        (request("getMultipleAccounts", [KEY] * 101), -32602),
        (request("getProgramAccounts", KEY, {"filters": [{"dataSize": 1}] * 5}), -32602),
        (request("getProgramAccounts", KEY, {"filters": [{"memcmp": {"offset": 0, "bytes": "0OI"}}]}), -32602),
        (request("getSignatureStatuses", ["xx"]), -32602),
        (request("getSignaturesForAddress", KEY, {"limit": 1_001}), -32602),
        (request("getTransaction", "xx"), -32602),
        (request("isBlockhashValid", "xx"), -32602),
        (request("getTokenAccountBalance", KEY), -32602),
        (request("getTokenAccountsByOwner", KEY, {}), -32602),
        (request("getBlock", 10**9), -32004),
        (request("getBlockTime", 10**9), -32004),
        (request("chorale_advanceClock", 0), -32602),
        (request("chorale_advanceClock", -5), -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": "getBalance", "params": {"a": 1}}, -32602),
    ],
)
def test_errors(chain: Localnet, body: Any, code: int) -> None:
    """Each malformed call has the code that Solana gives it."""
    answer = chain.post(body)
    assert answer["error"]["code"] == code, answer
    assert answer["jsonrpc"] == "2.0" and "result" not in answer


def test_explicit_nulls_and_commitments(chain: Localnet) -> None:
    """Config fields may be null, configs may be missing, and every commitment is served."""
    nulls = {"encoding": "base64", "dataSlice": None, "commitment": None, "minContextSlot": None}
    assert chain.call("getAccountInfo", KEY, nulls)["value"] is None
    assert chain.call("getSignaturesForAddress", KEY, {"before": None, "until": None, "limit": None}) == []
    assert chain.call("getProgramAccounts", KEY, {"filters": None, "withContext": None}) == []
    for commitment in ("processed", "confirmed", "finalized"):
        assert chain.call("getSlot", {"commitment": commitment}) > 0
        assert chain.call("getBalance", KEY, {"commitment": commitment})["value"] == 0


@pytest.mark.parametrize("method", ["getBalance", "getAccountInfo", "getSignaturesForAddress", "getProgramAccounts"])
def test_minimum_context_slot(chain: Localnet, method: str) -> None:
    """A slot not reached is refused with the slot that is; the present one is served."""
    slot = chain.call("getSlot")
    chain.answer(method, KEY, {"minContextSlot": slot})
    error = chain.error(method, KEY, {"minContextSlot": slot + 10_000})
    assert (error["code"], error["message"]) == (-32016, "Minimum context slot has not been reached")
    assert error["data"]["contextSlot"] >= slot


def test_read_after_write_at_its_slot(chain: Localnet) -> None:
    """A read at a transaction's own slot is served and sees the transaction."""
    wallet = chain.funded(3 * SOL)
    [entry] = chain.call("getSignaturesForAddress", str(wallet.pubkey()))
    read = chain.call("getBalance", str(wallet.pubkey()), {"minContextSlot": entry["slot"]})
    assert read["value"] == 3 * SOL and read["context"]["slot"] >= entry["slot"]


def test_clock(chain: Localnet) -> None:
    """The embedded chain's time can be moved ahead, by name or position, and transactions see it."""
    before = chain.call("getBlockTime", chain.call("getSlot"))
    answer = chain.post({"jsonrpc": "2.0", "id": 1, "method": "chorale_advanceClock", "params": {"seconds": 3_600}})
    assert answer["result"] >= before + 3_600
    assert chain.call("chorale_advanceClock", 60) >= answer["result"] + 60
    wallet = chain.funded()
    [entry] = chain.call("getSignaturesForAddress", str(wallet.pubkey()))
    assert entry["blockTime"] >= before + 3_660
    clock = chain.call("getAccountInfo", "SysvarC1ock11111111111111111111111111111111", {"encoding": "base64"})
    assert clock["value"]["owner"] == "Sysvar1111111111111111111111111111111111111"


def test_a_second_call_by_another_origin(chain: Localnet) -> None:
    """Browsers of any origin may call, as with a validator; bodies beyond 1 MiB are turned away."""
    origin = {"origin": "http://wallet.example"}
    asked = {**origin, "access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    assert chain.http.options(chain.rpc_url, headers=asked).headers["access-control-allow-origin"] == "*"
    assert chain.http.get(f"{chain.rpc_url}/health").text == "ok"
    assert chain.http.post(chain.rpc_url, content=b" " * (1 << 20) + b"{}").status_code == 413


def test_pages_do_not_steer_the_chain(chain: Localnet) -> None:
    """A browser's request reads the chain like any wallet, and finds no method that Solana lacks."""
    before = chain.post(request("getSlot"))["result"]
    for body in (request("chorale_advanceSlots", 10_000), request("chorale_advanceClock", 60), request("getHealth")):
        answer = chain.http.post(chain.rpc_url, json=body, headers={"Origin": "https://elsewhere.example"}).json()
        if body["method"] == "getHealth":
            assert answer["result"] == "ok"
        else:
            assert answer["error"]["code"] == -32601
    assert chain.post(request("getSlot"))["result"] < before + 10_000
