"""PubSub tells outside clients (solana-py) what was committed: accounts, programs, signatures, logs, slots, roots."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import websockets
from solana.rpc.types import MemcmpOpts
from solana.rpc.websocket_api import connect
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.rpc.config import RpcTransactionLogsFilterMentions
from solders.system_program import CreateAccountParams, create_account
from solders.transaction import VersionedTransaction

from tests.contract.localnet.harness import SOL, Localnet, pay
from tests.patience import PATIENCE


class Socket:
    """A bare PubSub client, for what solana-py cannot ask."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def call(self, method: str, *params: Any) -> Any:
        """Send a call and receive its answer."""
        await self._connection.send(
            orjson.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).decode()
        )
        return await self.receive()

    async def receive(self) -> Any:
        """The next message."""
        return orjson.loads(await asyncio.wait_for(self._connection.recv(), PATIENCE))


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Socket]:
    """A connection to `url`."""
    async with websockets.connect(url) as connection:
        yield Socket(connection)


async def test_account_program_and_logs_by_an_outside_client(chain: Localnet) -> None:
    """One committed transaction reaches the subscribers of its accounts, its program and its logs."""
    payer, made, program = chain.funded(), Keypair(), Keypair().pubkey()
    rent = chain.call("getMinimumBalanceForRentExemption", 12)
    async with connect(chain.ws_url) as client:
        await client.account_subscribe(made.pubkey(), encoding="base64")
        await client.program_subscribe(program, encoding="base64", filters=[12, MemcmpOpts(offset=0, bytes="11")])
        await client.program_subscribe(program, encoding="base64", filters=[13])
        await client.logs_subscribe(RpcTransactionLogsFilterMentions(made.pubkey()))
        answers: list[Any] = [(await client.recv())[0] for _ in range(4)]
        numbers = [each.result for each in answers]
        space = CreateAccountParams(
            from_pubkey=payer.pubkey(), to_pubkey=made.pubkey(), lamports=rent, space=12, owner=program
        )
        chain.send(chain.signed([create_account(space)], payer, made))
        told: list[Any] = [(await asyncio.wait_for(client.recv(), PATIENCE))[0] for _ in range(3)]
        assert [each.subscription for each in told] == [numbers[0], numbers[1], numbers[3]]
        account, owned, logs = (each.result.value for each in told)
        assert (account.lamports, account.owner, account.data) == (rent, program, bytes(12))
        assert (owned.pubkey, owned.account.data) == (made.pubkey(), bytes(12))
        assert logs.err is None and "success" in logs.logs[-1]
        assert len({each.result.context.slot for each in told}) == 1
        await client.account_unsubscribe(numbers[0])
        answer: Any = (await client.recv())[0]
        assert answer.result is True


async def test_slots_and_roots(chain: Localnet) -> None:
    """Slots arrive as they begin, each once, rising, with their roots."""
    async with opened(chain.ws_url) as socket:
        await socket.call("slotSubscribe")
        slots = [(await socket.receive())["params"]["result"] for _ in range(3)]
        assert [slot["slot"] - slots[0]["slot"] for slot in slots] == [0, 1, 2]
        assert all(slot["parent"] == slot["slot"] - 1 and slot["root"] < slot["slot"] for slot in slots)
    async with opened(chain.rpc_url.replace("http", "ws")) as socket:  # the RPC's own port serves PubSub, too
        await socket.call("rootSubscribe")
        assert (await socket.receive())["params"]["result"] >= slots[-1]["root"]


async def test_signature_is_told_once(chain: Localnet) -> None:
    """A signature's subscribers hear its outcome once, with the received notice first where asked for."""
    payer = chain.funded()
    transaction = chain.signed([pay(payer, Keypair().pubkey(), 20 * SOL)], payer)
    signature = chain.send(transaction, skipPreflight=True)  # lands with an error
    later = chain.signed([pay(payer, Keypair().pubkey(), SOL)], payer)
    async with opened(chain.ws_url) as socket:
        number = (await socket.call("signatureSubscribe", signature, {"commitment": "confirmed"}))["result"]
        told = (await socket.receive())["params"]
        assert told["result"]["value"] == {"err": {"InstructionError": [0, {"Custom": 1}]}}
        assert (await socket.call("signatureUnsubscribe", number))["result"] is True
        assert (await socket.call("signatureUnsubscribe", number))["error"]["code"] == -32602
        coming = _signature_of(later)
        await socket.call("signatureSubscribe", coming, {"enableReceivedNotification": True})
        assert chain.send(later) == coming
        assert (await socket.receive())["params"]["result"]["value"] == "receivedSignature"
        assert (await socket.receive())["params"]["result"]["value"] == {"err": None}


