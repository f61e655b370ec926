"""Where an authority fails in the middle, the caller is told what is known, and the update is settled later."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from solders.signature import Signature

from chorale.domain.approval import MessageStatus
from chorale.domain.chain import Commitment, SignatureStatus, TransactionRefusedError
from chorale.domain.commands import CreateThread
from chorale.domain.content import Content, ContentKey, FetchedContent, StoredContent
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.events import EventKind, EventPosition
from chorale.domain.updates import Authority, Outcome, StepState
from chorale.update import late
from chorale.update.late import BLOCKHASH_LIFETIME
from tests.chains import signature_of
from tests.spine.desk import LIMITS, Desk, open_desk
from tests.spine.parts import Actor, Parts

pytestmark = pytest.mark.asyncio(loop_scope="session")

IMPATIENT = replace(LIMITS, confirm_timeout=0.2)


class Unreliable:
    """Stands before a real port and fails on demand; all else passes through."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class LossyChain(Unreliable):
    """Loses what is sent while `lost`; `away` fails sends after they have been passed on."""

    lost = True
    away = False
    older = 0

    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self.received = asyncio.Event()

    async def send(self, transaction: bytes) -> str:
        if self.lost:
            return signature_of(transaction)
        signature: str = await self._real.send(transaction)
        if self.away:
            raise AuthorityUnavailableError(Authority.SOLANA)
        return signature

    async def confirm(self, signature: str, timeout: float) -> SignatureStatus | None:
        status: SignatureStatus | None = await self._real.confirm(signature, timeout)
        return status

    async def block_height(self, commitment: Commitment = Commitment.CONFIRMED) -> int:
        height: int = await self._real.block_height(commitment)
        self.received.set()
        return height + self.older


class AbsentContent(Unreliable):
    """A store that is away."""

    async def stage(self, content: Content, *, lease_until: int) -> StoredContent:
        raise AuthorityUnavailableError(Authority.QDRANT)


class CorruptContent(Unreliable):
    """A store that reads back other facts than were written."""

    changes: Mapping[str, Any] = {}

    async def fetch(self, keys: Sequence[ContentKey]) -> Mapping[ContentKey, FetchedContent]:
        fetched: Mapping[ContentKey, FetchedContent] = await self._real.fetch(keys)
        return {
            key: replace(answer, stored=replace(answer.stored, **self.changes)) if answer.stored else answer
            for key, answer in fetched.items()
        }


async def creation(desk: Desk, actor: Actor) -> CreateThread:
    draft = actor.thread("Faults")
    return CreateThread(signed_transaction=await desk.sign(actor, draft), title="Faults", salt=draft.content.salt)


async def final(desk: Desk, signature: str) -> Outcome:
    states = [state async for state in desk.updates.follow(signature)]
    return states[-1].outcome


async def test_unknown_is_told_and_settled_later(parts: Parts, ana: Actor, tmp_path: Path) -> None:
    chain = LossyChain(parts.chain)
    async with open_desk(parts, tmp_path, chain=chain, limits=IMPATIENT) as desk:
        command = await creation(desk, ana)
        result = await desk.run(command)
        assert result.update.outcome is Outcome.UNKNOWN
        assert result.thread is None
        assert [step.state for step in result.update.steps] == [StepState.DONE, *[StepState.WAITING] * 3]
        await desk.running.send_raw(command.signed_transaction)
        assert await final(desk, result.update.signature) is Outcome.VERIFIED
        settled = await desk.run(command)
        assert settled.thread is not None
        assert settled.update.outcome is Outcome.VERIFIED


async def test_unknown_is_settled_after_a_restart(parts: Parts, ana: Actor, tmp_path: Path) -> None:
    async with open_desk(parts, tmp_path, chain=LossyChain(parts.chain), limits=IMPATIENT) as desk:
        command = await creation(desk, ana)
        signature = (await desk.run(command)).update.signature
    await parts.running.send_raw(command.signed_transaction)
    async with open_desk(parts, tmp_path) as desk:
        known = await desk.updates.state(signature)
        assert known is not None
        assert known.outcome is Outcome.UNKNOWN
        assert await final(desk, signature) is Outcome.VERIFIED
        thread_id = (await desk.run(command)).thread_id
    batch = await parts.index.events_after(thread_id, EventPosition("", 0, thread_id, 0, 0), 10)
    assert [event.kind for event in batch.events] == [EventKind.THREAD_CREATED, EventKind.UPDATE_VERIFIED]


