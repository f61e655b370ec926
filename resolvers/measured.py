"""Operations, counted by type and result."""

from __future__ import annotations

import time
from collections.abc import Iterator

from strawberry.extensions import SchemaExtension
from strawberry.types.graphql import OperationType

from chorale.context import Context


class Measured(SchemaExtension):
    """One for each operation. A query that is executed again counts as often as it is executed."""

    _kind: OperationType | None = None

    def on_operation(self) -> Iterator[None]:
        """Around everything, a subscription's whole life included."""
        context = self.execution_context.context
        if not isinstance(context, Context):
            yield
            return
        began = time.perf_counter()
        try:
            yield
        finally:
            kind = self._kind
            if kind is None:  # refused, so that its type says nothing
                context.measures.operated("none", "refused", None)
            elif kind is OperationType.SUBSCRIPTION:
                context.measures.opened("subscription", -1)
                context.measures.operated(kind.value, self._result(), None)
            else:
                context.measures.operated(kind.value, self._result(), time.perf_counter() - began)

    def on_execute(self) -> Iterator[None]:
        """Reached by operations that are not refused, once they begin."""
        context = self.execution_context.context
        if isinstance(context, Context):
            self._kind = self.execution_context.operation_type
            if self._kind is OperationType.SUBSCRIPTION:
                context.measures.opened("subscription", 1)
        yield

    def _result(self) -> str:
        result = self.execution_context.result
        return "errors" if getattr(result, "errors", None) else "ok"
