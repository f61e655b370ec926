"""The exported schema is the contract: everything of the core is in it, described, and the committed SDL is current."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    FieldDefinitionNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLSchema,
    InputValueDefinitionNode,
    NameNode,
    is_specified_scalar_type,
    parse,
    print_ast,
)
from graphql import (
    build_schema as build_sdl,
)

from resolvers.schema import build_schema, export_schema

CONTRACT = Path(__file__).parent / "core_contract.graphql"
COMMITTED = Path(__file__).parents[2] / "schema.graphql"

LATER = {
    # Staging for wallets that sign and send by themselves.
    "Mutation.stageContent", "Mutation.stageTitle", "StageTitleInput", "StageContentInput",
    "StageContentSuccess", "StageTitleSuccess", "StageContentResult", "StageTitleResult",
    # Notifications and balances.
    "Subscription.notifications", "Subscription.walletChanged", "User.notificationCursor",
}  # fmt: skip


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_sdl(export_schema())


def test_committed_sdl_is_what_the_code_exports() -> None:
    """`make schema` was run after the last change of the schema."""
    assert COMMITTED.read_text() == export_schema(), "schema.graphql has drifted: run `make schema`"


def test_export_is_the_same_every_time() -> None:
    """Two exports in one process are equal, so a diff is always a change."""
    assert export_schema() == export_schema()


def test_every_name_of_the_core_has_its_type_arguments_and_defaults(schema: GraphQLSchema) -> None:
    """Nothing of the fixed contract is missing or different, but what is listed as coming later."""
    problems = list(_differences(schema))
    assert problems == []


def test_nothing_is_listed_as_coming_later_that_is_there(schema: GraphQLSchema) -> None:
    """The list of exclusions shrinks as its entries arrive."""
    present = set(schema.type_map)
    for name, type_ in schema.type_map.items():
        present |= {f"{name}.{field}" for field in getattr(type_, "fields", {})}
    assert LATER & present == set()


def test_every_element_is_described(schema: GraphQLSchema) -> None:
    """Each type, field, argument, input field and enum value says what it is for."""
    assert list(_undescribed(schema)) == []


def test_development_mutations_exist_on_an_embedded_chain_only() -> None:
    """Elsewhere they are absent from the schema, not merely refused."""
    embedded = build_schema(embedded=True)._schema.mutation_type
    real = build_schema(embedded=False)._schema.mutation_type
    assert embedded is not None and real is not None
    development = {"devWallet", "devSignIn", "devSign", "devAdvanceClock"}
    assert development <= set(embedded.fields)
    assert set(embedded.fields) - set(real.fields) == development
    assert "DevWallet" not in build_schema(embedded=False)._schema.type_map


def _differences(schema: GraphQLSchema) -> Iterator[str]:
    contract = build_sdl(CONTRACT.read_text())
    for name, wanted in contract.type_map.items():
        if name.startswith("__") or is_specified_scalar_type(wanted) or name in LATER:
            continue
        found = schema.type_map.get(name)
        if found is None:
            yield f"{name} is missing"
            continue
        if type(found) is not type(wanted):
            yield f"{name} is of another kind"
            continue
        yield from _different_members(name, wanted, found)
    for root in ("query_type", "mutation_type", "subscription_type"):
        if getattr(schema, root).name != getattr(contract, root).name:
            yield f"{root} has another name"


def _different_members(name: str, wanted: GraphQLNamedType, found: GraphQLNamedType) -> Iterator[str]:
    for what in ("interfaces", "types"):
        missing = {type_.name for type_ in getattr(wanted, what, ())} - {
            type_.name for type_ in getattr(found, what, ())
        }
        if missing:
            yield f"{name} lacks {what} {missing}"
    if isinstance(wanted, GraphQLEnumType) and isinstance(found, GraphQLEnumType):
        if set(wanted.values) != set(found.values):
            yield f"{name} has other values"
        return
    for field, definition in getattr(wanted, "fields", {}).items():
        path = f"{name}.{field}"
        if path in LATER:
            continue
        there = getattr(found, "fields", {}).get(field)
        if there is None:
            yield f"{path} is missing"
        elif _signature(there) != _signature(definition):
            yield f"{path} is {_signature(there)}, not {_signature(definition)}"


def _signature(element: GraphQLField | GraphQLInputField | GraphQLArgument) -> str:
    """Type, arguments and defaults as SDL, arguments sorted, without descriptions."""
    node = element.ast_node
    assert node is not None
    if isinstance(node, FieldDefinitionNode):
        arguments = sorted(_argument(argument) for argument in node.arguments or ())
        return f"({', '.join(arguments)}): {print_ast(node.type)}"
    return _argument(node)


def _argument(node: InputValueDefinitionNode) -> str:
    default = "" if node.default_value is None else f" = {print_ast(node.default_value)}"
    return f"{node.name.value}: {print_ast(node.type)}{default}"


def _undescribed(schema: GraphQLSchema) -> Iterator[str]:
    for name, type_ in schema.type_map.items():
        if name.startswith("__") or is_specified_scalar_type(type_):
            continue
        if not type_.description:
            yield name
        if isinstance(type_, GraphQLEnumType):
            yield from (f"{name}.{value}" for value, item in type_.values.items() if not item.description)
            continue
        for field, definition in getattr(type_, "fields", {}).items():
            if not definition.description:
                yield f"{name}.{field}"
            if not isinstance(type_, GraphQLInputObjectType):
                arguments = definition.args.items()
                yield from (f"{name}.{field}({argument})" for argument, it in arguments if not it.description)


def test_contract_is_signatures_alone() -> None:
    """The embedded contract holds no prose: descriptions are this project's own."""
    for definition in parse(CONTRACT.read_text()).definitions:
        assert getattr(definition, "description", None) is None
        assert isinstance(getattr(definition, "name", None), NameNode)
