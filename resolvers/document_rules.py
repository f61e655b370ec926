"""Bounds on the shape of a document. Each fragment is looked at once, however often and however deep it is spread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphql import (
    ASTValidationRule,
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
)


class FragmentMemo:
    """A number per fragment, worked out at its first use; unknown fragments and circles count nothing."""

    def __init__(self, context: ValidationContext) -> None:
        self._context = context
        self._known: dict[str, int] = {}

    def of_spread(self, name: str) -> int:
        """The number of the fragment `name`."""
        if name not in self._known:
            # Set first, so that a circle ends here: another rule says what is wrong with it.
            self._known[name] = 0
            fragment = self._context.get_fragment(name)
            if fragment is not None:
                self._known[name] = self.of(fragment.selection_set)
        return self._known[name]

    def of(self, selection_set: SelectionSetNode | None) -> int:
        """The number of a selection set."""
        raise NotImplementedError


class _Depth(FragmentMemo):
    """How many fields lie above the deepest one. Introspection has a rule of its own."""

    def of(self, selection_set: SelectionSetNode | None) -> int:
        return max((self._of_one(selection) for selection in _distinct(selection_set)), default=0)

    def _of_one(self, selection: Any) -> int:
        if isinstance(selection, FragmentSpreadNode):
            return self.of_spread(selection.name.value)
        if not isinstance(selection, FieldNode):
            return self.of(selection.selection_set)
        if selection.selection_set is None or selection.name.value.startswith("__"):
            return 0
        return 1 + self.of(selection.selection_set)


class _Aliases(FragmentMemo):
    """How many aliases there are, those of a fragment once per place that it is spread in."""

    def of(self, selection_set: SelectionSetNode | None) -> int:
        return sum(self._of_one(selection) for selection in _distinct(selection_set))

    def _of_one(self, selection: Any) -> int:
        if isinstance(selection, FragmentSpreadNode):
            return self.of_spread(selection.name.value)
        aliased = isinstance(selection, FieldNode) and selection.alias is not None
        return int(aliased) + self.of(selection.selection_set)


def depth_rule(most: int) -> type[ASTValidationRule]:
    """A rule that refuses operations whose fields nest deeper than `most`."""

    class DepthRule(ValidationRule):
        # On leaving, when graphql-core has refused nesting that recursion cannot follow.
        def leave_document(self, *_: Any) -> None:
            depths = _Depth(self.context)
            for operation in _operations(self.context):
                depth = depths.of(operation.selection_set)
                if depth > most:
                    self.report_error(GraphQLError(f"The operation is {depth} levels deep, {most} are allowed."))

    return DepthRule


def alias_rule(most: int) -> type[ASTValidationRule]:
    """A rule that refuses documents with more than `most` aliases."""

    class AliasRule(ValidationRule):
        def leave_document(self, *_: Any) -> None:
            counts = _Aliases(self.context)
            count = sum(counts.of(operation.selection_set) for operation in _operations(self.context))
            if count > most:
                self.report_error(GraphQLError(f"The document holds {count} aliases, {most} are allowed."))

    return AliasRule


def _operations(context: ValidationContext) -> Iterator[OperationDefinitionNode]:
    return (it for it in context.document.definitions if isinstance(it, OperationDefinitionNode))


def _distinct(selection_set: SelectionSetNode | None) -> Iterator[Any]:
    """Selections, each fragment once: in one place execution runs a fragment once, however often it is spread."""
    spread: set[str] = set()
    for selection in () if selection_set is None else selection_set.selections:
        if isinstance(selection, FragmentSpreadNode):
            if selection.name.value in spread:
                continue
            spread.add(selection.name.value)
        yield selection
