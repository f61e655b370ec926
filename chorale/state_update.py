"""The update sequence: update the authority, await confirmation, propagate, verify.

Solana decides; everything else follows what it has confirmed. Content is stored before the transaction is sent: a
crash in between leaves bytes that nobody sees, never a hash on chain whose bytes are lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace

from chorale.domain.availability import WRITES_NEED, AlwaysAvailable, Availability
from chorale.domain.commands import Command, UpdateResult
from chorale.domain.conflict import Conflict
from chorale.domain.content import Content, ContentKind
from chorale.domain.errors import ChoraleError
from chorale.domain.measures import Measures
from chorale.domain.ports import Chain, ContentStore, Embedder, SessionStore
from chorale.domain.updates import Outcome, RefusedError, StepName, UpdateState
from chorale.limits import Limits
from chorale.projector import Projector
from chorale.update.acceptance import Acceptance, Accepted
from chorale.update.admission import Admission, admit, check_client_mutation_id, check_idempotency_key
from chorale.update.idempotency import Keys, Runs
from chorale.update.late import LateUpdates
from chorale.update.log import Progress, UpdateFacts, UpdateLog, begun, unseen
from chorale.update.refusals import expired, refusals_as_data
from chorale.update.steps import Authorities, UpdateSteps
from chorale.update.verification import Entities, Verification
from programs.addresses import ProgramAddresses

_log = logging.getLogger(__name__)

_FINALITY = 60.0  # s that a late update may wait for the chain to finalize: about 13 are usual
_ENDED_WELL = (Outcome.VERIFIED, Outcome.DIVERGED)


class StateUpdates:
    """Runs commands. One transaction is one update, however often and by whichever key it is asked for. `found` takes
    what was read back unequal."""

    def __init__(
        self,
        chain: Chain,
        content: ContentStore,
        embedder: Embedder,
        projector: Projector,
        sessions: SessionStore,
        limits: Limits,
        availability: Availability | None = None,
        measures: Measures | None = None,
        found: Callable[[Conflict], None] = lambda conflict: None,
    ) -> None:
        addresses = ProgramAddresses(chain.program_id)
        self._availability = availability or AlwaysAvailable()
        self._program_id = chain.program_id
        self._key_chars = limits.idempotency_key_chars
        self._log = UpdateLog(sessions, limits.idempotency_ttl, measures)
        self._keys = Keys(sessions, chain.program_id, limits.idempotency_ttl)
        self._runs = Runs()
        self._acceptance = Acceptance(chain, addresses)
        self._verification = Verification(chain, content, embedder, projector, addresses, limits.verify_attempts)
        authorities = Authorities(chain, content, embedder, projector, found)
        self._steps = UpdateSteps(authorities, self._acceptance, self._verification, self._log, limits)
        self._late = LateUpdates(chain, self._log, self._finish_late)

    @refusals_as_data
    async def run(self, command: Command) -> UpdateResult:
        """The four steps. A refusal before anything is staged has changed nothing anywhere."""
        problem = check_idempotency_key(command.idempotency_key, self._key_chars)
        problem = problem or check_client_mutation_id(command.client_mutation_id)
        if problem is not None:
            raise RefusedError(problem)
        admission = admit(command, self._program_id)
        if command.idempotency_key is None:
            result = await self._by_signature(admission)
        else:
            scope = self._keys.scope(admission.signer, admission.kind.instruction, command.idempotency_key)
            result = await self._runs.once(scope, admission.digest, lambda: self._by_key(scope, admission))
        update = replace(result.update, client_mutation_id=command.client_mutation_id)
        return replace(result, update=update, wallet=admission.wallet)  # a record from the chain alone has no wallet

    async def state(self, signature: str) -> UpdateState | None:
        """What is known of an update; None where neither this server nor the chain has seen it."""
        return self._log.current(signature) or await self._late.find(signature)

    async def follow(self, signature: str) -> AsyncGenerator[UpdateState, None]:
        """The state now and at every change, to its end. A transaction that nobody has seen is waited for."""
        with self._late.followed(signature):
            found = await self.state(signature)
            if found is None:
                self._late.await_unseen(signature)
            if self._log.current(signature) is None:
                self._log.show(found or unseen(signature))
            async for state in self._log.follow(signature):
                yield state

    async def close(self) -> None:
        """Stop. What is open is finished when it is asked for after the next start."""
        await self._runs.close()
        await self._late.close()

    async def _by_key(self, scope: str, admission: Admission) -> UpdateResult:
        holder = await self._keys.holder(scope, admission.digest)
        if holder is not None and holder.signature != admission.signature:
            result = await self._result_of(holder)
            if result is not None:
                return result
        return await self._by_signature(admission, scope, holder)

    async def _by_signature(
        self, admission: Admission, scope: str | None = None, holder: UpdateFacts | None = None
    ) -> UpdateResult:
        async def begin() -> UpdateResult:
            kept = await self._log.kept(admission.signature)
            if kept is not None and kept[1].outcome in _ENDED_WELL:
                return await self._shown(*kept)
            return await self._sequence(admission, scope, holder)

        return await self._runs.once(admission.signature, admission.digest, begin)

    async def _sequence(self, admission: Admission, scope: str | None, holder: UpdateFacts | None) -> UpdateResult:
        """One update from its transaction to its verified result; with what it needs, or not at all."""
        self._availability.check(*WRITES_NEED)
        steps = self._steps
        start = self._log.current(admission.signature)
        if start is None or start.outcome is not Outcome.CONFIRMED:  # who follows is never taken back from there
            start = begun(admission.signature)
        progress = Progress(self._log, start)

        # 1. Update the authority: content first, then the transaction that names its hash.
        with progress.step(StepName.UPDATE_AUTHORITY):
            accepted = await self._acceptance.accept(admission)
            facts = _facts(admission, accepted)
            embedding = asyncio.create_task(steps.embed(accepted))  # the longest single piece of work: beside the rest
            facts = replace(facts, lease_until=await steps.stage(accepted))
            if scope is not None and (result := await self._outrun(scope, admission.digest, facts, holder)):
                return result
            progress.publish()
            await self._log.keep(facts, progress.state)
            refused = await steps.send(admission, accepted)
        if refused is not None:
            await steps.end(facts, progress, Outcome.REJECTED)
            raise RefusedError(refused)

        # 2. Await confirmation.
        status = await steps.await_confirmation(facts, progress, raw=admission.transaction.raw, landed=accepted.landed)
        if status is None:
            return await self._unsettled(facts, progress)
        if status.error is not None:
            raise RefusedError(await self._acceptance.rejection(admission, status.error))
        await embedding

        try:
            # 3. Propagate to everything derived.
            await steps.propagate(facts, progress, status)
            # 4. Verify by reading back.
            verified = await steps.verify(facts, progress, status)
        except (ChoraleError, TimeoutError) as error:
            _log.warning("Update %s is confirmed but not verified yet: %s", facts.signature, error)
            return await self._unsettled(facts, progress)
        return _result(facts, progress.state, verified.entities)

    async def _finish_late(self, facts: UpdateFacts, progress: Progress) -> None:
        """Steps 2 to 4 of an update whose transaction is on its way, or was sent past this server."""
        status = await self._steps.await_confirmation(facts, progress)
        if status is not None and status.error is None:
            await self._steps.propagate(facts, progress, status)
            await self._steps.verify(facts, progress, status, patience=_FINALITY)

    async def _unsettled(self, facts: UpdateFacts, progress: Progress) -> UpdateResult:
        """The answer while the end is open; it is watched for from here on."""
        if progress.state.outcome is Outcome.EXPIRED:
            raise RefusedError(expired())
        await self._log.keep(facts, progress.state)
        self._late.observe(facts, progress.state)
        return await self._shown(facts, progress.state)

    async def _outrun(
        self, scope: str, digest: str, facts: UpdateFacts, holder: UpdateFacts | None
    ) -> UpdateResult | None:
        """Take the key; None once it stands for this transaction, else the result of the one that was first."""
        while not await self._keys.claim(scope, digest, facts, holder):
            holder = await self._keys.holder(scope, digest)
            if holder is not None and holder.signature != facts.signature:
                result = await self._result_of(holder)
                if result is not None:
                    return result
        return None

    async def _result_of(self, holder: UpdateFacts) -> UpdateResult | None:
        """The result of an earlier transaction; None where it surely has none. What its sender has not kept yet may be
        on its way all the same."""
        facts, state = await self._log.kept(holder.signature) or (holder, begun(holder.signature))
        if state.outcome not in _ENDED_WELL:
            progress = Progress(self._log, state)
            progress.publish()
            try:
                await self._finish_late(facts, progress)
            except (ChoraleError, TimeoutError):
                return await self._unsettled(facts, progress)
            state = progress.state
            if state.outcome in (Outcome.REJECTED, Outcome.EXPIRED):
                return None
            if state.outcome is Outcome.UNKNOWN:
                return await self._unsettled(facts, progress)
        return await self._shown(facts, state)

    async def _shown(self, facts: UpdateFacts, state: UpdateState) -> UpdateResult:
        """A result with the entities as they are now; without them where the chain is away."""
        try:
            entities = await self._verification.entities(facts.thread_id, facts.content_hash, state.slot)
        except ChoraleError:
            entities = Entities(state.slot or 0, None, None)
        return _result(facts, state, entities)


def _facts(admission: Admission, accepted: Accepted) -> UpdateFacts:
    return UpdateFacts(
        signature=admission.signature,
        wallet=admission.wallet,
        thread_id=accepted.thread_id,
        content_hash=accepted.content_hash,
        brings_content=accepted.content is not None,
        title_hash=_title_hash(accepted.content),
    )


def _title_hash(content: Content | None) -> str | None:
    return content.key.hash if content is not None and content.key.kind is ContentKind.TITLE else None


def _result(facts: UpdateFacts, state: UpdateState, entities: Entities) -> UpdateResult:
    return UpdateResult(
        update=state,
        wallet=facts.wallet,
        thread_id=facts.thread_id,
        content_hash=facts.content_hash,
        thread=entities.thread,
        message=entities.message,
        slot=entities.slot,
    )
