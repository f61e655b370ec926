"""The update sequence on the real parts, with its session store, and a picture of all that it could change."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from solders.instruction import Instruction
from solders.keypair import Keypair

from chorale.domain.commands import CastVote, Command, CreateThread, PostMessage, SubmitMessage, UpdateResult
from chorale.domain.ports import Chain, ContentStore
from chorale.domain.updates import Refusal
from chorale.limits import Limits
from chorale.prepare import Preparer
from chorale.state_update import StateUpdates
from datasources.cache.sqlite import SqliteSessions, open_sqlite_sessions
from tests.chains import RunningChain
from tests.spine.parts import Actor, Draft, Parts

LIMITS = Limits(confirm_timeout=20.0)


@dataclass
class Desk:
    """Where commands are run. `parts` watches the chain beside it where a test asks for that."""

    parts: Parts
    sessions: SqliteSessions
    updates: StateUpdates
    preparer: Preparer
    path: Path
    actors: list[Actor] = field(default_factory=list)

    @property
    def running(self) -> RunningChain:
        """The chain's process."""
        return self.parts.running

    async def run(self, command: Command) -> UpdateResult:
        """A command that succeeds."""
        result = await self.updates.run(command)
        assert isinstance(result, UpdateResult), result
        return result

    async def refused(self, command: Command) -> Refusal:
        """A command that is refused."""
        result = await self.updates.run(command)
        assert isinstance(result, Refusal), result
        assert result.explanation.endswith(".")
        return result

    async def create(self, actor: Actor, title: str = "On rivers") -> Draft:
        """A thread of `actor`."""
        draft = actor.thread(title)
        await self.run(
            CreateThread(signed_transaction=await self.sign(actor, draft), title=title, salt=draft.content.salt)
        )
        return draft

    async def submit(self, actor: Actor, thread_id: str, body: str) -> Draft:
        """A pending message of `actor`."""
        draft = actor.submit(thread_id, body)
        await self.run(await self.submission(actor, draft))
        return draft

    async def posting(self, actor: Actor, draft: Draft, **more: Any) -> PostMessage:
        """The command for a co-author's message."""
        signed = await self.sign(actor, draft)
        return replace(PostMessage(signed_transaction=signed, body=draft.content.body, salt=draft.content.salt), **more)

    async def submission(self, actor: Actor, draft: Draft, **more: Any) -> SubmitMessage:
        """The command for an outsider's message."""
        signed = await self.sign(actor, draft)
        return replace(
            SubmitMessage(signed_transaction=signed, body=draft.content.body, salt=draft.content.salt), **more
        )

    async def ballot(self, actor: Actor, thread_id: str, content_hash: str, *, approve: bool, **more: Any) -> CastVote:
        """The command for a vote."""
        vote = actor.vote(thread_id, content_hash, approve=approve)
        return CastVote(signed_transaction=await self.running.sign([vote], [actor.keypair]), **more)

    async def sign(self, actor: Actor, draft: Draft, *beside: Instruction, signers: tuple[Keypair, ...] = ()) -> bytes:
        """The draft's instruction with others behind it, signed."""
        return await self.running.sign([draft.instruction, *beside], [actor.keypair, *signers])

    async def picture(self) -> dict[str, Any]:
        """Everything in chain, store, index and sessions that a command might change.

        On chain that includes the program's newest transaction and what the `actors` own: one that failed where it
        landed has left no account behind, but paid its fee.
        """
        history = await self.parts.chain.history(self.running.program_id, limit=1)
        purses = [address for actor in self.actors for address in (actor.key, actor.tokens)]
        accounts = await self.parts.chain.program_accounts()
        threads = await self.parts.index.thread_ids("", 1000)
        with sqlite3.connect(f"file:{self.path}?mode=ro", uri=True) as connection:
            kept = connection.execute("SELECT key, value FROM entries ORDER BY key").fetchall()
        return {
            "accounts": {account.address: account for account in accounts.accounts if account},
            "history": [entry.signature for entry in history],
            "purses": (await self.parts.chain.accounts(purses)).accounts,
            "content": await self.parts.content.census(),
            "staged": await self.parts.content.staged(),
            "index": await self.parts.index.census(),
            "log": [await self.parts.index.latest(thread_id) for thread_id in threads],
            "sessions": kept,
        }


@asynccontextmanager
async def open_desk(
    parts: Parts,
    folder: Path,
    *,
    chain: Chain | None = None,
    content: ContentStore | None = None,
    limits: Limits = LIMITS,
    actors: Sequence[Actor] = (),
) -> AsyncIterator[Desk]:
    """A desk; `chain` and `content` may stand before the real ones. `actors` are those whose purses `picture` shows."""
    path = folder / "sessions.sqlite"
    async with open_sqlite_sessions(path) as sessions:
        updates = StateUpdates(
            chain or parts.chain, content or parts.content, parts.embedder, parts.projector, sessions, limits
        )
        try:
            preparer = Preparer(parts.chain, parts.index, parts.running.addresses)
            yield Desk(parts, sessions, updates, preparer, path, list(actors))
        finally:
            await updates.close()
