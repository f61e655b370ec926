"""A real server process with everything embedded, and wallets that use it as any client would."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
from solders.keypair import Keypair
from solders.message import to_bytes_versioned
from solders.transaction import VersionedTransaction
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from chorale.process.data_directory import holder_of
from datasources.solana.localnet.keys import load_keys
from tests import operations
from tests.chains import ROOT, RunningChain
from tests.patience import PATIENCE

Json = dict[str, Any]

_PATIENCE = 150.0  # s; a server that does not come is ended, and its log says where it stood


class RunningServer:
    """`chorale serve` on free ports over the data directory `data`, on the embedded chain or on `cluster`."""

    def __init__(self, data: Path, environ: dict[str, str], cluster: RunningChain | None = None) -> None:
        self.data = data
        self._cluster = cluster
        self.log = data.parent / f"{data.name}.log"
        self._environ = environ
        self.launcher: tuple[str, ...] = ("-m", "chorale")  # how Python is told to run the command line
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start, and wait until the address is announced. A failed start fails the test with the log."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("CHORALE_")}
        environ |= self.settings
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self.launcher, "serve"],
                cwd=ROOT,
                env=environ,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdout is not None
        impatience = threading.Timer(_PATIENCE, self._process.kill)
        impatience.start()
        line = self._process.stdout.readline()
        impatience.cancel()
        assert line.startswith("GraphiQL: "), self.log.read_text()[-4000:]
        holder = holder_of(self.data)
        assert holder is not None
        self.url, self.rpc_url = holder.address, holder.rpc_url

    @property
    def settings(self) -> dict[str, str]:
        """What it is told by its environment."""
        environ = {"CHORALE_PORT": "0", "CHORALE_CHAIN_RPC_PORT": "0", "CHORALE_DEMO": "0", "CHORALE_KEEPER": "0"}
        environ |= {"CHORALE_DATA": str(self.data)} | self._environ
        if self._cluster is not None:
            environ |= {
                "CHORALE_CHAIN_URL": self._cluster.rpc_url,
                "CHORALE_CHAIN_WS_URL": self._cluster.ws_url,
                "CHORALE_PROGRAM_ID": self._cluster.program_id,
            }
        return environ

    def set(self, **environ: str) -> None:
        """Change settings of its next start."""
        self._environ = self._environ | environ

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> int:
        """Stop politely; the exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """End it as a crash would."""
        return self._end(signal.SIGKILL)

    def wait(self) -> int:
        """Wait until it ends by itself; the exit code."""
        assert self._process is not None
        return self._process.wait(_PATIENCE)

    def _end(self, number: int) -> int:
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.send_signal(number)
        return self._process.wait(30)

    async def execute(self, query: str, variables: Json | None = None, token: str | None = None) -> Json:
        """The response body of one operation over HTTP."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        body = {"query": query, "variables": variables}
        async with httpx.AsyncClient(timeout=60, trust_env=False, verify=False) as http:  # no TLS, no CAs to read
            response = await http.post(f"{self.url}/graphql", json=body, headers=headers)
        answer: Json = response.json()
        return answer

    async def data_of(self, query: str, variables: Json | None = None, token: str | None = None) -> Json:
        """The same where no error is expected."""
        body = await self.execute(query, variables, token)
        assert "errors" not in body, body["errors"]
        data: Json = body["data"]
        return data

    @asynccontextmanager
    async def subscribed(self, query: str, variables: Json, token: str | None = None) -> AsyncIterator[Subscribed]:
        """A subscription on a socket of its own."""
        url = self.url.replace("http", "ws", 1) + "/graphql"
        async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")], proxy=None) as socket:
            payload = {} if token is None else {"authorization": f"Bearer {token}"}
            await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
            assert json.loads(await socket.recv())["type"] == "connection_ack"
            message = {"id": "1", "type": "subscribe", "payload": {"query": query, "variables": variables}}
            await socket.send(json.dumps(message))
            yield Subscribed(socket)

    @property
    def chain(self) -> RunningChain:
        """The chain under the server, reached past it."""
        if self._cluster is not None:
            return self._cluster
        keys = load_keys(self.data)
        return RunningChain(
            "localnet", self.rpc_url, "", str(keys.program.pubkey()), str(keys.mint.pubkey()), keys.admin
        )

    async def pass_window(self) -> None:
        """Turn the embedded chain's clock past the end of every message that is pending now."""
        await self.data_of(
            "mutation Later($seconds: Int!) { devAdvanceClock(seconds: $seconds) }", {"seconds": 604_800}
        )

    async def actor(self, tokens: int = 1_000_000_000) -> Actor:
        """A new funded wallet, signed in; without `tokens` it has no token account."""
        actor = Actor(self, Keypair())
        await self.chain.fund(actor.address, tokens=tokens)
        await actor.sign_in()
        return actor


class Subscribed:
    """The receiving end of one subscription."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket

    async def next(self) -> Json:
        """The next event's data; what else comes fails the test."""
        message: Json = json.loads(await asyncio.wait_for(self._socket.recv(), PATIENCE))
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        data: Json = message["payload"]["data"]
        return data


