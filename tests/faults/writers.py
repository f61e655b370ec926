"""Clients that write without pause, and remember what they were told: who may rely on what after a crash."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests import operations
from tests.stack import Actor, Json, RunningServer, unique

_WHOLE = ("VERIFIED", "CONFIRMED")
_ROUND = (
    ("createThread", None),
    ("postMessage", None),
    ("submitMessage", None),
    ("castVote", False),
    ("claimEscrow", None),
    ("submitMessage", None),
    ("cancelMessage", None),
    ("refundStake", None),
    ("submitMessage", None),
    ("castVote", True),
    ("divest", None),
)
_BY_GUEST = ("submitMessage", "cancelMessage", "refundStake", "divest")
_WITH_TEXT = ("createThread", "postMessage", "submitMessage")


class UnansweredError(Exception):
    """The server broke off, or an authority was away."""


@dataclass
class Deed:
    """One mutation. `status` is what the server acknowledged: "" for nothing yet, "THREAD" where it is about no
    message."""

    verb: str
    author: Actor
    signed: Json
    thread_id: str
    content_hash: str | None
    body: str
    approve: bool | None = None
    status: str = ""
    outcome: str = ""
    signature: str = ""
    expired: bool = False

    async def run(self) -> None:
        """Send it. Raises UnansweredError where nothing was acknowledged, also where it came too late: on a machine
        that is busy, a minute passes between a kill and the second attempt."""
        payload = (await answer(self.author, operations.MUTATE[self.verb], {"input": self.signed}))[self.verb]
        if payload["__typename"] == "AuthorityUnavailable":
            raise UnansweredError(payload["explanation"])
        if payload["__typename"] == "TransactionExpired":
            self.expired = True
            raise UnansweredError(payload["explanation"])
        assert payload["__typename"].endswith("Success"), (self.verb, payload)
        if payload["update"]["outcome"] not in _WHOLE:
            raise UnansweredError(payload["update"]["outcome"])
        self.outcome = payload["update"]["outcome"]
        self.signature = payload["update"]["signature"]
        self.status = payload["message"]["status"] if "message" in payload else "THREAD"


@dataclass
class Pair:
    """Two wallets: one makes threads, posts, votes and claims, the other submits, takes back and leaves. They go round
    and round through `_ROUND`."""

    owner: Actor
    guest: Actor
    on_begin: Callable[[], None]
    deeds: list[Deed] = field(default_factory=list)
    checked: int = 0
    _place: int = 0

    async def write(self, stopping: asyncio.Event) -> None:
        """Write until told to stop, or until nothing is acknowledged any more: that deed is the last."""
        while not stopping.is_set():
            try:
                deed = await self.begin(*_ROUND[self._place % len(_ROUND)])
                self.on_begin()
                await deed.run()
            except UnansweredError:
                return
            self._place += 1

    def settle(self, *, whole: bool) -> None:
        """Say whether the last, unacknowledged deed turned out whole: if not, it is done anew."""
        self._place += whole

    async def begin(self, verb: str, approve: bool | None = None, *, key: bool | None = None) -> Deed:
        """A deed on the current thread, or on the newest submission: prepared, signed, noted, and not yet sent. Every
        other one has an idempotency key, unless `key` decides; without, its signature serves."""
        author = self.guest if verb in _BY_GUEST else self.owner
        body = unique(f"{next(_PHRASES)} {author.address[:6]}") if verb in _WITH_TEXT else ""
        choices: dict[str, Json] = {
            "createThread": {"title": body},
            "postMessage": {"threadId": self.thread_id, "body": body},
            "submitMessage": {"threadId": self.thread_id, "body": body, "stake": "1000000"},
            "castVote": {"contentHash": self._submitted, "approve": approve},
            "divest": {"threadId": self.thread_id},
        }
        arguments = choices.get(verb, {"contentHash": self._submitted})
        asked = {"wallet": author.address, **arguments}
        prepared = (await answer(author, operations.PREPARE[verb], asked))["prepare"][verb]
        if prepared["__typename"] == "AuthorityUnavailable" or self._is_not_derived(prepared):
            raise UnansweredError(prepared["explanation"])
        assert prepared["__typename"] == "PreparedTransaction", (verb, prepared)
        signed: Json = {"signedTransaction": author.sign(prepared["transaction"])}
        if body:
            signed |= {"title" if verb == "createThread" else "body": body, "salt": prepared["salt"]}
        if len(self.deeds) % 2 if key is None else key:
            signed["idempotencyKey"] = secrets.token_hex(8)
        deed = Deed(verb, author, signed, prepared["threadId"], prepared["contentHash"], body, approve)
        self.deeds.append(deed)
        return deed

    def _is_not_derived(self, prepared: Json) -> bool:
        """Whether the last deed is on chain, as was said, and not in derived state yet, since a store is away."""
        confirmed = bool(self.deeds) and self.deeds[-1].outcome == "CONFIRMED"
        return confirmed and prepared["__typename"] == "NotFound"

    @property
    def thread_id(self) -> str:
        """The thread that is written to now; "" before the first."""
        return next((deed.thread_id for deed in reversed(self.deeds) if deed.verb == "createThread"), "")

    @property
    def awaits_vote(self) -> bool:
        """Whether the newest submission was acknowledged, and nobody has voted on it or taken it back. One that was not
        acknowledged may have happened to nobody."""
        newest = [deed for deed in self.deeds if deed.verb in ("submitMessage", "castVote", "cancelMessage")][-1:]
        return [(deed.verb, deed.status != "") for deed in newest] == [("submitMessage", True)]

    @property
    def _submitted(self) -> str:
        return next((deed.content_hash or "" for deed in reversed(self.deeds) if deed.verb == "submitMessage"), "")


async def answer(author: Actor, query: str, variables: Json) -> Json:
    """An operation's data. Raises UnansweredError where the server breaks off or says that an authority is away."""
    try:
        body = await author.execute(query, variables)
    except (httpx.HTTPError, ValueError) as error:
        raise UnansweredError(repr(error)) from error
    if "errors" in body:
        codes = {error["extensions"]["code"] for error in body["errors"]}
        assert codes == {"AUTHORITY_UNAVAILABLE"}, body["errors"]
        raise UnansweredError(str(codes))
    data: Json = body["data"]
    return data


async def make_pairs(server: RunningServer, count: int, on_begin: Callable[[], None]) -> list[Pair]:
    """Funded, signed in."""
    return [Pair(await server.actor(), await server.actor(), on_begin) for _ in range(count)]


_PHRASES: Any = itertools.cycle(
    (
        "The ferry left before the fog had lifted",
        "Nobody had asked the clockmaker about the thirteenth stroke",
        "A letter in green ink waited behind the mirror",
        "Snow fell upwards in the year that the mill stood still",
        "She counted the rungs twice and came to different numbers",
        "The orchard remembered every hand that had pruned it",
    )
)
