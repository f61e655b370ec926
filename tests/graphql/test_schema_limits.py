"""Documents are bounded, and what has been parsed and validated once is not parsed and validated again."""

from __future__ import annotations

import pytest
from graphql import get_introspection_query
from strawberry.extensions.parser_cache import _get_parse_cache
from strawberry.extensions.validation_cache import _get_validate_cache

from chorale.limits import Limits
from resolvers.extensions import CACHED_DOCUMENTS
from resolvers.schema import build_schema


async def test_tools_can_introspect_within_the_limits() -> None:
    """The fullest introspection query passes depth, alias and token limits."""
    query = get_introspection_query(specified_by_url=True, directive_is_repeatable=True, input_value_deprecation=True)
    result = await build_schema(embedded=True).execute(query)
    assert result.errors is None and result.data is not None
    assert result.data["__schema"]["queryType"]["name"] == "Query"


async def test_the_same_document_is_validated_once() -> None:
    """Rules are made once per schema: made per operation they would never be found in the cache."""
    schema = build_schema(embedded=True)
    document = "query OnlyHere { __typename __schema { description } }"
    await schema.execute(document)
    before = (
        _get_validate_cache(CACHED_DOCUMENTS).cache_info().hits,
        _get_parse_cache(CACHED_DOCUMENTS).cache_info().hits,
    )
    await schema.execute(document)
    after = (
        _get_validate_cache(CACHED_DOCUMENTS).cache_info().hits,
        _get_parse_cache(CACHED_DOCUMENTS).cache_info().hits,
    )
    assert after == (before[0] + 1, before[1] + 1)


@pytest.mark.parametrize(
    ("document", "limits"),
    [
        ("{ a: __typename b: __typename c: __typename }", Limits(query_aliases=2)),
        ("{ threads { nodes { creator { id } } } }", Limits(query_depth=2)),
        ("{ __typename __typename __typename }", Limits(query_tokens=4)),
    ],
)
async def test_each_bound_refuses_the_document(document: str, limits: Limits) -> None:
    """Nothing of it is executed."""
    result = await build_schema(embedded=True, limits=limits).execute(document)
    assert result.data is None and result.errors


async def test_misspelt_fields_get_a_suggestion() -> None:
    """Suggestions are on: the schema is public."""
    result = await build_schema(embedded=True).execute("{ thread_s }")
    assert result.errors is not None and "threads" in result.errors[0].message
