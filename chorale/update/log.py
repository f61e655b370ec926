"""Where every update stands: in memory for those who watch, in the session store for after a restart."""

from __future__ import annotations

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

from chorale.domain.content import ContentKey, ContentKind
from chorale.domain.events import TransactionRecord
from chorale.domain.measures import Measures
from chorale.domain.ports import SessionStore
from chorale.domain.updates import Outcome, Step, StepName, StepState, UpdateState

_KEPT = 4_096
_WAITING = tuple(Step(name, StepState.WAITING) for name in StepName)


@dataclass(frozen=True, slots=True)
class UpdateFacts:
    """What it takes to finish an update without its command. `thread_id` is None where it is about no thread.

    `receipt_height` is a block height at which the transaction had been received, None until it is needed. `own` tells
    whether it came through this server, `brings_content` whether it brought bytes: a title, where `title_hash` is
    given. They were staged until `lease_until` (unix s, 0 where they were not).
    """

    signature: str
    wallet: str
    thread_id: str | None
    content_hash: str | None
    receipt_height: int | None = None
    own: bool = True
    brings_content: bool = False
    title_hash: str | None = None
    lease_until: int = 0

    @property
    def staged(self) -> ContentKey | None:
        """The point of the bytes that were staged for it."""
        if not self.lease_until or self.thread_id is None:
            return None
        if self.title_hash is not None:
            return ContentKey(ContentKind.TITLE, self.thread_id, self.title_hash)
        return ContentKey(ContentKind.MESSAGE, self.thread_id, self.content_hash or "")


def begun(signature: str) -> UpdateState:
    """The state of an update of which nothing has been done yet."""
    return UpdateState(signature, None, Outcome.RUNNING, _WAITING)


def unseen(signature: str) -> UpdateState:
    """The state of a transaction that nobody has seen."""
    return replace(begun(signature), outcome=Outcome.UNKNOWN)


def landed(record: TransactionRecord, outcome: Outcome, detail: str) -> UpdateState:
    """The end of an update that left nothing to propagate."""
    done = StepState.DONE if record.succeeded else StepState.FAILED
    steps = (
        Step(StepName.UPDATE_AUTHORITY, StepState.DONE),
        Step(StepName.AWAIT_CONFIRMATION, done, detail=detail),
        *(Step(name, StepState.DONE if record.succeeded else StepState.WAITING) for name in tuple(StepName)[2:]),
    )
    return UpdateState(record.signature, record.slot, outcome, steps)


class _Entry:
    def __init__(self, state: UpdateState) -> None:
        self.state = state
        self.changed = asyncio.Event()
        self.counted = Outcome.RUNNING  # the last outcome that was measured


