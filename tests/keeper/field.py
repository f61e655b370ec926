"""A chain with threads in every state that a keeper cares for, and keepers on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from solders.keypair import Keypair

from chorale.domain.accounts import MessageAccount, ThreadAccount
from chorale.domain.ports import Chain, SessionStore
from chorale.keeper import Deployment, Keeper
from chorale.keeper_settings import KeeperSettings
from chorale.keeping.duties import Duty
from chorale.limits import Limits
from datasources.cache.sqlite import open_sqlite_sessions
from datasources.solana.client import open_chain
from datasources.solana.signer import FileSigner
from programs import instructions
from programs.accounts import decode_message, decode_thread
from tests.chains import APPROVAL_WINDOW, MINIMUM_STAKE, RunningChain
from tests.spine.parts import Actor

SOL = 1_000_000_000
AT_ONCE = KeeperSettings(grace=0)
LIMITS = Limits(keeper_pause=0.05, keeper_tick=0.2, confirm_timeout=10.0)


@dataclass
class Field:
    """The chain, its threads and its keepers' store; `chain` is the adapter that keepers use."""

    running: RunningChain
    chain: Chain
    folder: Path
    actors: list[Actor] = field(default_factory=list)

    async def actor(self, tokens: int = 1_000 * MINIMUM_STAKE) -> Actor:
        """A new wallet; without tokens it has no token account either."""
        return Actor(self.running, await self.running.wallet(tokens=tokens))

    async def thread(self, creator: Actor, *others: Actor) -> str:
        """A thread of `creator` in which the others have been seated; its id."""
        draft = creator.thread("On rivers")
        await creator.send(draft.instruction)
        thread_id = draft.content.key.thread_id
        seated = [creator]
        for other in others:
            content_hash = await self.submit(other, thread_id)
            for voter in seated:
                await voter.send(voter.vote(thread_id, content_hash, approve=True))
            seated.append(other)
        return thread_id

    async def submit(self, author: Actor, thread_id: str, stake: int = MINIMUM_STAKE) -> str:
        """A pending message; its content hash."""
        draft = author.submit(thread_id, "A line", stake)
        await author.send(draft.instruction)
        return draft.hash

    async def cancel(self, author: Actor, thread_id: str, content_hash: str) -> None:
        """Its author takes it back."""
        await author.send(
            instructions.cancel(
                self.running.addresses, author=author.key, thread_id=thread_id, content_hash=content_hash
            )
        )

    async def divest(self, co_author: Actor, thread_id: str) -> None:
        """A co-author leaves."""
        await co_author.send(
            instructions.divest(
                self.running.addresses,
                co_author=co_author.key,
                destination=co_author.tokens,
                thread_id=thread_id,
                min_payout=0,
            )
        )

    async def expire_all(self) -> None:
        """Turn the clock past every open window."""
        await self.running.advance_clock(APPROVAL_WINDOW + 1)

    def address(self, thread_id: str, content_hash: str) -> str:
        """Address of a message."""
        return self.running.addresses.message(self.running.addresses.thread(thread_id), content_hash)

    async def message(self, thread_id: str, content_hash: str) -> MessageAccount:
        """A message as it is."""
        address = self.address(thread_id, content_hash)
        (account,) = (await self.chain.accounts([address])).accounts
        assert account is not None
        return decode_message(address, account.data)

    async def thread_account(self, thread_id: str) -> ThreadAccount:
        """A thread as it is."""
        address = self.running.addresses.thread(thread_id)
        (account,) = (await self.chain.accounts([address])).accounts
        assert account is not None
        return decode_thread(address, account.data)

    async def tokens(self, actor: Actor) -> int:
        """Base units in a wallet's token account."""
        answer = await self.running.rpc("getTokenAccountBalance", actor.tokens)
        return int(answer["value"]["amount"])

    async def signer(self, lamports: int = SOL) -> FileSigner:
        """A new fee payer."""
        signer = FileSigner(Keypair())
        await self.running.fund(signer.address, lamports, 0)
        return signer

    async def paid_by(self, keeper: Keeper) -> list[str]:
        """Signatures of all transactions that a keeper's fee payer has a part in, without those that funded it."""
        history = await self.chain.history(keeper.report().address)
        return [entry.signature for entry in history][:-1]

    async def landed_on(self, address: str) -> int:
        """How many transactions have named an account, those that failed too."""
        return len(await self.chain.history(address))

    @asynccontextmanager
    async def keeper(
        self,
        name: str = "keeper",
        *,
        lamports: int = SOL,
        chain: Chain | None = None,
        store: SessionStore | None = None,
        settings: KeeperSettings = AT_ONCE,
        signer: FileSigner | None = None,
        limits: Limits = LIMITS,
        polls_clock: bool = True,
    ) -> AsyncIterator[Keeper]:
        """A keeper with a funded keypair of its own and a store of claims by its name, unless they are given."""
        signer = signer or await self.signer(lamports)
        deployment = Deployment(await self.chain.genesis_hash(), self.running.mint)
        async with open_sqlite_sessions(self.folder / f"{name}.sqlite3") as own:
            keeper = Keeper(
                chain or self.chain, store or own, signer, deployment, settings, limits, polls_clock=polls_clock
            )
            try:
                yield keeper
            finally:
                await keeper.close()


def done(keeper: Keeper) -> dict[str, int]:
    """How many instructions of each kind a keeper has had confirmed, those above 0."""
    return {duty.value: count.confirmed for duty, count in keeper.report().counts.items() if count.confirmed}


def counted(keeper: Keeper, name: str) -> Sequence[int]:
    """One counter of expire, resolve, refund and sweep."""
    return [getattr(keeper.report().counts[duty], name) for duty in Duty]


@asynccontextmanager
async def open_field(running: RunningChain, folder: Path) -> AsyncIterator[Field]:
    """A field on a chain."""
    async with open_chain(running.rpc_url, running.ws_url, running.program_id) as chain:
        yield Field(running, chain, folder)


def without_grace(settings: KeeperSettings, **changes: int) -> KeeperSettings:
    """Settings that act at once."""
    return replace(settings, grace=0, **changes)
