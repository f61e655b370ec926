"""Conditions under which a write happens. Each has two equal forms: a filter for the server, a test for the owner.

A field that is absent counts as never written, so conditions are negations: a deleted sequence is below every other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qdrant_client import models

from chorale.domain.approval import MessageStatus

ON_CHAIN = tuple(status.value for status in MessageStatus if status is not MessageStatus.STAGED)
NOT_STAGED = models.FieldCondition(key="status", match=models.MatchAny(any=list(ON_CHAIN)))


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition on one point: `filter` as Qdrant evaluates it, `admits` on the point's payload."""

    filter: models.Filter
    admits: Callable[[Mapping[str, Any]], bool]

    def of(self, ids: Sequence[str]) -> models.Filter:
        """The same condition on points of these ids only."""
        return models.Filter(must=[models.HasIdCondition(has_id=list(ids)), self.filter])


def behind(sequence: int, fingerprint: str | None) -> Guard:
    """The point's sequence is below `sequence`, or equal while its vectors are not of this model.

    At one sequence a message has one state, so that writing it again with the vectors that are missing is harmless.
    `fingerprint` is None where no vectors are to be written.
    """
    below = models.Filter(must_not=[_range("sequence", gte=sequence)])
    if fingerprint is None:
        return Guard(below, lambda payload: payload.get("sequence", 0) < sequence)
    bare = models.Filter(
        must=[_range("sequence", gte=sequence, lte=sequence)], must_not=[keyword("fingerprint", fingerprint)]
    )
    return Guard(
        models.Filter(should=[below, bare]),
        lambda payload: (
            payload.get("sequence", 0) < sequence
            or (payload.get("sequence", 0) == sequence and payload.get("fingerprint") != fingerprint)
        ),
    )


def staged_with_shorter_lease(lease_until: int) -> Guard:
    """STAGED, with a lease that ends before `lease_until`."""
    return Guard(
        models.Filter(must_not=[NOT_STAGED, _range("lease_until", gte=lease_until)]),
        lambda payload: payload.get("status") not in ON_CHAIN and payload.get("lease_until", 0) < lease_until,
    )


def staged_and_expired(now: int) -> Guard:
    """STAGED, with a lease that has passed at unix time `now`."""
    return Guard(
        models.Filter(must_not=[NOT_STAGED, _range("lease_until", gt=now)]),
        lambda payload: payload.get("status") not in ON_CHAIN and payload.get("lease_until", 0) <= now,
    )


def keyword(key: str, value: str) -> models.FieldCondition:
    """`key` is, or holds, `value`."""
    return models.FieldCondition(key=key, match=models.MatchValue(value=value))


def any_keyword(key: str, values: Sequence[str]) -> models.FieldCondition:
    """`key` is, or holds, one of `values`."""
    return models.FieldCondition(key=key, match=models.MatchAny(any=list(values)))


def _range(key: str, **bounds: int) -> models.FieldCondition:
    return models.FieldCondition(key=key, range=models.Range(**bounds))
