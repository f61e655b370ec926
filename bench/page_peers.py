"""Peers of the page benchmark: the same answer from memory, by stock Strawberry and by a route that dumps it.

Run by uvicorn as `bench.page_peers:strawberry_app` and `bench.page_peers:dump_app`; CHORALE_TEST_BENCH_PAGE names the
file with the answer of the server under test.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache

PAGE_FILE = "CHORALE_TEST_BENCH_PAGE"


@cache
def page() -> Any:
    """`data` of the answer."""
    return orjson.loads(Path(os.environ[PAGE_FILE]).read_bytes())["data"]


@strawberry.type
class User:
    """An author."""

    address: str


@strawberry.type
class TokenAmount:
    """An amount."""

    amount: str


@cache
def authors() -> dict[str, User]:
    """Authors by content hash: what a warm loader would have."""
    return {node["contentHash"]: User(address=node["author"]["address"]) for node in nodes()}


@strawberry.type
class Message:
    """A message; plain attributes but for its author."""

    content_hash: str
    body: str
    status: str
    submitted_at: str
    version: int
    stake: TokenAmount

    @strawberry.field
    async def author(self) -> User:
        """As the documentation shows a relation: an asynchronous resolver."""
        return authors()[self.content_hash]


@strawberry.type
class MessageConnection:
    """A page."""

    nodes: list[Message]


@strawberry.type
class Thread:
    """A thread."""

    @strawberry.field
    def messages(self, last: int) -> MessageConnection:
        """The newest messages."""
        return MessageConnection(nodes=rows()[-last:])


@strawberry.type
class Query:
    """One thread is all there is."""

    @strawberry.field
    def thread(self, thread_id: str) -> Thread:
        """The thread, whatever its id."""
        return Thread()


def nodes() -> list[dict[str, Any]]:
    """The page's messages as JSON."""
    found: list[dict[str, Any]] = page()["thread"]["messages"]["nodes"]
    return found


@cache
def rows() -> list[Message]:
    """The page's messages as objects, made once."""
    return [
        Message(
            content_hash=node["contentHash"],
            body=node["body"],
            status=node["status"],
            submitted_at=node["submittedAt"],
            version=node["version"],
            stake=TokenAmount(amount=node["stake"]["amount"]),
        )
        for node in nodes()
    ]


async def dump(_: Request) -> Response:
    """The same JSON, dumped anew for every request."""
    return Response(orjson.dumps({"data": page()}), media_type="application/json")


def strawberry_app() -> GraphQL[None, None]:
    """Stock Strawberry with both of its caches."""
    return GraphQL(strawberry.Schema(query=Query, extensions=[lambda: ParserCache(), lambda: ValidationCache()]))


def dump_app() -> Starlette:
    """The limit: what HTTP and JSON cost alone."""
    return Starlette(routes=[Route("/graphql", dump, methods=["POST"])])
