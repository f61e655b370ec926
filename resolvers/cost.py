"""What an operation may cost at most: nodes of all its pages, with the pages inside of them, before any is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Undefined,
    get_named_type,
    get_nullable_type,
    get_operation_ast,
    value_from_ast_untyped,
)
from strawberry.extensions import SchemaExtension

from chorale.limits import Limits

CODE = "QUERY_TOO_COSTLY"
LIST_MOST = 64  # of co-authors, and so of votes, voters and whatever else is listed without paging
_OWN_COST = {
    "Query.search": 500,  # nodes that embedding and searching are worth
    "Query.boundaries": 250,  # with the conflicts of a report
    "Mutation.verifyBoundaries": 2_500,  # everything is read again
}
_MULTIPLIED = ("Connection", "ConfirmUiStateSuccess")
_PREPARE = 100  # likewise what is read and simulated for one transaction


class CostBound(SchemaExtension):
    """Refuses a valid operation above `Limits.query_cost`. Variables count with their values, so no cache keeps it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def on_validate(self) -> Iterator[None]:
        """Must come behind the validation: it trusts the document."""
        context = self.execution_context
        document = context.graphql_document
        if document is not None and not context.pre_execution_errors:
            schema = context.schema._schema
            operation = get_operation_ast(document, context.operation_name)
            if operation is not None:
                cost = operation_cost(schema, document, operation, context.variables or {}, self._limits)
                if cost > self._limits.query_cost:
                    most = self._limits.query_cost
                    text = f"The operation costs up to {cost} nodes, {most} are allowed. Ask for smaller pages."
                    context.pre_execution_errors = [GraphQLError(text, extensions={"code": CODE})]
        yield


def operation_cost(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
    limits: Limits,
) -> int:
    """Nodes that a valid `operation` reads at most."""
    root = schema.get_root_type(operation.operation)
    defaults = {
        definition.variable.name.value: value_from_ast_untyped(definition.default_value)
        for definition in operation.variable_definitions or ()
        if definition.default_value is not None
    }
    return _Costs(schema, document, {**defaults, **variables}, limits).of(operation.selection_set, root)


class _Costs:
    """Linear in the document: every fragment is counted once and multiplied wherever it is spread."""

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, variables: dict[str, Any], limits: Limits
    ) -> None:
        self._schema = schema
        self._variables = variables
        self._limits = limits
        self._fragments = {it.name.value: it for it in document.definitions if isinstance(it, FragmentDefinitionNode)}
        self._known: dict[str, int] = {}

    def of(self, selection_set: SelectionSetNode | None, parent: GraphQLNamedType | None) -> int:
        """Cost of what is selected on `parent`."""
        cost, spread = 0, set()
        for selection in () if selection_set is None else selection_set.selections:
            if isinstance(selection, FieldNode):
                cost += self._field(selection, parent)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                type_ = parent if condition is None else self._schema.get_type(condition.name.value)
                cost += self.of(selection.selection_set, type_)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in spread:
                spread.add(selection.name.value)
                cost += self._fragment(selection.name.value)
        return cost

    def _fragment(self, name: str) -> int:
        if name not in self._known:
            fragment = self._fragments[name]
            type_ = self._schema.get_type(fragment.type_condition.name.value)
            self._known[name] = self.of(fragment.selection_set, type_)
        return self._known[name]

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> int:
        name = node.name.value
        field: GraphQLField | None = getattr(parent, "fields", {}).get(name)
        if parent is None or field is None:
            return 0  # introspection, which reads nothing
        own = _PREPARE if parent.name == "Prepare" else _OWN_COST.get(f"{parent.name}.{name}", 0)
        below = self.of(node.selection_set, get_named_type(field.type))
        if "first" in field.args:
            return own + self._page(node, field) * (1 + below)
        for name, most in (("ids", self._limits.nodes_max), ("entities", self._limits.ui_entities)):
            if name in field.args:
                return own + self._named(node, name, most) * (1 + below)
        # The lists of a connection, or of entities that were named, are what was multiplied already.
        listed = isinstance(get_nullable_type(field.type), GraphQLList) and not parent.name.endswith(_MULTIPLIED)
        return own + (LIST_MOST if listed else 1) * below

    def _page(self, node: FieldNode, field: GraphQLField) -> int:
        asked = [size for name in ("first", "last") if (size := self._argument(node, name)) is not None]
        if not asked:
            default = field.args["first"].default_value
            return default if isinstance(default, int) else self._limits.page_default
        most = self._limits.page_max
        # Any other size is refused by the field itself.
        return max(int(size) if isinstance(size, int | float) and 0 <= size <= most else most for size in asked)

    def _named(self, node: FieldNode, argument: str, most: int) -> int:
        given = self._argument(node, argument)
        return min(len(given), most) if isinstance(given, list) else 1

    def _argument(self, node: FieldNode, name: str) -> Any:
        for argument in node.arguments or ():
            if argument.name.value == name:
                value = value_from_ast_untyped(argument.value, self._variables)
                return None if value is Undefined else value
        return None
