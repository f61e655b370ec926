"""What runs around every operation: bounds on the document, and caches that make them free the second time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from strawberry.extensions import (
    AddValidationRules,
    MaxAliasesLimiter,
    MaxTokensLimiter,
    ParserCache,
    QueryDepthLimiter,
    SchemaExtension,
    ValidationCache,
)
from strawberry.types.graphql import OperationType

from chorale.context import Context
from chorale.settings import Limits
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
    rules = [
        *QueryDepthLimiter(max_depth=limits.query_depth).validation_rules,
        *MaxAliasesLimiter(max_alias_count=limits.query_aliases).validation_rules,
    ]
    return (
        lambda: MaxTokensLimiter(max_token_count=limits.query_tokens),
        lambda: AddValidationRules(rules),
        lambda: ParserCache(maxsize=CACHED_DOCUMENTS),
        lambda: ValidationCache(maxsize=CACHED_DOCUMENTS),
        OneOperation,
        MarkRepeatable,
    )
