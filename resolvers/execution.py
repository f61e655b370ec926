"""Execution: fresh loaders for every attempt, and a second attempt where a thread changed while it was read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Any

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLError,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    Undefined,
)
from strawberry.schema.schema import StreamResult
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.field import StrawberryField
from strawberry.types.graphql import OperationType

from chorale.context import Context

_PAUSE_SECONDS = 0.03


class ChoraleSchema(strawberry.Schema):
    """Executes a query again, `Limits.stale_read_attempts` times in all, before it admits to a STALE_READ.

    Mutations and subscriptions are executed once: theirs is the entity that their own update settled.
    """

    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,
        root_value: Any | None = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        """One result, of one version per thread."""
        attempt, deadline = 0, _deadline(context_value)
        while True:
            attempt += 1
            context = _fresh(context_value, deadline, attempt)
            result = await super().execute(
                query, variable_values, context, root_value, operation_name, allowed_operation_types,
                operation_extensions,
            )  # fmt: skip
            if not _again(context, attempt):
                return result
            await asyncio.sleep(_PAUSE_SECONDS * attempt)

    async def stream(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,
        root_value: Any | None = None,
        operation_name: str | None = None,
        operation_extensions: dict[str, Any] | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
    ) -> StreamResult:
        """One result of a query or mutation, or the results of a subscription."""
        allowed = None if allowed_operation_types is None else tuple(allowed_operation_types)

        async def results() -> AsyncGenerator[Any, None]:
            attempt, deadline = 0, _deadline(context_value)
            while True:
                attempt += 1
                context = _fresh(context_value, deadline, attempt)
                source = await super(ChoraleSchema, self).stream(
                    query, variable_values, context, root_value, operation_name, operation_extensions, allowed
                )
                repeat = False
                async with aclosing(source):
                    async for result in source:
                        repeat = _again(context, attempt)
                        if repeat:
                            break
                        yield result
                if not repeat:
                    return
                await asyncio.sleep(_PAUSE_SECONDS * attempt)

        return results()

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Nothing: the transport logs what it masks, and expected errors belong to the caller alone."""


def _deadline(context: Any) -> float | None:
    """One for all attempts together."""
    if not isinstance(context, Context):
        return None
    return asyncio.get_running_loop().time() + context.limits.execution_timeout


def _fresh(context: Any, deadline: float | None, attempt: int) -> Any:
    # What did not fit together is read again from its authority.
    return context.fresh(deadline, reread=attempt > 1) if isinstance(context, Context) else context


def _again(context: Any, attempt: int) -> bool:
    return (
        isinstance(context, Context)
        and context.repeatable
        and context.loaders.mixed
        and attempt < context.limits.stale_read_attempts
    )


def shorten_resolvers(schema: strawberry.Schema) -> None:
    """Let graphql-core call plain attributes and argument-free methods directly.

    Strawberry's own wrapper makes an Info and walks its argument handling for each field of each row; where a field
    is an attribute, or a method of its object without arguments, none of that is used.
    """
    for type_ in schema._schema.type_map.values():
        if not isinstance(type_, GraphQLObjectType) or type_.name.startswith("__"):
            continue
        for graphql_field in type_.fields.values():
            field = graphql_field.extensions.get("strawberry-definition")
            if not isinstance(field, StrawberryField) or field.arguments or field.is_subscription or field.extensions:
                continue
            resolver = field.base_resolver
            if resolver is None:
                graphql_field.resolve = _attribute(field.python_name)
            elif resolver.self_parameter and not (
                resolver.info_parameter or resolver.root_parameter or resolver.parent_parameter
            ):
                graphql_field.resolve = _method(resolver.wrapped_func)


def drop_null_defaults(schema: strawberry.Schema) -> None:
    """Optional arguments and input fields have no default in the contract; Python's None would print as `= null`.

    Where a client leaves one out, Python's own default applies.
    """
    for type_ in schema._schema.type_map.values():
        inputs: list[GraphQLArgument | GraphQLInputField] = []
        if isinstance(type_, GraphQLInputObjectType):
            inputs.extend(type_.fields.values())
        elif isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) and not type_.name.startswith("__"):
            inputs.extend(argument for field in type_.fields.values() for argument in field.args.values())
        for value in inputs:
            if value.default_value is None:
                value.default_value = Undefined


def _attribute(name: str) -> Any:
    def resolve(source: Any, _info: Any) -> Any:
        return getattr(source, name)

    return resolve


def _method(method: Any) -> Any:
    def resolve(source: Any, _info: Any) -> Any:
        return method(source)

    return resolve