class Actor:
    """A wallet with a session: signs what the server prepares and sends it back."""

    def __init__(self, server: RunningServer, keypair: Keypair) -> None:
        self._server = server
        self.keypair = keypair
        self.address = str(keypair.pubkey())
        self.token: str | None = None

    def subscribed(self, query: str, variables: Json) -> AbstractAsyncContextManager[Subscribed]:
        """A subscription in this wallet's session."""
        return self._server.subscribed(query, variables, self.token)

    async def sign_in(self) -> None:
        """Sign in with Solana."""
        asked = await self._server.data_of(operations.CHALLENGE, {"wallet": self.address})
        text = asked["signInChallenge"]["message"].encode()
        signed = {
            "wallet": self.address,
            "signedMessage": b64encode(text).decode(),
            "signature": str(self.keypair.sign_message(text)),
        }
        answer = (await self._server.data_of(operations.SIGN_IN, {"input": signed}))["signIn"]
        assert answer["__typename"] == "SignInSuccess", answer
        self.token = answer["token"]

    async def execute(self, query: str, variables: Json | None = None) -> Json:
        """The response body of an operation in this wallet's session."""
        return await self._server.execute(query, variables, self.token)

    async def ask(self, query: str, variables: Json | None = None) -> Json:
        """Data of an operation in this wallet's session."""
        return await self._server.data_of(query, variables, self.token)

    def sign(self, transaction: str) -> str:
        """The transaction (base64) with this wallet's signature."""
        unsigned = VersionedTransaction.from_bytes(b64decode(transaction))
        place = list(unsigned.message.account_keys).index(self.keypair.pubkey())
        signatures = unsigned.signatures
        signatures[place] = self.keypair.sign_message(to_bytes_versioned(unsigned.message))
        return b64encode(bytes(VersionedTransaction.populate(unsigned.message, signatures))).decode()

    async def prepare(self, field: str, **arguments: Any) -> Json:
        """What `prepare` answers for this wallet."""
        variables = {"wallet": self.address, **arguments}
        prepared: Json = (await self.ask(operations.PREPARE[field], variables))["prepare"][field]
        return prepared

    async def signed(self, field: str, *, sponsor: Actor | None = None, **arguments: Any) -> Json:
        """Input of the mutation `field`, prepared and signed by whoever has to; `sponsor` pays where one is named."""
        fees = {} if sponsor is None else {"fees": {"feePayer": sponsor.address}}
        prepared = await self.prepare(field, **arguments, **fees)
        assert prepared["__typename"] == "PreparedTransaction", prepared
        text: Json = {name: arguments[name] for name in ("title", "body") if name in arguments}
        salt = {"salt": prepared["salt"]} if text else {}
        transaction = prepared["transaction"]
        for actor in (self, sponsor):
            if actor is not None and actor.must_sign(transaction):
                transaction = actor.sign(transaction)
        return {"signedTransaction": transaction, **text, **salt}

    def must_sign(self, transaction: str) -> bool:
        """Whether this wallet's signature is among those that the transaction (base64) needs."""
        message = VersionedTransaction.from_bytes(b64decode(transaction)).message
        signers = list(message.account_keys)[: message.header.num_required_signatures]
        return self.keypair.pubkey() in signers

    async def mutate(self, field: str, signed: Json) -> Json:
        """The payload of the mutation `field`."""
        payload: Json = (await self.ask(operations.MUTATE[field], {"input": signed}))[field]
        return payload

    async def act(self, field: str, **arguments: Any) -> Json:
        """Prepare, sign, send; the Success payload."""
        payload = await self.mutate(field, await self.signed(field, **arguments))
        assert payload["__typename"] == f"{field[0].upper()}{field[1:]}Success", payload
        return payload

    async def submit(self, thread_id: str, body: str, stake: int = 1_000_000) -> str:
        """A pending message; its content hash."""
        payload = await self.act("submitMessage", threadId=thread_id, body=body, stake=str(stake))
        content_hash: str = payload["message"]["contentHash"]
        return content_hash

    async def tokens(self) -> int | None:
        """Base units in the associated token account; None where there is none."""
        chain = self._server.chain
        address = chain.addresses.associated_token_account(self.address, chain.mint)
        found = await chain.rpc("getAccountInfo", address, {"encoding": "base64", "commitment": "confirmed"})
        return None if found["value"] is None else int.from_bytes(b64decode(found["value"]["data"][0])[64:72], "little")

    async def create_thread(self, title: str = "A thread") -> str:
        """A new thread; its id."""
        payload = await self.act("createThread", title=title)
        thread_id: str = payload["thread"]["threadId"]
        return thread_id


@contextmanager
def running_stack(
    data: Path,
    models: Path,
    cluster: RunningChain | None = None,
    *,
    launcher: tuple[str, ...] = ("-m", "chorale"),
    **environ: str,
) -> Iterator[RunningServer]:
    """A server on `data`, which gets the built model from `models`; further settings as `CHORALE_…` keywords. By
    `launcher` Python is told how to run the command line."""
    if not (data / "models").exists():
        shutil.copytree(models, data / "models")
    server = RunningServer(data, environ, cluster)
    server.launcher = launcher
    server.start()
    try:
        yield server
    finally:
        if server._process is not None and server._process.poll() is None:
            server.stop()


def unique(text: str) -> str:
    """A text that no other test writes."""
    return f"{text} {secrets.token_hex(4)}"
