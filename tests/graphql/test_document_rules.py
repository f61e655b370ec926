"""Documents are bounded in time linear to their length, and a document that is wrong is told so."""

from __future__ import annotations

import asyncio
import time

import pytest

from chorale.limits import Limits
from resolvers.schema import build_schema
from resolvers.transport.errors import formatted
from tests.graphql.stack import Stack, Story
from tests.patience import PATIENCE

LEVELS = 30


def bomb(top: str, on: str, leaf: str) -> str:
    """Fragments that spread the next one twice, so that there are 2^30 paths to the last."""
    chain = " ".join(f"fragment F{n} on {on} {{ ...F{n + 1} ... on {on} {{ ...F{n + 1} }} }}" for n in range(LEVELS))
    return f"{top} {chain} fragment F{LEVELS} on {on} {{ {leaf} }}"


@pytest.mark.parametrize(
    ("top", "on", "leaf"),
    [
        ("{ ...F0 }", "Query", "__typename"),
        ("{ ...F0 }", "Query", "a: threads { nodes { id } }"),
        ("{ __schema { ...F0 } }", "__Schema", "description"),
    ],
)
async def test_fragments_that_double_are_looked_at_once(top: str, on: str, leaf: str) -> None:
    """Thirty levels are answered, or refused; looked at one by one they would take hours."""
    began = time.monotonic()  # nothing in it waits, so that no timeout could end it
    result = await build_schema(embedded=True).execute(bomb(top, on, leaf))
    assert result.data is not None or result.errors
    assert time.monotonic() - began < PATIENCE


@pytest.mark.asyncio(loop_scope="session")
async def test_looking_ahead_takes_each_fragment_once(stack: Stack, story: Story) -> None:
    """What is selected below a list is found as fast."""
    document = bomb(
        "query ($t: Hash!) { thread(threadId: $t) { messages { ...F0 } } }", "MessageConnection", "nodes{id}"
    )
    async with asyncio.timeout(PATIENCE):
        data = await stack.ask(document, t=story.thread_id)
    assert data["thread"]["messages"]["nodes"]


async def test_an_unknown_fragment_is_an_ordinary_mistake() -> None:
    """It is named, not masked."""
    result = await build_schema(embedded=True).execute("{ ...Nope }")
    [error] = formatted(result.errors or [])
    assert error["message"] == "Unknown fragment 'Nope'."
    assert error["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}


async def test_a_circle_of_fragments_ends() -> None:
    """It is refused for what it is."""
    circle = "{ ...A } fragment A on Query { __typename ...B } fragment B on Query { ...A }"
    result = await build_schema(embedded=True).execute(circle)
    assert result.errors is not None and "Cannot spread fragment 'A' within itself" in result.errors[0].message


@pytest.mark.parametrize(
    ("document", "limits"),
    [
        (
            "{ ...A ...B } fragment A on Query { a: __typename } fragment B on Query { b: __typename }",
            {"query_aliases": 1},
        ),
        ("{ threads { ...A } } fragment A on ThreadConnection { nodes { creator { id } } }", {"query_depth": 2}),
    ],
)
async def test_fragments_count_where_they_are_spread(document: str, limits: dict[str, int]) -> None:
    """Depth and aliases are the same as without fragments."""
    result = await build_schema(embedded=True, limits=Limits(**limits)).execute(document)
    assert result.data is None and result.errors is not None and "allowed" in result.errors[0].message
