"""Messages made straight on an embedded chain, as fast as it takes them: what a server is then measured with."""

from __future__ import annotations

import itertools
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import httpx
import orjson
from solders.keypair import Keypair

from chorale.domain.content import Content, ContentKey, ContentKind
from programs import identity, instructions
from tests.chains import RunningChain, request, signature_of, signed

_SALT = "ab" * 32
_TITLE = "A thread of many"
_BODY = " ".join(["Reeds bend where the wind comes from, and stand again once it has gone by."] * 4)
_BODY_HASH = identity.body_hash(_SALT, _BODY)
_BATCH = 50
_OPTIONS = {"encoding": "base64", "skipPreflight": True}


@dataclass
class Author:
    """A wallet that posts into threads of its own. It alone has the bytes of what it posts: `contents`."""

    chain: RunningChain
    keypair: Keypair
    threads: list[str] = field(default_factory=list)
    _posted: list[tuple[str, int]] = field(default_factory=list)
    _nonces: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def address(self) -> str:
        """Its public key."""
        return str(self.keypair.pubkey())

    async def create_threads(self, count: int) -> None:
        """New threads."""
        steps = []
        for _ in range(count):
            nonce = next(self._nonces)
            steps.append(
                instructions.create_thread(
                    self.chain.addresses, payer=self.address, creator=self.address, mint=self.chain.mint,
                    nonce=nonce, title_hash=identity.title_hash(_SALT, _TITLE),
                )
            )  # fmt: skip
            self.threads.append(identity.thread_id(self.address, nonce))
        blockhash = await self._blockhash()
        await self.send([signed([step], [self.keypair], blockhash) for step in steps])

    async def posts(self, count: int, threads: Sequence[str]) -> list[bytes]:
        """So many signed posts, into one thread after the other."""
        blockhash = await self._blockhash()
        return [
            signed([self._post(thread_id)], [self.keypair], blockhash)
            for thread_id in itertools.islice(itertools.cycle(threads), count)
        ]

    async def post(self, count: int, threads: Sequence[str]) -> None:
        """Post so many and wait until they are confirmed."""
        for at in range(0, count, 1000):  # a blockhash lives for a minute
            await self.send(await self.posts(min(1000, count - at), threads))

    async def send(self, transactions: Sequence[bytes]) -> None:
        """Send, many to a call, and wait for the last."""
        async with httpx.AsyncClient(timeout=60, trust_env=False, verify=False) as http:
            for at in range(0, len(transactions), _BATCH):
                calls = [
                    request("sendTransaction", [b64encode(one).decode(), _OPTIONS])
                    for one in transactions[at : at + _BATCH]
                ]
                for answer in orjson.loads((await http.post(self.chain.rpc_url, json=calls)).content):
                    if "error" in answer:
                        raise RuntimeError(str(answer["error"]))
        error = await self.chain.confirmed(signature_of(transactions[-1]))
        if error is not None:
            raise RuntimeError(str(error))

    async def _blockhash(self) -> str:
        latest = await self.chain.rpc("getLatestBlockhash", {"commitment": "confirmed"})
        return str(latest["value"]["blockhash"])

    def contents(self) -> Iterator[Content]:
        """The bytes of all titles and messages."""
        for nonce, thread_id in enumerate(self.threads):
            key = ContentKey(ContentKind.TITLE, thread_id, identity.title_hash(_SALT, _TITLE))
            yield Content(key, self.address, nonce, _SALT, _TITLE)
        for thread_id, nonce in self._posted:
            content_hash = identity.content_hash(thread_id, self.address, nonce, _BODY_HASH)
            key = ContentKey(ContentKind.MESSAGE, thread_id, content_hash)
            yield Content(key, self.address, nonce, _SALT, _BODY)

    def _post(self, thread_id: str) -> instructions.Instruction:
        nonce = next(self._nonces)
        self._posted.append((thread_id, nonce))
        return instructions.post_message(
            self.chain.addresses, payer=self.address, author=self.address, thread_id=thread_id, body_hash=_BODY_HASH,
            nonce=nonce,
        )  # fmt: skip


async def an_author(chain: RunningChain, threads: int) -> Author:
    """Funded for a hundred thousand messages, with its threads."""
    keypair = Keypair()
    for number in range(20):  # of another amount each time, or it were the same transaction
        await chain.fund(str(keypair.pubkey()), lamports=50_000_000_000 + number, tokens=0)
    author = Author(chain, keypair)
    await author.create_threads(threads)
    return author
