"""search: HYBRID top 10 over HTTP on the demo data, beside the engine alone with an embedding that is there already."""

from __future__ import annotations

import shutil
import time
from collections.abc import Awaitable, Sequence
from contextlib import AsyncExitStack
from typing import TypeVar

from bench.http import Connection
from bench.people import Demo, bodies
from bench.report import figure, percentile, ratios, table
from bench.serving import connected, scratch, serving
from chorale.domain.content import SearchCriteria, SearchMode
from chorale.limits import Limits
from chorale.settings import DEFAULT_MODEL
from datasources.embeddings import FastEmbedder, open_embedder
from datasources.qdrant import CollectionIdentity, QdrantContent, open_content

T = TypeVar("T")

ROUNDS = 5
PER_ROUND = 40
TOP = 10
SEARCH = """query Search($query: String!) { search(query: $query, mode: HYBRID, first: 10) { edges { score node {
  contentHash body status submittedAt author { address } } highlights { text } } } }"""
NAMES = (
    "search over HTTP",
    "bare engine, top 10",
    "bare engine, the window of 200 that the server asks for",
    "embedding the query",
)


async def run(demo: Demo) -> str:
    """The table."""
    data = await demo.data()
    with scratch() as folder:
        # The server owns its own copy: the embedded engine has one owner.
        shutil.copytree(data / "qdrant", folder / "qdrant")
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(serving(data))
            connection = await stack.enter_async_context(connected(server))
            embedder = await stack.enter_async_context(open_embedder(DEFAULT_MODEL, data, lambda _: None))
            collection = await _collection(connection, embedder)
            content = await stack.enter_async_context(open_content("file:", folder / "qdrant", collection))
            return await _measure(connection, embedder, content)


async def _measure(connection: Connection, embedder: FastEmbedder, content: QdrantContent) -> str:
    queries = [" ".join(body.split()[:8]) for body in bodies()]
    points = (await content.census()).points
    times: dict[str, list[list[float]]] = {name: [] for name in NAMES}
    for round in range(ROUNDS + 1):
        for name in NAMES:
            times[name].append([])
        for number in range(PER_ROUND):
            query = queries[(round * PER_ROUND + number) % len(queries)]
            taken, data = await _timed(connection.graphql(SEARCH, query=query))
            edges = data["search"]["edges"]
            times[NAMES[0]][-1].append(taken)
            taken, embedding = await _timed(embedder.embed_query(query))
            times[NAMES[3]][-1].append(taken)
            criteria = SearchCriteria(query, SearchMode.HYBRID, None, ())
            for name, limit in ((NAMES[1], TOP), (NAMES[2], Limits().search_window)):
                taken, hits = await _timed(content.search(criteria, embedding, limit))
                times[name][-1].append(taken)
                if limit > TOP and [hit.content.key.hash for hit in hits[:TOP]] != _hashes(edges):
                    raise RuntimeError(f"Server and engine disagree about {query!r}.")
    measured = {name: rounds[1:] for name, rounds in times.items()}
    return _table(measured, points)


async def _timed(work: Awaitable[T]) -> tuple[float, T]:
    began = time.perf_counter()
    result = await work
    return (time.perf_counter() - began) * 1e3, result


def _hashes(edges: Sequence[dict[str, dict[str, str]]]) -> list[str]:
    return [edge["node"]["contentHash"] for edge in edges]


def _table(times: dict[str, list[list[float]]], points: int) -> str:
    middles = {name: [percentile(one, 0.5) for one in rounds] for name, rounds in times.items()}
    rows = []
    for name, rounds in times.items():
        every = [time for one in rounds for time in one]
        rows.append(
            (
                name,
                figure(percentile(every, 0.5)),
                figure(percentile(every, 0.99)),
                ratios(middles[NAMES[0]], middles[name]),
                ratios(middles[name], middles[NAMES[0]]),
            )
        )
    return table(
        (
            f"HYBRID top {TOP} among {points} points",
            "p50 ms",
            "p99 ms",
            "search to it (min / median / max)",
            "its share of search",
        ),
        rows,
    )


async def _collection(connection: Connection, embedder: FastEmbedder) -> CollectionIdentity:
    found = await connection.graphql("{ chain { genesisHash } protocol { programId } }")
    return CollectionIdentity(
        found["chain"]["genesisHash"], found["protocol"]["programId"], embedder.fingerprint, embedder.dimensions
    )
