"""The same request twice is one update: at once, later, after a restart, and signed anew under the same key."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from solders.compute_budget import set_compute_unit_limit

from chorale.domain.commands import CreateThread, UpdateResult
from chorale.domain.events import EventKind, EventPosition
from chorale.domain.ports import Chain, SessionStore
from chorale.domain.updates import Outcome, Refusal
from chorale.state_update import StateUpdates
from chorale.update.idempotency import Keys
from chorale.update.log import UpdateFacts
from tests.chains import signature_of
from tests.patience import PATIENCE
from tests.spine.desk import LIMITS, Desk, open_desk
from tests.spine.parts import Actor, Parts

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def kinds(parts: Parts, thread_id: str) -> list[EventKind]:
    batch = await parts.index.events_after(thread_id, EventPosition("", 0, thread_id, 0, 0), 100)
    return [event.kind for event in batch.events]


async def test_concurrent_calls_share_one_run(desk: Desk, ana: Actor) -> None:
    draft = ana.thread("Once")
    command = CreateThread(signed_transaction=await desk.sign(ana, draft), title="Once", salt=draft.content.salt)
    keyed = replace(command, idempotency_key="k")
    commands = [replace(which, client_mutation_id=str(at)) for at in range(4) for which in (command, keyed)]
    results = [await result for result in [asyncio.ensure_future(desk.run(command)) for command in commands]]
    assert [result.update.client_mutation_id for result in results] == [c.client_mutation_id for c in commands]
    assert {replace(result.update, client_mutation_id=None) for result in results} == {
        replace(results[0].update, client_mutation_id=None)
    }
    assert await kinds(desk.parts, results[0].thread_id) == [EventKind.THREAD_CREATED, EventKind.UPDATE_VERIFIED]


async def test_a_key_stands_for_one_instruction_and_content(desk: Desk, ana: Actor, ben: Actor) -> None:
    draft, other = ana.thread("Keyed"), ana.thread("Other")
    first = CreateThread(
        signed_transaction=await desk.sign(ana, draft), title="Keyed", salt=draft.content.salt, idempotency_key="one"
    )
    result = await desk.run(first)

    # The same instruction signed anew, as after a lost answer: the stored result, and nothing is sent.
    anew = replace(first, signed_transaction=await desk.sign(ana, draft, set_compute_unit_limit(150_000)))
    assert signature_of(anew.signed_transaction) != signature_of(first.signed_transaction)
    before = await desk.picture()
    again = await desk.run(anew)
    assert again.update == result.update
    assert again.thread == result.thread
    assert await desk.picture() == before

    conflicting = CreateThread(
        signed_transaction=await desk.sign(ana, other), title="Other", salt=other.content.salt, idempotency_key="one"
    )
    refusal = await desk.refused(conflicting)
    assert (refusal.problem, refusal.code) == ("IdempotencyConflict", "IDEMPOTENCY_CONFLICT")
    assert await desk.picture() == before

    # Scoped to the signer and to the mutation.
    mine = ben.thread("Ben's")
    await desk.run(
        CreateThread(
            signed_transaction=await desk.sign(ben, mine), title="Ben's", salt=mine.content.salt, idempotency_key="one"
        )
    )
    await desk.run(await desk.posting(ana, ana.post(result.thread_id, "Mine too"), idempotency_key="one"))


async def test_concurrent_calls_with_one_key_and_other_content_conflict(desk: Desk, ana: Actor) -> None:
    drafts = [ana.thread(title) for title in ("A", "B")]
    commands = [
        CreateThread(
            signed_transaction=await desk.sign(ana, draft),
            title=draft.content.body,
            salt=draft.content.salt,
            idempotency_key="both",
        )
        for draft in drafts
    ]
    answers = await asyncio.gather(*(desk.updates.run(command) for command in commands))
    assert sorted(type(answer).__name__ for answer in answers) == ["Refusal", "UpdateResult"]
    assert [answer.problem for answer in answers if isinstance(answer, Refusal)] == ["IdempotencyConflict"]


async def test_a_refused_command_does_not_use_its_key_up(desk: Desk, ana: Actor) -> None:
    thread = await desk.create(ana)
    thread_id = thread.content.key.thread_id
    newcomer = Actor(desk.running, await desk.running.wallet(tokens=0))
    draft = newcomer.submit(thread_id, "Broke today")
    command = await desk.submission(newcomer, draft, idempotency_key="again")
    assert (await desk.refused(command)).problem == "InsufficientFunds"
    await desk.running.fund(newcomer.key)
    assert (await desk.run(command)).update.outcome is Outcome.VERIFIED


async def test_results_survive_a_restart(parts: Parts, ana: Actor, tmp_path: Path) -> None:
    async with open_desk(parts, tmp_path) as desk:
        draft = ana.thread("Kept")
        command = CreateThread(
            signed_transaction=await desk.sign(ana, draft), title="Kept", salt=draft.content.salt, idempotency_key="k"
        )
        result = await desk.run(command)
    async with open_desk(parts, tmp_path) as desk:
        assert await desk.updates.state(result.update.signature) == result.update
        assert [state async for state in desk.updates.follow(result.update.signature)] == [result.update]
        again = await desk.run(command)
        assert again == replace(result, slot=again.slot)  # the thread is read again, perhaps a slot later
        assert again.slot >= result.slot
        assert again.update.cursor == result.update.cursor


async def test_an_update_goes_on_where_its_caller_leaves(desk: Desk, ana: Actor) -> None:
    draft = ana.thread("Left alone")
    command = CreateThread(signed_transaction=await desk.sign(ana, draft), title="Left alone", salt=draft.content.salt)
    signature = signature_of(command.signed_transaction)
    caller = asyncio.create_task(desk.updates.run(command))
    while await desk.updates.state(signature) is None:
        await asyncio.sleep(0)
    caller.cancel()
    async with asyncio.timeout(PATIENCE):
        states = [state async for state in desk.updates.follow(signature)]
    assert states[-1].outcome is Outcome.VERIFIED
    assert isinstance(await desk.updates.run(command), UpdateResult)


class Held:
    """A session store whose owner is held up as soon as it has taken an idempotency key."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.taken, self.go_on = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def add(self, key: str, value: bytes, ttl: float) -> bool:
        """See SessionStore."""
        added: bool = await self._real.add(key, value, ttl)
        if key.startswith("idempotency:"):
            self.taken.set()
            await self.go_on.wait()
        return added


