"""Nested pages multiply, and what would read more nodes than the limit is refused before anything is read."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse

from chorale.limits import Limits
from resolvers.cost import operation_cost
from resolvers.schema import build_schema
from resolvers.transport.errors import formatted

SCHEMA = build_schema(embedded=True)
NESTED = "{ threads(first: 100) { nodes { messages(first: 100) { nodes { id } } } } }"


def cost(document: str, **variables: Any) -> int:
    parsed = parse(document)
    operation = next(it for it in parsed.definitions if isinstance(it, OperationDefinitionNode))
    return operation_cost(SCHEMA._schema, parsed, operation, variables, Limits())


@pytest.mark.parametrize(
    ("document", "nodes"),
    [
        ("{ protocol { id } __schema { types { fields { name } } } }", 0),
        ("{ threads { nodes { id } } }", 20),
        ("{ threads(first: 7) { nodes { id } edges { node { id } } } }", 7),
        (NESTED, 100 + 100 * 100),
        ("{ threads(first: 5) { nodes { coAuthors { user { threads(first: 2) { nodes { id } } } } } } }", 5 + 5 * 128),
        ('{ nodes(ids: ["a", "b"]) { ... on Thread { messages(last: 3) { nodes { id } } } } }', 2 + 2 * 3),
        ('{ search(query: "x") { nodes { id } } }', 500 + 10),
        ('{ prepare { castVote(wallet: "w", contentHash: "h", approve: true) { __typename } } }', 100),
        ("{ ...A threads(first: 1) { nodes { id } } ...A } fragment A on Query { threads { nodes { id } } }", 21),
    ],
)  # fmt: skip
def test_pages_multiply(document: str, nodes: int) -> None:
    """Sizes along a path; defaults where none is given."""
    assert cost(document) == nodes


@pytest.mark.parametrize(
    ("variables", "nodes"), [({"n": 5}, 5), ({}, 9), ({"n": None}, 20), ({"n": "many"}, 100), ({"n": 10**9}, 100)]
)
def test_variables_count_with_their_values(variables: dict[str, Any], nodes: int) -> None:
    """Their defaults where left out, and a full page where the value is none that the field would take."""
    assert cost("query ($n: Int = 9) { threads(first: $n) { nodes { id } } }", **variables) == nodes


def test_an_absent_variable_is_an_absent_argument() -> None:
    """One document serves both directions."""
    document = "query ($t: Hash!, $f: Int, $l: Int) { thread(threadId: $t) { messages(first: $f, last: $l) { edges {"
    assert cost(f"{document} cursor }} }} }} }}", f=3) == 3


async def refusal(document: str, **variables: Any) -> dict[str, Any]:
    result = await SCHEMA.execute(document, variable_values=variables)
    assert result.data is None
    [error] = formatted(result.errors or [])
    return error


async def test_nested_pages_are_refused() -> None:
    """The error has a code of its own, names the cost and the limit, and is no execution's."""
    error = await refusal(NESTED)
    assert error["extensions"] == {"code": "QUERY_TOO_COSTLY"} and "path" not in error
    assert "10100" in error["message"] and "10000" in error["message"]


async def test_the_same_document_is_refused_by_its_variables() -> None:
    """A validated document is kept; its cost is not."""
    document = "query ($n: Int) { threads(first: $n) { nodes { messages(first: $n) { nodes { id } } } } }"
    assert cost(document, n=10) == 110
    assert (await refusal(document, n=100))["extensions"] == {"code": "QUERY_TOO_COSTLY"}


async def test_many_searches_in_one_operation_are_refused() -> None:
    """Aliases do not multiply what is dear."""
    searches = " ".join(f's{n}: search(query: "x") {{ nodes {{ id }} }}' for n in range(20))
    assert (await refusal(f"{{ {searches} }}"))["extensions"] == {"code": "QUERY_TOO_COSTLY"}
