"""The rule that a document with several operations must come with the name of one."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import GraphQLError, OperationDefinitionNode
from strawberry.extensions import SchemaExtension


class OneOperation(SchemaExtension):
    """Refuses a document of several operations without `operationName`; Strawberry alone would run the first."""

    def on_validate(self) -> Iterator[None]:
        """Adds the error to those of the extensions before this one; it must come last of them."""
        context = self.execution_context
        if context.graphql_document is not None and context._provided_operation_name is None:
            definitions = context.graphql_document.definitions
            if sum(isinstance(definition, OperationDefinitionNode) for definition in definitions) > 1:
                error = GraphQLError("The document holds several operations: name one in `operationName`.")
                context.pre_execution_errors = [*(context.pre_execution_errors or ()), error]
        yield
