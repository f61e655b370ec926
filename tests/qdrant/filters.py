"""Conditions that come over REST, as Edge takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import qdrant_edge as edge
from pydantic import BaseModel
from qdrant_client import models


class UnknownWordError(ValueError):
    """A part of Qdrant's language that the store has not used until now."""

    def __init__(self, what: object) -> None:
        super().__init__(f"tests.qdrant does not know {what!r}")


def only(wanted: BaseModel, *known: str) -> None:
    """Raises UnknownWordError where anything but the fields `known` is given."""
    given = {name for name in type(wanted).model_fields if getattr(wanted, name) is not None}
    if unknown := sorted(given.difference(known)):
        raise UnknownWordError(f"{type(wanted).__name__} with {', '.join(unknown)}")


def optional_filter(wanted: models.Filter | None) -> edge.Filter | None:
    """None stays None."""
    return None if wanted is None else filter_of(wanted)


def filter_of(wanted: models.Filter) -> edge.Filter:
    """Conditions, nested ones too."""
    if wanted.min_should is not None:
        raise UnknownWordError(wanted.min_should)
    return edge.Filter(
        must=_conditions(wanted.must), should=_conditions(wanted.should), must_not=_conditions(wanted.must_not)
    )


def _conditions(wanted: Any) -> list[Any] | None:
    if wanted is None:
        return None
    return [_condition(each) for each in (wanted if isinstance(wanted, Sequence) else [wanted])]


def _condition(wanted: Any) -> Any:
    match wanted:
        case models.Filter():
            return filter_of(wanted)
        case models.HasIdCondition(has_id=ids):
            return edge.HasIdCondition(set(ids))
        case models.HasVectorCondition(has_vector=name):
            return edge.HasVectorCondition(name)
        case models.IsEmptyCondition(is_empty=field):
            return edge.IsEmptyCondition(field.key)
        case models.FieldCondition(key=key, match=models.MatchValue(value=value)) if not isinstance(value, bool):
            return edge.FieldCondition(key, match=edge.MatchValue(value))
        case models.FieldCondition(key=key, match=models.MatchAny(any=values)):
            return edge.FieldCondition(key, match=edge.MatchAny(values))
        case models.FieldCondition(key=key, match=None, range=models.Range() as bounds):
            return edge.FieldCondition(
                key, range=edge.RangeFloat(gte=bounds.gte, gt=bounds.gt, lte=bounds.lte, lt=bounds.lt)
            )
    raise UnknownWordError(wanted)
