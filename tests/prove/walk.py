"""Steps in a row through one world, with the audit beside, and an end in which everything owed is paid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from chorale.domain.accounts import StatusByte
from chorale.domain.model.values import TokenAccount
from chorale.domain.model.world import Outcome
from programs import instructions
from programs.wire import key_text
from tests.prove import calls, events
from tests.prove.audit import Audit, holds
from tests.prove.mutations import mutated
from tests.prove.pick import Pick, chance, weighted
from tests.prove.profiles import CALL_WEIGHTS, Profile
from tests.prove.scene import Scene, ThreadRecord

FULL_AUDIT_EVERY = 50
EVENTS_PERCENT = 12
MUTATIONS_PERCENT = 18
SUBMISSIONS = 8  # tried once the first threads are there, so that something waits from the start
_BEFORE_THREADS = ((calls.initialize, 20), (calls.create_thread, 3), (calls.withdraw_treasury, 1), (calls.configure, 1))


@dataclass
class Walk:
    """One world. `watch` is told of every call's instruction and outcome; with `described`, steps are kept in words."""

    profile: Profile
    watch: Callable[[str, Outcome], None] = lambda *_: None
    described: bool = False
    calls: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.scene = Scene(self.profile.wallets, self._watch)
        self.scene.described = self.described
        self.audit = Audit(self.scene)

    def step(self, pick: Pick) -> None:
        """One call, mostly as it should be, or something that happens beside. Raises Difference."""
        scene = self.scene
        if scene.threads and chance(pick, EVENTS_PERCENT):
            event = weighted(pick, self.profile.events)
            scene.steps.append(event.__name__)
            event(scene, pick)
            if event is events.deposit:
                self.audit.rebase()
            return
        build = weighted(pick, CALL_WEIGHTS if scene.threads else _BEFORE_THREADS)
        instruction = build(scene, pick)
        if instruction is None:
            return
        if chance(pick, MUTATIONS_PERCENT):
            instruction = mutated(scene, pick, instruction)
        scene.execute(instruction)
        if scene.protocol and not scene.threads:
            self.profile.prepare(scene, pick)
            self.audit.rebase()
            for _ in range(SUBMISSIONS):
                scene.execute(calls.submit_message(scene, pick))

    def finish(self) -> None:
        """Whatever has happened, time brings every stake to a decision or back, and every share can be taken out."""
        scene = self.scene
        keys = [*(scene.home(wallet) for wallet in scene.wallets), scene.treasury]
        keys += [record.vault for record in scene.threads]
        frozen = [key for key in keys if isinstance(v := scene.value(key), TokenAccount) and v.frozen]
        events.thaw(scene, frozen)
        sound = [record for record in scene.threads if record.sound]
        expiries = [scene.message(record, h).expires_at for record in sound for h in record.messages]
        scene.set_time(max([scene.world.now, *expiries]))
        for record in sound:
            self._settle(record)
            self._empty(record)
        self.audit.full()

    def _settle(self, record: ThreadRecord) -> None:
        scene, program = self.scene, self.scene.program
        for content_hash in record.messages:
            message = scene.message(record, content_hash)
            where = {"thread_id": record.thread_id, "content_hash": content_hash}
            if message.status is StatusByte.PENDING:
                self._must(scene.execute(instructions.expire(program, **where)))
            message = scene.message(record, content_hash)
            if message.escrow_remaining and message.status is not StatusByte.DENIED:
                self._pay(instructions.refund, message.author, where)
            for vote in message.votes if message.status is StatusByte.DENIED and message.share else []:
                if not vote.claimed:
                    self._pay(instructions.claim, vote.voter, where)
        thread = scene.thread(record)
        if scene.world.tokens(record.vault) > thread.token_balance:
            self._must(scene.execute(instructions.sweep(program, thread_id=record.thread_id)))
        thread = scene.thread(record)
        holds(thread.owned == thread.token_balance == scene.world.tokens(record.vault), "something is owed for ever")

    def _empty(self, record: ThreadRecord) -> None:
        scene = self.scene
        seats = scene.thread(record).seats
        for seat in [*seats[1:], seats[0]]:
            self._must(
                scene.execute(
                    instructions.divest(
                        scene.program,
                        co_author=key_text(seat.key),
                        destination=key_text(scene.home(seat.key)),
                        thread_id=record.thread_id,
                        min_payout=0,
                    )
                )
            )
        holds(scene.world.tokens(record.vault) == 0, "the last co-author has left something behind")

    def _pay(self, build: Callable[..., object], payee: bytes, where: dict[str, str]) -> None:
        scene = self.scene
        destination = key_text(scene.home(payee))
        instruction = build(scene.program, payee=key_text(payee), destination=destination, **where)
        self._must(scene.execute(instruction))  # type: ignore[arg-type]

    def _must(self, outcome: Outcome) -> None:
        holds(isinstance(outcome, str), f"at the end nothing may be refused, but there is {outcome!r}")

    def _watch(self, name: str, outcome: Outcome) -> None:
        self.audit.step(name, outcome)
        self.calls += 1
        if self.calls % FULL_AUDIT_EVERY == 0:
            self.audit.full()
        self.watch(name, outcome)
