"""What a client has selected below a field, so that a page's relations can be loaded along with the page."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    SelectionSetNode,
    value_from_ast_untyped,
)

from chorale.context import Info

BODY_FIELDS = frozenset({"body", "salt", "contentState"})
TITLE_FIELDS = frozenset({"title", "titleState"})


def selects(info: Info, names: Collection[str]) -> bool:
    """Whether any field of `names` is selected anywhere below this field, in fragments too; skipped ones count."""
    raw = info._raw_info
    return any(
        field.name.value in names for node in raw.field_nodes for field in _fields(node.selection_set, raw.fragments)
    )


def arguments_below(info: Info, name: str) -> Iterator[Mapping[str, Any]]:
    """Arguments of every selection of the field `name` directly below this field, as plain JSON-like values."""
    raw = info._raw_info
    for node in raw.field_nodes:
        for field in _fields(node.selection_set, raw.fragments, depth=1):
            if field.name.value == name:
                try:
                    yield {
                        argument.name.value: value_from_ast_untyped(argument.value, info.variable_values)
                        for argument in field.arguments or ()
                    }
                except (GraphQLError, ValueError):
                    continue


def _fields(
    selection_set: SelectionSetNode | None,
    fragments: Mapping[str, FragmentDefinitionNode],
    depth: int | None = None,
    seen: set[str] | None = None,
) -> Iterator[FieldNode]:
    if selection_set is None:
        return
    # One set for the whole walk: along each path anew, fragments that spread others twice would double at every level.
    seen = set() if seen is None else seen
    for selection in selection_set.selections:
        if isinstance(selection, FieldNode):
            yield selection
            if depth is None or depth > 1:
                yield from _fields(selection.selection_set, fragments, None if depth is None else depth - 1, seen)
        elif isinstance(selection, FragmentSpreadNode):
            name = selection.name.value
            fragment = fragments.get(name)
            if fragment is not None and name not in seen:
                seen.add(name)
                yield from _fields(fragment.selection_set, fragments, depth, seen)
        else:
            yield from _fields(selection.selection_set, fragments, depth, seen)  # type: ignore[attr-defined]
