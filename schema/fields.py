"""Fields that a method answers, typed: Strawberry's own decorators say Any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import strawberry

F = TypeVar("F", bound=Callable[..., Any])


def resolved(description: str, graphql_type: Any = None) -> Callable[[F], F]:
    """`strawberry.field` for a method. `graphql_type` where the method may answer now or with an awaitable."""
    return cast("Callable[[F], F]", strawberry.field(description=description, graphql_type=graphql_type))


def streamed(description: str) -> Callable[[F], F]:
    """`strawberry.subscription` for an async generator method."""
    return cast("Callable[[F], F]", strawberry.subscription(description=description))