async def test_a_search_ends_with_its_last_follower_and_keeps_nobody_out(
    parts: Parts, ana: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signatures that nobody has seen fill the table only while they are followed; own updates need no place in it."""
    monkeypatch.setattr(late, "_MOST", 1)
    unknown = [str(Signature.new_unique()) for _ in range(2)]
    async with open_desk(parts, tmp_path, chain=LossyChain(parts.chain), limits=IMPATIENT) as desk:
        first, second, third = (desk.updates.follow(signature) for signature in (unknown[0], *unknown))
        assert (await anext(first)).outcome is (await anext(second)).outcome is Outcome.UNKNOWN
        with pytest.raises(AuthorityUnavailableError):
            await anext(third)
        for _ in range(2):
            assert (await desk.run(await creation(desk, ana))).update.outcome is Outcome.UNKNOWN
        searches = [task for task in asyncio.all_tasks() if task.get_name() == f"late update {unknown[0][:8]}"]
        await first.aclose()
        await asyncio.sleep(0)
        assert not searches[0].done()
        await second.aclose()
        await asyncio.gather(*searches, return_exceptions=True)
        assert searches[0].cancelled()
        assert await desk.updates.state(unknown[0]) is None
        fourth = desk.updates.follow(unknown[1])
        assert (await anext(fourth)).outcome is Outcome.UNKNOWN
        await fourth.aclose()


async def test_a_blockhash_that_one_node_misses_is_not_expired(parts: Parts, ana: Actor, tmp_path: Path) -> None:
    """Refused unsent the caller may try again; sent already, it is waited for."""

    class Lagging(Unreliable):
        call = "simulate"

        async def simulate(self, transaction: bytes) -> Any:
            if self.call == "simulate":
                raise TransactionRefusedError("BlockhashNotFound", (), "Blockhash not found")
            return await self._real.simulate(transaction)

        async def send(self, transaction: bytes) -> str:
            if self.call == "send":
                self.call = ""
                raise TransactionRefusedError("BlockhashNotFound", (), "Blockhash not found")
            signature: str = await self._real.send(transaction)
            return signature

    chain = Lagging(parts.chain)
    async with open_desk(parts, tmp_path, chain=chain) as desk:
        command = await creation(desk, ana)
        refusal = await desk.refused(command)
        assert (refusal.problem, refusal.code, refusal.retryable) == (
            "AuthorityUnavailable", "BLOCKHASH_NOT_FOUND", True,
        )  # fmt: skip
        chain.call = "send"
        assert (await desk.run(command)).update.outcome is Outcome.VERIFIED


async def test_an_author_keeps_so_many_unsent_texts(parts: Parts, tmp_path: Path) -> None:
    """One more than that is refused with nothing kept; what is kept already may be sent again."""
    actor = Actor(parts.running, await parts.running.wallet())
    limits = replace(IMPATIENT, staged_per_author=2)
    async with open_desk(parts, tmp_path, chain=LossyChain(parts.chain), limits=limits) as desk:
        kept = [await creation(desk, actor) for _ in range(2)]
        for command in kept:
            await desk.run(command)
        refusal = await desk.refused(await creation(desk, actor))
        assert (refusal.problem, refusal.code) == ("TransactionRejected", "TOO_MANY_STAGED")
        assert await parts.content.staged_by(actor.key) == 2
        assert (await desk.run(kept[0])).update.outcome is Outcome.UNKNOWN


async def test_expired_is_said_only_when_it_is_sure(parts: Parts, ana: Actor, tmp_path: Path) -> None:
    chain = LossyChain(parts.chain)
    async with open_desk(parts, tmp_path, chain=chain, limits=IMPATIENT) as desk:
        command = await creation(desk, ana)
        signature = (await desk.run(replace(command, idempotency_key="k"))).update.signature
        await chain.received.wait()
        chain.older = BLOCKHASH_LIFETIME + 100  # as if that many blocks had passed since
        assert await final(desk, signature) is Outcome.EXPIRED
        # The key stands for nothing now: the same instruction signed anew takes it over.
        chain.lost, chain.older = False, 0
        result = await desk.run(replace(command, idempotency_key="k"))
        assert await final(desk, result.update.signature) is Outcome.VERIFIED


async def test_a_dropped_transaction_is_sent_again(parts: Parts, ana: Actor, tmp_path: Path) -> None:
    chain = LossyChain(parts.chain)

    class Once(LossyChain):
        async def confirm(self, signature: str, timeout: float) -> SignatureStatus | None:
            chain.lost = False
            status: SignatureStatus | None = await parts.chain.confirm(signature, 0.1 if timeout > 1 else timeout)
            return status

    once = Once(chain)
    once.lost = False
    async with open_desk(parts, tmp_path, chain=once) as desk:
        result = await desk.run(await creation(desk, ana))
        assert result.update.outcome is Outcome.VERIFIED


async def test_an_answer_lost_after_sending_is_no_failure(parts: Parts, ana: Actor, tmp_path: Path) -> None:
    chain = LossyChain(parts.chain)
    chain.lost, chain.away = False, True
    async with open_desk(parts, tmp_path, chain=chain) as desk:
        result = await desk.run(await creation(desk, ana))
        assert result.update.outcome is Outcome.VERIFIED


async def test_without_its_store_nothing_is_sent(parts: Parts, ana: Actor, tmp_path: Path) -> None:
    async with open_desk(parts, tmp_path, content=AbsentContent(parts.content)) as desk:
        command = await creation(desk, ana)
        before = await desk.picture()
        refusal = await desk.refused(command)
        assert (refusal.problem, refusal.authority, refusal.retryable) == (
            "AuthorityUnavailable", Authority.QDRANT, True,
        )  # fmt: skip
        assert await desk.picture() == before
        assert await parts.chain.status(signature_of(command.signed_transaction)) is None


@pytest.mark.parametrize(
    ("changes", "conflict"),
    [
        ({"body": "Altered bytes"}, "do not hash"),
        ({"status": MessageStatus.DENIED}, "status"),
        ({"author": "11111111111111111111111111111111"}, "author"),
        ({"voters": ("11111111111111111111111111111111",)}, "voters"),
        ({"sequence": 1_000}, "above a finalized read"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
async def test_what_differs_is_diverged_by_name(
    parts: Parts, ana: Actor, tmp_path: Path, changes: Mapping[str, Any], conflict: str
) -> None:
    content = CorruptContent(parts.content)
    async with open_desk(parts, tmp_path, content=content) as desk:
        thread_id = (await desk.run(await creation(desk, ana))).thread_id
        content.changes = changes
        result = await desk.run(await desk.posting(ana, ana.post(thread_id, "Seen otherwise")))
        # A point above the chain is only told once that is finalized: until then the update stays CONFIRMED.
        assert await final(desk, result.update.signature) is Outcome.DIVERGED
        update = await desk.updates.state(result.update.signature)
        assert update is not None
        assert conflict in (update.steps[3].detail or "")
        assert result.message is not None
        batch = await parts.index.events_after(thread_id, EventPosition("", 0, thread_id, 0, 0), 10)
        assert (batch.events[-1].kind, batch.events[-1].signature) == (
            EventKind.UPDATE_DIVERGED, result.update.signature,
        )  # fmt: skip


async def test_a_point_left_behind_is_projected_again(parts: Parts, ana: Actor, tmp_path: Path) -> None:
    """The first read shows the point as it was staged; verification asks for it again and does not diverge."""

    class Behind(Unreliable):
        reads = 0

        async def fetch(self, keys: Sequence[ContentKey]) -> Mapping[ContentKey, FetchedContent]:
            self.reads += 1
            if self.reads == 1:
                fetched: Mapping[ContentKey, FetchedContent] = await self._real.fetch(keys)
                return {
                    key: replace(answer, stored=replace(answer.stored, status=MessageStatus.STAGED, sequence=0))
                    for key, answer in fetched.items()
                    if answer.stored
                }
            answers: Mapping[ContentKey, FetchedContent] = await self._real.fetch(keys)
            return answers

    async with open_desk(parts, tmp_path) as desk:
        thread_id = (await desk.run(await creation(desk, ana))).thread_id
    content = Behind(parts.content)
    async with open_desk(parts, tmp_path, content=content) as desk:
        result = await desk.run(await desk.posting(ana, ana.post(thread_id, "Late to arrive")))
        assert result.update.outcome is Outcome.VERIFIED
        assert content.reads == 2