class UpdateLog:
    """States by signature. `ttl` is in seconds; memory keeps the newest, and those that have not ended."""

    def __init__(self, sessions: SessionStore, ttl: float, measures: Measures | None = None) -> None:
        self._sessions = sessions
        self._ttl = ttl
        self._measures = measures
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    def show(self, state: UpdateState) -> None:
        """Make a state known to who follows."""
        entry = self._entries.get(state.signature)
        if entry is None:
            self._entries[state.signature] = _Entry(state)
            if len(self._entries) > _KEPT:
                ended = (key for key, kept in self._entries.items() if kept.state.outcome.is_final)
                self._entries.pop(next(ended, state.signature))
            return
        entry.state = state
        entry.changed.set()
        entry.changed = asyncio.Event()

    def forget_unseen(self, signature: str) -> None:
        """Drop a transaction that nobody has seen."""
        if self.current(signature) == unseen(signature):
            del self._entries[signature]

    async def keep(self, facts: UpdateFacts, state: UpdateState) -> None:
        """Make a state known and durable."""
        self.show(state)
        self._measure(state)
        record = json.dumps({"facts": asdict(facts), "state": asdict(state)}).encode()
        await self._sessions.put(_key(facts.signature), record, self._ttl)

    def _measure(self, state: UpdateState) -> None:
        entry = self._entries.get(state.signature)
        if self._measures is None or entry is None or entry.counted is state.outcome:
            return
        entry.counted = state.outcome
        self._measures.updated(state.outcome)
        propagate = next(step for step in state.steps if step.name is StepName.PROPAGATE)
        if state.outcome.is_final and propagate.state is StepState.DONE and propagate.duration_ms is not None:
            self._measures.propagated(propagate.duration_ms / 1000)

    def current(self, signature: str) -> UpdateState | None:
        """The state in memory."""
        entry = self._entries.get(signature)
        return None if entry is None else entry.state

    async def kept(self, signature: str) -> tuple[UpdateFacts, UpdateState] | None:
        """What was made durable."""
        record = await self._sessions.get(_key(signature))
        if record is None:
            return None
        found = json.loads(record)
        return UpdateFacts(**found["facts"]), _state(found["state"])

    async def follow(self, signature: str) -> AsyncIterator[UpdateState]:
        """The state in memory now and at every change (coalesced), to its end. Empty where it is not in memory."""
        entry = self._entries.get(signature)
        while entry is not None:
            changed, state = entry.changed, entry.state
            yield state
            if state.outcome.is_final:
                return
            if entry.state is state:
                await changed.wait()


class Progress:
    """The four steps of one update, timed. Nothing is shown before `publish`."""

    def __init__(self, log: UpdateLog, state: UpdateState) -> None:
        self.state = state
        self._log = log
        self._published = False

    @property
    def published(self) -> bool:
        """Whether anybody can know of this update."""
        return self._published

    def publish(self) -> None:
        """From now on every change is shown."""
        self._published = True
        self._log.show(self.state)

    def set(self, *, outcome: Outcome | None = None, slot: int | None = None, cursor: str | None = None) -> None:
        """Change what is not a step."""
        state = self.state
        self._change(
            replace(state, outcome=outcome or state.outcome, slot=slot or state.slot, cursor=cursor or state.cursor)
        )

    @contextmanager
    def step(self, name: StepName) -> Iterator[None]:
        """The step runs inside the block; an exception fails it and goes on."""
        self._step(Step(name, StepState.RUNNING))
        began = time.perf_counter()
        try:
            yield
        except BaseException as error:
            self._step(Step(name, StepState.FAILED, _milliseconds(began), str(error) or type(error).__name__))
            raise
        if self._at(name).state is StepState.RUNNING:
            self._step(Step(name, StepState.DONE, _milliseconds(began), self._at(name).detail))

    def note(self, name: StepName, detail: str) -> None:
        """A remark on a running step."""
        self._step(replace(self._at(name), detail=detail))

    def pause(self, name: StepName, detail: str) -> None:
        """A running step that will be taken up again later."""
        self._step(Step(name, StepState.WAITING, detail=detail))

    def _at(self, name: StepName) -> Step:
        return next(step for step in self.state.steps if step.name is name)

    def _step(self, changed: Step) -> None:
        steps = tuple(changed if step.name is changed.name else step for step in self.state.steps)
        self._change(replace(self.state, steps=steps))

    def _change(self, state: UpdateState) -> None:
        self.state = state
        if self._published:
            self._log.show(state)


def _milliseconds(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 3)


def _key(signature: str) -> str:
    return f"update:{signature}"


def _state(found: dict[str, object]) -> UpdateState:
    fields = dict(found)
    steps = fields.pop("steps")
    assert isinstance(steps, list)
    return UpdateState(
        **{
            **fields,  # type: ignore[arg-type]  # written by `keep` from the same fields
            "outcome": Outcome(str(fields["outcome"])),
            "steps": tuple(
                Step(StepName(step["name"]), StepState(step["state"]), step["duration_ms"], step["detail"])
                for step in steps
            ),
        }
    )
