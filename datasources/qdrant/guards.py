"""Conditions under which a write happens. Each has two equal forms: a filter for the server, a test for the owner.

A field that is absent counts as never written, so conditions are negations: a deleted sequence is below every other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qdrant_client import models

from chorale.domain.approval import MessageStatus
from datasources.qdrant.payload import BYTES

ON_CHAIN = tuple(status.value for status in MessageStatus if status is not MessageStatus.STAGED)
NOT_STAGED = models.FieldCondition(key="status", match=models.MatchAny(any=list(ON_CHAIN)))
QUARANTINED = models.FieldCondition(key="quarantined_at", range=models.Range(gte=1))


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
        return Guard(below, lambda payload: _number(payload, "sequence") < sequence)
    bare = models.Filter(
        must=[_range("sequence", gte=sequence, lte=sequence)], must_not=[keyword("fingerprint", fingerprint)]
    )
    return Guard(
        models.Filter(should=[below, bare]),
        lambda payload: (
            _number(payload, "sequence") < sequence
            or (_number(payload, "sequence") == sequence and payload.get("fingerprint") != fingerprint)
        ),
    )


def staged_with_shorter_lease(lease_until: int) -> Guard:
    """STAGED, with a lease that ends before `lease_until`."""
    return Guard(
        models.Filter(must_not=[NOT_STAGED, _range("lease_until", gte=lease_until)]),
        lambda payload: payload.get("status") not in ON_CHAIN and _number(payload, "lease_until") < lease_until,
    )


def staged_and_expired(now: int) -> Guard:
    """STAGED, with a lease that has passed at unix time `now`."""
    return Guard(
        models.Filter(must_not=[NOT_STAGED, _range("lease_until", gt=now)]),
        lambda payload: payload.get("status") not in ON_CHAIN and _number(payload, "lease_until") <= now,
    )


def staged_until(lease_until: int) -> Guard:
    """STAGED, with a lease that ends exactly at `lease_until`."""
    return Guard(
        models.Filter(must=[_range("lease_until", gte=lease_until, lte=lease_until)], must_not=[NOT_STAGED]),
        lambda payload: payload.get("status") not in ON_CHAIN and _number(payload, "lease_until") == lease_until,
    )


def claiming(sequence: int, status: MessageStatus) -> Guard:
    """The point says exactly this of the chain."""
    if sequence:
        exact = models.Filter(must=[_range("sequence", gte=sequence, lte=sequence)])
    else:
        exact = models.Filter(must_not=[_range("sequence", gte=1)])
    if status is MessageStatus.STAGED:
        found = models.Filter(must=[exact], must_not=[NOT_STAGED])
    else:
        found = models.Filter(must=[exact, keyword("status", status)])
    return Guard(
        found,
        lambda payload: (
            _number(payload, "sequence") == sequence
            and (
                payload.get("status") not in ON_CHAIN
                if status is MessageStatus.STAGED
                else payload.get("status") == status
            )
        ),
    )


def holding(found: Mapping[str, Any]) -> Guard:
    """The bytes, right or wrong, are still those of the payload `found`."""
    must: list[Any] = []
    must_not: list[Any] = []
    for name in BYTES:
        value = found.get(name)
        if value is None:
            must.append(models.IsEmptyCondition(is_empty=models.PayloadField(key=name)))
        elif isinstance(value, str | int):
            must.append(models.FieldCondition(key=name, match=models.MatchValue(value=value)))
        else:  # of a type that cannot be matched: that it is there has to do
            must_not.append(models.IsEmptyCondition(is_empty=models.PayloadField(key=name)))
    return Guard(
        models.Filter(must=must, must_not=must_not),
        lambda payload: all(payload.get(name) == found.get(name) for name in BYTES),
    )


def keyword(key: str, value: str) -> models.FieldCondition:
    """`key` is, or holds, `value`."""
    return models.FieldCondition(key=key, match=models.MatchValue(value=value))


def any_keyword(key: str, values: Sequence[str]) -> models.FieldCondition:
    """`key` is, or holds, one of `values`."""
    return models.FieldCondition(key=key, match=models.MatchAny(any=list(values)))


def _number(payload: Mapping[str, Any], key: str) -> int:
    # What is no integer counts as absent, as it does for the server's ranges.
    found = payload.get(key)
    return found if isinstance(found, int) else 0


def _range(key: str, **bounds: int) -> models.FieldCondition:
    return models.FieldCondition(key=key, range=models.Range(**bounds))
