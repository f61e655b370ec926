"""What runs around every operation: bounds on the document, and caches that make them free the second time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from strawberry.extensions import (
    AddValidationRules,
    MaxTokensLimiter,
    ParserCache,
    SchemaExtension,
    ValidationCache,
)
from strawberry.types.graphql import OperationType

from chorale.context import Context
from chorale.settings import Limits
from resolvers.cost import CostBound
from resolvers.document_rules import alias_rule, depth_rule
from resolvers.transport.one_operation import OneOperation

CACHED_DOCUMENTS = 512


class MarkRepeatable(SchemaExtension):
    """Tells the context that the operation is a query, which may be executed again."""

    def on_execute(self) -> Iterator[None]:
        """Right before the resolvers run."""
        context = self.execution_context.context
        if isinstance(context, Context):
            context.repeatable = self.execution_context.operation_type is OperationType.QUERY
        yield


def extensions(limits: Limits) -> Sequence[Callable[[], SchemaExtension]]:
    """Factories of this schema's extensions. The rules are classes made once: a class made per operation would never
    be found in the validation cache."""
    rules = [depth_rule(limits.query_depth), alias_rule(limits.query_aliases)]
    return (
        lambda: MaxTokensLimiter(max_token_count=limits.query_tokens),
        lambda: AddValidationRules(rules),
        lambda: ParserCache(maxsize=CACHED_DOCUMENTS),
        lambda: ValidationCache(maxsize=CACHED_DOCUMENTS),
        lambda: CostBound(limits),
        OneOperation,
        MarkRepeatable,
    )
