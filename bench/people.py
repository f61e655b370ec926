"""Wallets that act through the graph as any client would: prepare, sign, send."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.http import Connection
from bench.serving import serving
from chorale.demo import operations as operations
from chorale.demo.script import discussions

MINIMUM_STAKE = "1000000"
_SALT = "5a" * 32
_PURSE = {"lamports": "1000000000000", "tokens": "100000000000"}


@dataclass(frozen=True, slots=True)
class Person:
    """A named wallet with a session."""

    connection: Connection
    name: str
    address: str
    token: str

    async def create_thread(self, title: str) -> str:
        """A new thread; its id."""
        asked = {"title": title, "nonce": "1", "salt": _SALT}
        signed = await self.signed(operations.PREPARE_THREAD, **asked)
        sent = {"signedTransaction": signed, "title": title, "salt": _SALT}
        query = "mutation($input: CreateThreadInput!) { it: createThread(input: $input) { ... on CreateThreadSuccess "
        answer = await self.run(query + "{ thread { threadId } } ... on Problem { explanation } } }", input=sent)
        return str(answer["it"]["thread"]["threadId"])

    async def post(self, thread_id: str, nonce: int, body: str) -> None:
        """A co-author's message."""
        signed = await self.signed(operations.PREPARE_POST, threadId=thread_id, nonce=str(nonce), body=body, salt=_SALT)
        sent = {"signedTransaction": signed, "body": body, "salt": _SALT}
        await self.succeed(operations.POST_MESSAGE, sent)

    async def submission(self, thread_id: str, nonce: int, body: str) -> dict[str, str]:
        """Input of submitMessage, signed and not yet sent."""
        signed = await self.signed(
            operations.PREPARE_SUBMISSION,
            threadId=thread_id, nonce=str(nonce), body=body, salt=_SALT, stake=MINIMUM_STAKE,
        )  # fmt: skip
        return {"signedTransaction": signed, "body": body, "salt": _SALT}

    async def approve(self, content_hash: str) -> None:
        """A co-author's vote."""
        signed = await self.signed(operations.PREPARE_VOTE, contentHash=content_hash, approve=True)
        await self.succeed(operations.CAST_VOTE, {"signedTransaction": signed})

    async def signed(self, prepare: str, **asked: Any) -> str:
        """A transaction that `prepare` makes, signed."""
        prepared = (await self.run(prepare, wallet=self.address, **asked))["prepare"]["it"]
        if "transaction" not in prepared:
            raise RuntimeError(str(prepared))
        answer = await self.run(operations.SIGN, name=self.name, transaction=prepared["transaction"])
        return str(answer["devSign"])

    async def succeed(self, mutation: str, sent: dict[str, Any]) -> dict[str, Any]:
        """The mutation's success. Raises RuntimeError on a refusal."""
        done: dict[str, Any] = (await self.run(mutation, input=sent))["it"]
        if "explanation" in done:
            raise RuntimeError(str(done))
        return done

    async def run(self, document: str, /, **variables: Any) -> dict[str, Any]:
        """An operation in this person's name."""
        self.connection.token = self.token
        try:
            return await self.connection.graphql(document, **variables)
        finally:
            self.connection.token = None


async def person(connection: Connection, name: str) -> Person:
    """A funded wallet, signed in."""
    address = (await connection.graphql(operations.WALLET, name=name, **_PURSE))["devWallet"]["address"]
    session = await connection.graphql(operations.SIGN_IN, name=name)
    return Person(connection, name, address, session["devSignIn"]["token"])


async def thread_of_many(connection: Connection, authors: int, size: int) -> str:
    """A thread of `size` published messages by `authors` co-authors in turn; its id."""
    people = [await person(connection, f"author-{number}") for number in range(authors)]
    thread_id = await people[0].create_thread("A page to read")
    texts = bodies()
    for number in range(size):
        author = people[number % authors]
        if 0 < number < authors:
            sent = await author.submission(thread_id, number, texts[number])
            message = (await author.succeed(operations.SUBMIT_MESSAGE, sent))["message"]
            for voter in people[:number]:
                await voter.approve(message["contentHash"])
        else:
            await author.post(thread_id, number, texts[number])
    return thread_id


def bodies() -> Sequence[str]:
    """The texts of the demo's messages."""
    return [line.body for discussion in discussions() for line in discussion.lines]


class Demo:
    """A data directory with the demo data, made once for all benchmarks of a run that want it."""

    def __init__(self, folder: Path) -> None:
        self._data = folder / "demo"
        self._making = asyncio.Lock()
        self._made = False

    async def data(self) -> Path:
        """The folder; no server holds it."""
        async with self._making:
            if not self._made:
                async with serving(self._data, demo=True):
                    self._made = True
        return self._data
