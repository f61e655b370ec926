"""Demo data, made by running the real mutations: wallets that sign, stakes, votes, refusals and all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from chorale.demo import operations as operations
from chorale.demo.callers import Caller, DemoError
from chorale.demo.script import Discussion, Line, discussions
from chorale.process.output import Say
from programs import identity

_LAMPORTS = "1000000000000"
_TOKENS = "100000000000"
_STAKE = "1000000"
_SAY_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class _Wallet:
    name: str
    address: str
    token: str


class Demo:
    """Plays discussions. Whatever exists already is left as it is, so a broken-off demo is continued."""

    def __init__(self, call: Caller, say: Say) -> None:
        self._call = call
        self._say = say
        self._wallets: dict[str, _Wallet] = {}
        self._opening = asyncio.Lock()
        self._made = 0
        self._wanted = 0
        self._said = time.monotonic()

    async def begun(self) -> bool:
        """Whether any discussion of the first round has its thread."""
        for discussion in discussions():
            if await self._message_count(discussion) is not None:
                return True
        return False

    async def seed(self) -> int:
        """Play the first round; how many messages were made."""
        missing = 0
        for discussion in discussions():
            missing += len(discussion.lines) - (await self._message_count(discussion) or 0)
        return await self._play(discussions(), missing) if missing else 0

    async def grow(self, size: int) -> int:
        """Make `size` more messages, in as many further rounds as it takes."""
        made = 0
        for round in count(1):
            if made >= size:
                return made
            made += await self._play(discussions(round), size - made)
        raise AssertionError

    async def _play(self, script: Sequence[Discussion], size: int) -> int:
        self._made, self._wanted = 0, size
        async with asyncio.TaskGroup() as tasks:
            for discussion in script:
                tasks.create_task(self._discuss(discussion))
        if self._made:
            self._say(f"Demo data: {self._made} messages made.")
        return self._made

    async def _discuss(self, discussion: Discussion) -> None:
        known = await self._message_count(discussion)
        if known == len(discussion.lines) or self._made >= self._wanted:
            return
        creator = await self._wallet(discussion.creator)
        if known is None:
            await self._act(
                creator,
                "CreateThread",
                operations.PREPARE_THREAD,
                {"title": discussion.shown_title, "nonce": str(discussion.nonce), "salt": discussion.salt(0)},
                operations.CREATE_THREAD,
                {"title": discussion.shown_title, "salt": discussion.salt(0)},
            )
        thread_id = identity.thread_id(creator.address, discussion.nonce)
        for place, line in enumerate(discussion.lines, start=1):
            if self._made >= self._wanted:
                return
            await self._say_line(discussion, thread_id, place, line, resumed=known is not None)

    async def _say_line(self, discussion: Discussion, thread_id: str, place: int, line: Line, *, resumed: bool) -> None:
        author, salt = await self._wallet(line.author), discussion.salt(place)
        body_hash = identity.body_hash(salt, line.body)
        content_hash = identity.content_hash(thread_id, author.address, place, body_hash)
        message = None
        if resumed:
            message = (await self._call(operations.MESSAGE, {"contentHash": content_hash}, author.token))["message"]
        # Staged bytes whose transaction was never sent are left by a stop in between: the same is sent again.
        if message is None or message["status"] == "STAGED":
            asked = {"threadId": thread_id, "body": line.body, "nonce": str(place), "salt": salt}
            sent = {"body": line.body, "salt": salt}
            if line.kind == "post":
                prepare, mutate, kind = operations.PREPARE_POST, operations.POST_MESSAGE, "PostMessage"
            else:
                prepare, mutate, kind = operations.PREPARE_SUBMISSION, operations.SUBMIT_MESSAGE, "SubmitMessage"
                asked["stake"] = _STAKE
            message = (await self._act(author, kind, prepare, asked, mutate, sent))["message"]
            self._count()
        if line.votes != "none" and message["status"] == "PENDING":
            await self._vote(message, approve=line.votes == "approve")

    async def _vote(self, message: dict[str, Any], *, approve: bool) -> None:
        voted = {vote["voter"]["address"] for vote in message["votes"]}
        by_address = {wallet.address: wallet for wallet in self._wallets.values()}
        for voter in message["requiredVoters"]:
            if voter["address"] not in voted:
                await self._act(
                    by_address[voter["address"]],
                    "CastVote",
                    operations.PREPARE_VOTE,
                    {"contentHash": message["contentHash"], "approve": approve},
                    operations.CAST_VOTE,
                    {},
                )

    async def _act(
        self, wallet: _Wallet, kind: str, prepare: str, asked: dict[str, Any], mutate: str, sent: dict[str, Any]
    ) -> dict[str, Any]:
        prepared = (await self._call(prepare, {"wallet": wallet.address, **asked}, wallet.token))["prepare"]["it"]
        self._expect(prepared, "PreparedTransaction", kind)
        signed = await self._call(operations.SIGN, {"name": wallet.name, "transaction": prepared["transaction"]})
        variables = {"input": {"signedTransaction": signed["devSign"], **sent}}
        done: dict[str, Any] = (await self._call(mutate, variables, wallet.token))["it"]
        self._expect(done, f"{kind}Success", kind)
        return done

    @staticmethod
    def _expect(answer: dict[str, Any], wanted: str, kind: str) -> None:
        if answer["__typename"] != wanted:
            raise DemoError(f"{kind} was refused as {answer['__typename']}: {answer.get('explanation')}")

    async def _wallet(self, name: str) -> _Wallet:
        async with self._opening:
            if name not in self._wallets:
                purse = {"name": name, "lamports": _LAMPORTS, "tokens": _TOKENS}
                address = (await self._call(operations.WALLET, purse))["devWallet"]["address"]
                session = await self._call(operations.SIGN_IN, {"name": name})
                self._wallets[name] = _Wallet(name, address, session["devSignIn"]["token"])
        return self._wallets[name]

    async def _message_count(self, discussion: Discussion) -> int | None:
        creator = await self._wallet(discussion.creator)
        thread_id = identity.thread_id(creator.address, discussion.nonce)
        thread = (await self._call(operations.THREAD, {"threadId": thread_id}))["thread"]
        return None if thread is None else int(thread["messageCount"])

    def _count(self) -> None:
        self._made += 1
        if time.monotonic() - self._said >= _SAY_SECONDS:
            self._said = time.monotonic()
            self._say(f"Demo data: {self._made} of {self._wanted} messages …")
