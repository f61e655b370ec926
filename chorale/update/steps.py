"""The four steps of an update, each on its own: what it calls, when it has ended, and what it leaves behind."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from chorale.domain.chain import SignatureStatus
from chorale.domain.conflict import Conflict
from chorale.domain.content import Content, ContentKind, Embedding
from chorale.domain.cursors import event_cursor
from chorale.domain.errors import ChoraleError
from chorale.domain.events import EventKind, EventPosition, NewEvent
from chorale.domain.ports import Chain, ContentStore, Embedder
from chorale.domain.updates import Outcome, Refusal, StepName
from chorale.limits import Limits
from chorale.projector import Projector
from chorale.reconciliation.sightings import diverged_conflict
from chorale.update.acceptance import Acceptance, Accepted
from chorale.update.admission import Admission
from chorale.update.landing import Landing
from chorale.update.log import Progress, UpdateFacts, UpdateLog
from chorale.update.protocol_verification import verify_protocol
from chorale.update.staging import Staging
from chorale.update.verification import Verification, Verified

_log = logging.getLogger(__name__)

_GONE = (Outcome.EXPIRED, Outcome.REJECTED)


@dataclass(frozen=True, slots=True)
class Authorities:
    """The systems that an update goes through."""

    chain: Chain
    content: ContentStore
    embedder: Embedder
    projector: Projector
    found: Callable[[Conflict], None]  # takes what was read back unequal; must not wait


class UpdateSteps:
    """Steps take the update's facts and its progress, which they time and show."""

    def __init__(
        self,
        authorities: Authorities,
        acceptance: Acceptance,
        verification: Verification,
        log: UpdateLog,
        limits: Limits,
    ) -> None:
        self._embedder = authorities.embedder
        self._projector = authorities.projector
        self._found = authorities.found
        self._staging = Staging(authorities.content, authorities.projector, limits)
        self._landing = Landing(authorities.chain, acceptance, limits)
        self._verification = verification
        self._updates = log
        self._limits = limits

    async def stage(self, accepted: Accepted) -> int:
        """Keep the bytes; see Staging."""
        return await self._staging.keep(accepted)

    async def send(self, admission: Admission, accepted: Accepted) -> Refusal | None:
        """Hand the transaction to Solana, if it has not landed; see Landing."""
        return None if accepted.landed is not None else await self._landing.send(admission)

    async def embed(self, accepted: Accepted) -> None:
        """Vectors of a message, handed to the projector; without them it makes its own."""
        content: Content | None = accepted.content
        if content is None or content.key.kind is not ContentKind.MESSAGE or accepted.landed is not None:
            return
        # Offered before it is done: the watcher may see the transaction first, and would compute the same again.
        embedding = asyncio.create_task(self._embedded(content.body), name=f"embed {content.key.hash[:8]}")
        self._projector.offer_embedding(content.key, embedding)
        try:
            await embedding
        except ChoraleError as error:
            _log.warning("The text of %s was not embedded ahead: %s", content.key.hash, error)

    async def _embedded(self, text: str) -> Embedding:
        return (await self._embedder.embed([text]))[0]

    async def await_confirmation(
        self,
        facts: UpdateFacts,
        progress: Progress,
        *,
        raw: bytes | None = None,
        landed: SignatureStatus | None = None,
    ) -> SignatureStatus | None:
        """Where it landed, well or failed; None while nobody knows, and where it has expired. The outcome tells which.

        `raw` is sent again now and then; `landed` is what is known already.
        """
        with progress.step(StepName.AWAIT_CONFIRMATION):
            status = await self._landing.status(facts.signature, raw, landed)
            gone = status is None and await self._landing.has_expired(facts)
            if status is None:
                detail = "expired" if gone else "not confirmed in time; settled later"
                progress.pause(StepName.AWAIT_CONFIRMATION, detail)
            elif status.error is not None:
                progress.note(StepName.AWAIT_CONFIRMATION, f"failed on chain: {status.error}")
        if status is None:
            await self.end(facts, progress, Outcome.EXPIRED if gone else Outcome.UNKNOWN)
        elif status.error is not None:
            progress.set(slot=status.slot)
            await self.end(facts, progress, Outcome.REJECTED)
        else:
            heard = self._projector.progress.knows(facts.signature, status.slot)
            if facts.thread_id is not None and not heard:
                await self._projector.floors.confirmed(facts.thread_id, facts.content_hash, status.slot)
            progress.set(outcome=Outcome.CONFIRMED, slot=status.slot)
        return status

    async def propagate(self, facts: UpdateFacts, progress: Progress, status: SignatureStatus) -> None:
        """Wait until everything derived includes the transaction. Raises TimeoutError and what the projector raises."""
        with progress.step(StepName.PROPAGATE):
            async with asyncio.timeout(self._limits.settle_timeout):
                if facts.thread_id is None:
                    await self._projector.protocol.settle(facts.signature, min_slot=status.slot)
                    return
                settled = await self._projector.settle(facts.thread_id, facts.signature, min_slot=status.slot)
                await self._projector.floors.check()
            progress.set(cursor=event_cursor(settled.position))

    async def verify(
        self, facts: UpdateFacts, progress: Progress, status: SignatureStatus, *, patience: float = 0.0
    ) -> Verified:
        """Read back, compare, and tell the thread's subscribers. Raises what `Verification.verify` raises."""
        with progress.step(StepName.VERIFY):
            verified = await self._compared(facts, status.slot, patience)
            note = verified.conflict or verified.remark
            if note is not None:
                progress.note(StepName.VERIFY, note)
            await self._announce(facts, progress, verified)
        if verified.conflict is not None:
            _log.error("Update %s diverged: %s", facts.signature, verified.conflict)
            slot = verified.entities.slot
            self._found(diverged_conflict(verified.cause, facts.thread_id, facts.content_hash, verified.conflict, slot))
        await self.end(facts, progress, Outcome.VERIFIED if verified.conflict is None else Outcome.DIVERGED)
        return verified

    async def _compared(self, facts: UpdateFacts, slot: int, patience: float) -> Verified:
        if facts.thread_id is None:
            lane, attempts = self._projector.protocol, self._limits.verify_attempts
            return await verify_protocol(lane, facts.signature, slot, attempts)
        return await self._verification.verify(
            facts.thread_id, facts.content_hash, slot, own_content=facts.brings_content, patience=patience
        )

    async def end(self, facts: UpdateFacts, progress: Progress, outcome: Outcome) -> None:
        """Set the outcome and keep it; bytes of what can no longer land are let go of."""
        progress.set(outcome=outcome)
        await self._updates.keep(facts, progress.state)
        if outcome in _GONE:
            await self._staging.let_go(facts)

    async def _announce(self, facts: UpdateFacts, progress: Progress, verified: Verified) -> None:
        thread = verified.entities.thread
        if thread is None or not facts.own:
            return
        event = await self._projector.announce(
            NewEvent(
                EventKind.UPDATE_VERIFIED if verified.conflict is None else EventKind.UPDATE_DIVERGED,
                thread.thread_id,
                thread.sequence,
                0,
                verified.entities.slot,
                thread.activity_at,
                facts.signature,
                content_hash=facts.content_hash,
                actor=facts.wallet,
                detail=verified.conflict,
                subject=facts.signature,
            )
        )
        if event is not None:
            position = EventPosition(event.log_id, event.position, event.thread_id, event.sequence, event.ordinal)
            progress.set(cursor=event_cursor(position))