class Asked:
    """The chain; tells which transactions were sent through it, and when it is asked what became of one."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.sent: list[str] = []
        self.asked = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def send(self, transaction: bytes) -> str:
        """See Chain."""
        self.sent.append(signature_of(transaction))
        self.asked.set()
        signature: str = await self._real.send(transaction)
        return signature

    async def confirm(self, signature: str, timeout: float) -> Any:
        """See Chain."""
        self.asked.set()
        return await self._real.confirm(signature, timeout)


async def test_replicas_send_one_transaction_under_one_key(parts: Parts, ana: Actor, tmp_path: Path) -> None:
    """The second finds the key taken by a transaction that has not been sent yet, and waits for that."""
    one, two = Asked(parts.chain), Asked(parts.chain)
    async with (
        open_desk(parts, tmp_path, chain=cast("Chain", one)) as first,
        open_desk(parts, tmp_path, chain=cast("Chain", two)) as second,
    ):
        draft = ana.thread("Twice")
        command = CreateThread(
            signed_transaction=await first.sign(ana, draft), title="Twice", salt=draft.content.salt, idempotency_key="k"
        )
        anew = replace(command, signed_transaction=await first.sign(ana, draft, set_compute_unit_limit(150_000)))
        held = Held(first.sessions)
        slow = StateUpdates(
            cast("Chain", one), parts.content, parts.embedder, parts.projector, cast("SessionStore", held), LIMITS
        )
        async with asyncio.timeout(PATIENCE):
            results = [asyncio.create_task(slow.run(command))]
            await held.taken.wait()
            results.append(asyncio.create_task(second.updates.run(anew)))
            await two.asked.wait()
            held.go_on.set()
            done = await asyncio.gather(*results)
        await slow.close()
    signature = signature_of(command.signed_transaction)
    assert (one.sent, two.sent) == ([signature], [])
    assert [isinstance(each, UpdateResult) and each.update.signature for each in done] == [signature, signature]


async def test_of_several_one_takes_the_place_of_a_dead_transaction(desk: Desk) -> None:
    """Whoever comes later finds that one, whether or not it had come to write it down."""
    keys = Keys(desk.sessions, desk.running.program_id, 60.0)
    scope = keys.scope("wallet", "sweep", "k")
    dead, heir, late = (UpdateFacts(name, "wallet", None, None) for name in ("dead", "heir", "late"))
    assert await keys.claim(scope, "digest", dead, None)
    assert not await keys.claim(scope, "digest", heir, None)
    assert await keys.claim(scope, "digest", dead, dead)
    assert await keys.claim(scope, "digest", heir, dead)
    assert not await keys.claim(scope, "digest", late, dead)
    assert await keys.claim(scope, "digest", heir, dead)
    assert await keys.holder(scope, "digest") == heir
    assert await keys.claim(scope, "digest", late, heir)
    assert await keys.holder(scope, "digest") == late
