"""Stored points against what the chain says of them, with every difference looked at again before it is a conflict."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from chorale.checking.reading import Reading
from chorale.checking.rows import Difference, difference
from chorale.domain.chain import Commitment
from chorale.domain.conflict import Conflict, ConflictCause
from chorale.domain.content import ContentKey, ContentKind, ContentState, FetchedContent, Promotion
from chorale.domain.ports import ContentStore
from chorale.projection.promotion import message_promotion, title_promotion

_PAUSES = (0.2, 0.8, 3.2)  # s before a point that is behind is looked at again: another replica may be writing it


@dataclass(frozen=True, slots=True)
class _Finding:
    cause: ConflictCause
    difference: Difference
    sequence: int


class PointChecks:
    """Compares points with accounts of the same read. Points whose account is absent are no business of this."""

    def __init__(self, reading: Reading, content: ContentStore, fingerprint: str) -> None:
        self._reading = reading
        self._content = content
        self._fingerprint = fingerprint

    async def check(self, wanted: Mapping[str, str | None]) -> tuple[Conflict, ...]:
        """Conflicts among messages, given as thread ids by hash, and titles, given as None by thread id."""
        titles = {key for key, owner in wanted.items() if owner is None}
        owners = {key: owner for key, owner in wanted.items() if owner is not None}
        slot, findings = await self._compare(owners, titles, Commitment.CONFIRMED)
        conflicts: list[Conflict] = []
        for pause in _PAUSES:
            if not findings:
                break
            await self._follow(owners, findings, slot)
            owners = {key: owners[key] for key in owners if key in findings}
            titles = {key for key in titles if key in findings}
            before = findings
            slot, findings = await self._compare(owners, titles, Commitment.FINALIZED)
            settled = [key for key in findings if _is_certain(before[key], findings[key], last=pause == _PAUSES[-1])]
            conflicts += [self._conflict(key, owners.get(key), findings.pop(key), slot) for key in settled]
            if findings:
                await asyncio.sleep(pause)
        return tuple(conflicts)

    async def _compare(
        self, owners: Mapping[str, str], titles: set[str], commitment: Commitment
    ) -> tuple[int, dict[str, _Finding]]:
        """What differs between points and accounts that were read after them."""
        final = commitment is Commitment.FINALIZED
        named = dict.fromkeys((*titles, *owners.values()))
        _, threads = await self._reading.threads(list(named))
        keys = {name: ContentKey(ContentKind.MESSAGE, owner, name) for name, owner in owners.items()}
        keys |= {
            name: ContentKey(ContentKind.TITLE, name, threads[name].title_hash) for name in titles if name in threads
        }
        fetched = await self._content.fetch(list(keys.values()))
        slot = 0
        if final:
            slot = await self._reading.slot_behind(list(named))
            await self._reading.finalized(slot)
        slot, accounts = await self._reading.messages(owners, commitment, slot or None)
        wanted = {
            name: message_promotion(threads[owners[name]], account, self._fingerprint)
            for name, account in accounts.items()
            if owners[name] in threads
        }
        wanted |= {name: title_promotion(threads[name], self._fingerprint) for name in titles if name in threads}
        found = {name: _finding(promotion, fetched[keys[name]]) for name, promotion in wanted.items()}
        return slot, {name: finding for name, finding in found.items() if finding is not None}

    async def _follow(self, owners: Mapping[str, str], findings: Mapping[str, _Finding], slot: int) -> None:
        """Let derived state reach what the chain showed: points are written before rows."""
        wanted: dict[str, int] = {}
        for name, finding in findings.items():
            if finding.cause is ConflictCause.PAYLOAD_BEHIND and name in owners:
                wanted[owners[name]] = max(finding.sequence, wanted.get(owners[name], 0))
        if wanted:
            await self._reading.arrived(wanted, slot)

    def _conflict(self, name: str, owner: str | None, finding: _Finding, slot: int) -> Conflict:
        subject = f"Thread:{name}" if owner is None else f"Message:{name}"
        return Conflict(finding.cause, subject, owner or name, *finding.difference, slot, finding.sequence)


def _is_certain(before: _Finding, now: _Finding, *, last: bool) -> bool:
    """Whether nothing that is under way can explain it. What is behind is given all the time there is."""
    if now.cause is not ConflictCause.PAYLOAD_BEHIND:
        return now.cause is before.cause
    return last and now.sequence == before.sequence


def _finding(promotion: Promotion, fetched: FetchedContent) -> _Finding | None:
    sequence = promotion.sequence
    if fetched.state is ContentState.MISSING:
        return _Finding(ConflictCause.CONTENT_MISSING, ("bytes of this hash", "no point"), sequence)
    if fetched.state is ContentState.QUARANTINED:
        return _Finding(ConflictCause.CONTENT_CORRUPT, ("bytes of this hash", "other bytes"), sequence)
    stored = fetched.stored
    if stored is None:
        return None
    if stored.sequence != sequence:
        behind = stored.sequence < sequence
        cause = ConflictCause.PAYLOAD_BEHIND if behind else ConflictCause.PAYLOAD_WRONG
        return _Finding(cause, (f"sequence {sequence}", f"sequence {stored.sequence}"), sequence)
    differing = difference(
        {
            "author": (promotion.author, stored.author),
            "status": (promotion.status.value, stored.status.value),
            "submitted_at": (promotion.submitted_at, stored.submitted_at),
            "submitted_sequence": (promotion.submitted_sequence, stored.submitted_sequence),
            "voters": (sorted(promotion.voters), sorted(stored.voters)),
        }
    )
    if differing is not None:
        return _Finding(ConflictCause.PAYLOAD_WRONG, differing, sequence)
    if promotion.key.kind is ContentKind.MESSAGE and stored.fingerprint != promotion.fingerprint:
        pair = (f"vectors of {promotion.fingerprint}", f"vectors of {stored.fingerprint or 'no model'}")
        return _Finding(ConflictCause.PAYLOAD_BEHIND, pair, sequence)
    return None
