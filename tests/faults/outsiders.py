"""Wallets that talk to the chain's RPC alone: what they write has no bytes here until somebody supplies them."""

from __future__ import annotations

import itertools
import secrets
from base64 import b64encode
from dataclasses import dataclass, field

from solders.compute_budget import set_compute_unit_limit
from solders.instruction import Instruction
from solders.keypair import Keypair

from programs import identity, instructions
from tests.chains import MINIMUM_STAKE, RunningChain
from tests.faults.onchain import OnChain
from tests.faults.promises import check_events, check_nothing_leaks, converged
from tests.stack import Actor, RunningServer, unique


@dataclass(frozen=True)
class Written:
    """A message and the bytes that its author alone has."""

    thread_id: str
    content_hash: str
    body: str
    salt: str


@dataclass
class Outsider:
    """Signs and sends by itself, through `chain`. `threads` are those it made, `written` its messages."""

    chain: RunningChain
    keypair: Keypair
    threads: list[str] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    _nonces: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def address(self) -> str:
        """Its public key."""
        return str(self.keypair.pubkey())

    async def create_thread(self) -> str:
        """A thread whose title nobody else has."""
        nonce = next(self._nonces)
        step = instructions.create_thread(
            self.chain.addresses,
            payer=self.address,
            creator=self.address,
            mint=self.chain.mint,
            nonce=nonce,
            title_hash=identity.title_hash(secrets.token_hex(32), unique("Past the server")),
        )
        await self.chain.send([step], [self.keypair])
        self.threads.append(identity.thread_id(self.address, nonce))
        return self.threads[-1]

    async def post(self, thread_id: str) -> Written:
        """A published message."""
        nonce, written, body_hash = self._words(thread_id)
        step = instructions.post_message(
            self.chain.addresses,
            payer=self.address,
            author=self.address,
            thread_id=thread_id,
            body_hash=body_hash,
            nonce=nonce,
        )
        await self.chain.send([step], [self.keypair])
        return self._kept(written)

    async def submit(self, thread_id: str) -> Written:
        """A pending message in somebody else's thread."""
        nonce, written, body_hash = self._words(thread_id)
        step = instructions.submit_message(
            self.chain.addresses,
            payer=self.address,
            author=self.address,
            source=self.chain.addresses.associated_token_account(self.address, self.chain.mint),
            thread_id=thread_id,
            body_hash=body_hash,
            nonce=nonce,
            stake=MINIMUM_STAKE,
            max_expires_at=await self.chain.now() + 2 * self.chain.window,
        )
        await self.chain.send([step], [self.keypair])
        return self._kept(written)

    async def vote(self, written: Written, *, approve: bool) -> None:
        """A co-author's vote."""
        step = self._vote(written.thread_id, written.content_hash, approve=approve)
        await self.chain.send([step], [self.keypair])

    async def fail(self, thread_id: str, content_hash: str) -> None:
        """A vote that nobody has asked it for, sent without a dry run: it lands, fails, and changes no thread."""
        limit = set_compute_unit_limit(400_000 - next(self._nonces))  # another one each time, on the same blockhash too
        step = self._vote(thread_id, content_hash, approve=True)
        raw = await self.chain.sign([limit, step], [self.keypair])
        options = {"encoding": "base64", "skipPreflight": True}
        signature = await self.chain.rpc("sendTransaction", b64encode(raw).decode(), options)
        assert await self.chain.confirmed(signature) is not None

    async def is_derived(self, server: RunningServer, chain: OnChain) -> bool:
        """Waits until the server has all of its threads."""
        for thread_id in self.threads:
            await converged(server, chain, thread_id)
        return True

    async def check(self, server: RunningServer, chain: OnChain) -> int:
        """Its threads are in the graph with every event once and in order. Returns how many events."""
        reader = Actor(server, self.keypair)
        await reader.sign_in()
        events = 0
        for thread_id in self.threads:
            events += await check_events(chain, thread_id, reader, made_by_server=("UpdateVerified", "ContentRestored"))
            await check_nothing_leaks(server, chain, thread_id)
        return events

    def _vote(self, thread_id: str, content_hash: str, *, approve: bool) -> Instruction:
        return instructions.cast_vote(
            self.chain.addresses,
            payer=self.address,
            voter=self.address,
            thread_id=thread_id,
            content_hash=content_hash,
            approve=approve,
        )

    def _words(self, thread_id: str) -> tuple[int, Written, str]:
        nonce, salt, body = next(self._nonces), secrets.token_hex(32), unique("Written past the server")
        body_hash = identity.body_hash(salt, body)
        content_hash = identity.content_hash(thread_id, self.address, nonce, body_hash)
        return nonce, Written(thread_id, content_hash, body, salt), body_hash

    def _kept(self, written: Written) -> Written:
        self.written.append(written)
        return written


async def an_outsider(chain: RunningChain) -> Outsider:
    """Funded."""
    return Outsider(chain, await chain.wallet())
