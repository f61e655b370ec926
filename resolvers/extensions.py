"""What runs around every operation: bounds on the document, and caches that make them free the second time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

from strawberry.extensions import (
    AddValidationRules,
    MaxTokensLimiter,
    ParserCache,
    SchemaExtension,
    ValidationCache,
)
from strawberry.types.graphql import OperationType

from chorale.context import Context
from chorale.domain.errors import ExecutionTimeoutError
from chorale.limits import Limits
from resolvers.cost import CostBound
from resolvers.document_rules import alias_rule, depth_rule
from resolvers.measured import Measured
from resolvers.stale import StaleMark
from resolvers.transport.one_operation import OneOperation

CACHED_DOCUMENTS = 512


class QueriesOnly(SchemaExtension):
    """What holds for queries alone: they may be executed again, and they end by a deadline."""

    async def on_execute(self) -> AsyncIterator[None]:
        """Around the resolvers. Raises ExecutionTimeoutError behind the context's deadline."""
        context = self.execution_context.context
        if not isinstance(context, Context) or self.execution_context.operation_type is not OperationType.QUERY:
            yield
            return
        context.repeatable = True
        clock = asyncio.timeout_at(context.deadline)
        try:
            async with clock:
                yield
        except TimeoutError:
            if clock.expired():
                raise ExecutionTimeoutError from None
            raise


def extensions(limits: Limits) -> Sequence[Callable[[], SchemaExtension]]:
    """Factories of this schema's extensions. The rules are classes made once: a class made per operation would never
    be found in the validation cache."""
    rules = [depth_rule(limits.query_depth), alias_rule(limits.query_aliases)]
    return (
        Measured,
        lambda: MaxTokensLimiter(max_token_count=limits.query_tokens),
        lambda: AddValidationRules(rules),
        lambda: ParserCache(maxsize=CACHED_DOCUMENTS),
        lambda: ValidationCache(maxsize=CACHED_DOCUMENTS),
        lambda: CostBound(limits),
        OneOperation,
        StaleMark,
        QueriesOnly,
    )
