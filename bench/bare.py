"""The bare sequence that `submitMessage` is compared with: the same adapters and nothing around them."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from secrets import randbits, token_hex

from solders.keypair import Keypair

from chorale.domain.content import Content, ContentKey, ContentKind, Promotion
from chorale.domain.ports import Chain, ContentStore, Embedder
from chorale.settings import DEFAULT_MODEL
from datasources.embeddings import open_embedder
from datasources.qdrant import CollectionIdentity, open_content
from datasources.solana.client import open_chain
from programs import identity, instructions
from programs.accounts import decode_message, decode_thread
from tests.chains import MINIMUM_STAKE, RunningChain, running_localnet


@dataclass(frozen=True, slots=True)
class Bare:
    """The authorities without a server, and an outsider who submits to a thread."""

    running: RunningChain
    chain: Chain
    content: ContentStore
    embedder: Embedder
    author: Keypair
    thread_id: str

    async def submit(self, body: str) -> float:
        """One submission; ms from the signed transaction to what was read back."""
        author, salt, nonce = str(self.author.pubkey()), token_hex(32), randbits(63)
        addresses = self.running.addresses
        body_hash = identity.body_hash(salt, body)
        content_hash = identity.content_hash(self.thread_id, author, nonce, body_hash)
        instruction = instructions.submit_message(
            addresses, payer=author, author=author, thread_id=self.thread_id, body_hash=body_hash, nonce=nonce,
            source=addresses.associated_token_account(author, self.running.mint), stake=MINIMUM_STAKE,
            max_expires_at=2**62,
        )  # fmt: skip
        transaction = await self.running.sign([instruction], [self.author])
        key = ContentKey(ContentKind.MESSAGE, self.thread_id, content_hash)
        thread_address = addresses.thread(self.thread_id)
        address = addresses.message(thread_address, content_hash)

        began = time.perf_counter()
        simulation = await self.chain.simulate(transaction)
        assert simulation.error is None, simulation
        await self.content.stage(
            Content(key, author, nonce, salt, body, MINIMUM_STAKE), lease_until=int(time.time()) + 3_600
        )
        embedding = asyncio.create_task(self.embedder.embed([body]))
        signature = await self.chain.send(transaction)
        status = await self.chain.confirm(signature, 30)
        assert status is not None
        assert status.error is None, status
        read = await self.chain.accounts([thread_address, address], min_context_slot=status.slot)
        assert read.accounts[0] is not None
        assert read.accounts[1] is not None
        thread = decode_thread(thread_address, read.accounts[0].data)
        message = decode_message(address, read.accounts[1].data)
        await self.content.promote(
            [
                Promotion(
                    key, author, message.status, message.sequence, message.submitted_at, message.submitted_sequence,
                    (), (await embedding)[0], self.embedder.fingerprint,
                )
            ]
        )  # fmt: skip
        stored = (await self.content.fetch([key]))[key].stored
        ended = time.perf_counter()
        assert stored is not None
        assert (stored.body, stored.sequence, thread.sequence) == (body, message.sequence, message.sequence)
        return (ended - began) * 1e3


async def open_bare(stack: AsyncExitStack, folder: Path, model_data: Path) -> Bare:
    """A chain of its own with a thread, an empty store, and the model of the data directory `model_data`."""
    running = stack.enter_context(running_localnet(folder / "bare"))
    chain = await stack.enter_async_context(open_chain(running.rpc_url, running.ws_url, running.program_id))
    embedder = await stack.enter_async_context(open_embedder(DEFAULT_MODEL, model_data, lambda _: None))
    genesis = await chain.genesis_hash()
    collection = CollectionIdentity(genesis, running.program_id, embedder.fingerprint, embedder.dimensions)
    content = await stack.enter_async_context(open_content("file:", folder / "bare-content", collection))
    creator, author = await running.wallet(), await running.wallet(tokens=100_000_000_000)
    nonce, key = 1, str(creator.pubkey())
    title_hash = identity.title_hash(token_hex(32), "A thread to submit to")
    await running.send(
        [
            instructions.create_thread(
                running.addresses, payer=key, creator=key, mint=running.mint, nonce=nonce, title_hash=title_hash
            )
        ],
        [creator],
    )
    return Bare(running, chain, content, embedder, author, identity.thread_id(key, nonce))