async def test_logs_of_all_and_of_failures(chain: Localnet) -> None:
    """`all` hears every transaction, failed ones with their error."""
    payer = chain.funded()
    async with opened(chain.ws_url) as socket:
        await socket.call("logsSubscribe", "all")
        signature = chain.send(chain.signed([pay(payer, Keypair().pubkey(), 20 * SOL)], payer), skipPreflight=True)
        value = (await socket.receive())["params"]["result"]["value"]
        assert (value["signature"], value["err"]) == (signature, {"InstructionError": [0, {"Custom": 1}]})
        assert any("insufficient lamports" in line for line in value["logs"])


async def test_a_committed_read_follows_its_notification(chain: Localnet) -> None:
    """What a notification says is already readable at its slot; a closed account is told as one with nothing."""
    payer, purse = chain.funded(), Keypair()
    async with opened(chain.ws_url) as socket:
        await socket.call("accountSubscribe", str(purse.pubkey()), {"encoding": "base64"})
        chain.call("requestAirdrop", str(purse.pubkey()), SOL)
        told = (await socket.receive())["params"]["result"]
        read = chain.call("getBalance", str(purse.pubkey()), {"minContextSlot": told["context"]["slot"]})
        assert told["value"]["lamports"] == read["value"] == SOL
        chain.send(chain.signed([pay(purse, payer.pubkey(), SOL)], payer, purse))
        gone = (await socket.receive())["params"]["result"]["value"]
        assert (gone["lamports"], gone["owner"], gone["data"]) == (0, str(Pubkey.default()), ["", "base64"])
        assert chain.call("getAccountInfo", str(purse.pubkey()))["value"] is None


async def test_subscription_errors(chain: Localnet) -> None:
    """Unknown methods, bad keys and broken JSON are answered with their codes, and the connection lives on."""
    async with websockets.connect(chain.ws_url) as connection:
        socket = Socket(connection)
        assert (await socket.call("getSlot"))["error"]["code"] == -32601
        assert (await socket.call("blockSubscribe", "all"))["error"]["code"] == -32601
        assert (await socket.call("accountSubscribe", "xx"))["error"]["code"] == -32602
        assert (await socket.call("accountSubscribe"))["error"]["code"] == -32602
        assert (await socket.call("logsSubscribe", {"mentions": []}))["error"]["code"] == -32602
        assert (await socket.call("programSubscribe", str(Pubkey.default()), {"filters": [{}]}))["error"][
            "code"
        ] == -32602
        await connection.send("{")
        assert (await socket.receive())["error"]["code"] == -32700
        assert isinstance((await socket.call("slotSubscribe"))["result"], int)


async def test_slow_reader_is_let_go(chain: Localnet) -> None:
    """A client that does not read is disconnected once its queue is full; the chain serves everybody else."""
    payer, big = chain.funded(50 * SOL), Keypair()
    size = 600_000
    space = CreateAccountParams(
        from_pubkey=payer.pubkey(),
        to_pubkey=big.pubkey(),
        lamports=chain.call("getMinimumBalanceForRentExemption", size),
        space=size,
        owner=Keypair().pubkey(),
    )
    chain.send(chain.signed([create_account(space)], payer, big))
    reader, writer = await asyncio.open_connection(*chain.ws_url.removeprefix("ws://").split(":"), limit=1 << 16)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
    writer.write(b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    params = [str(big.pubkey()), {"encoding": "base64"}]
    call = orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": "accountSubscribe", "params": params})
    writer.write(b"\x81\xfe" + len(call).to_bytes(2, "big") + bytes(4) + call)  # one text frame under a mask of zeros
    await reader.readuntil(b"}")
    sent = 100
    for each in range(sent):  # an asyncio stream that nobody reads stops taking bytes off its socket
        await asyncio.to_thread(chain.call, "requestAirdrop", str(big.pubkey()), SOL + each)
    received, chunk = 0, b""
    while b"read too slowly" not in chunk and (chunk := await asyncio.wait_for(reader.read(1 << 20), PATIENCE)):
        received += len(chunk)
    writer.close()
    assert received < sent * size


def _signature_of(transaction: str) -> str:
    return str(VersionedTransaction.from_bytes(b64decode(transaction)).signatures[0])
