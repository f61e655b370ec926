"""A node that answers in another shape than it should is told as an absent authority."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import orjson
import pytest

from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.ports import Chain
from chorale.domain.updates import Authority
from datasources.solana.client import SolanaChain
from datasources.solana.rpc import Rpc

ADDRESS = "11111111111111111111111111111111"

READS: dict[str, Callable[[Chain], Awaitable[object]]] = {
    "genesis_hash": lambda chain: chain.genesis_hash(),
    "slot": lambda chain: chain.slot(),
    "block_height": lambda chain: chain.block_height(),
    "unix_time": lambda chain: chain.unix_time(),
    "accounts": lambda chain: chain.accounts([ADDRESS]),
    "program_accounts": lambda chain: chain.program_accounts(),
    "rent": lambda chain: chain.rent(10),
    "latest_blockhash": lambda chain: chain.latest_blockhash(),
    "is_blockhash_valid": lambda chain: chain.is_blockhash_valid(ADDRESS),
    "simulate": lambda chain: chain.simulate(b""),
    "send": lambda chain: chain.send(b""),
    "status": lambda chain: chain.status(ADDRESS),
    "transaction": lambda chain: chain.transaction(ADDRESS),
    "history": lambda chain: chain.history(ADDRESS),
}
RESULTS: tuple[Any, ...] = (
    None,
    {},
    [7],
    {"context": {"slot": None}, "value": []},
    {"context": {}, "value": [{"owner": 1}]},
    {"context": {"slot": 1}, "value": [{"owner": ADDRESS, "lamports": 1, "data": ["!", "base64"]}]},
)
VALID = {("transaction", 0)}  # null: not known


@pytest.mark.parametrize("result", range(len(RESULTS)))
@pytest.mark.parametrize("name", READS)
async def test_an_answer_of_another_shape_is_an_absent_authority(name: str, result: int) -> None:
    """Whatever a node answers in place of a result, callers see AuthorityUnavailableError and nothing else."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked = orjson.loads(request.content)
        calls = asked if isinstance(asked, list) else [asked]
        answers = [{"jsonrpc": "2.0", "id": call["id"], "result": RESULTS[result]} for call in calls]
        return httpx.Response(200, content=orjson.dumps(answers if isinstance(asked, list) else answers[0]))

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        chain = SolanaChain(Rpc(http, "http://node"), "ws://node", ADDRESS)
        if (name, result) in VALID:
            assert await READS[name](chain) is None
            return
        with pytest.raises(AuthorityUnavailableError) as caught:
            await READS[name](chain)
    assert caught.value.authority is Authority.SOLANA
