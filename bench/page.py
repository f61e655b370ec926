"""page: 50 messages × 7 fields with authors over HTTP, 8 keep-alive connections, beside Strawberry and a bare dump."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

import orjson

from bench.http import operation
from bench.load import Job, Load, load
from bench.page_peers import PAGE_FILE
from bench.people import Demo, thread_of_many
from bench.report import figure, ratios, spread, table
from bench.serving import Running, connected, scratch, serving, serving_app

CONNECTIONS = 8
ROUNDS = 5
SECONDS = 3.0
PAGE = 50
AUTHORS = 5
QUERY = """query Page($threadId: String!) {
  thread(threadId: $threadId) { messages(last: 50) { nodes {
    contentHash body status submittedAt version stake { amount } author { address }
  } } }
}"""
OWN = QUERY.replace("String!", "Hash!")


async def run(_demo: Demo) -> str:
    """The table."""
    with scratch() as folder:
        async with AsyncExitStack() as stack:
            chorale = await stack.enter_async_context(serving(folder / "data"))
            async with connected(chorale) as connection:
                thread_id = await thread_of_many(connection, AUTHORS, PAGE)
            own = operation(OWN, threadId=thread_id)
            page = folder / "page.json"
            page.write_bytes(await _answer(chorale, own))
            environment = {PAGE_FILE: str(page)}
            peer = await stack.enter_async_context(serving_app("bench.page_peers:strawberry_app", **environment))
            limit = await stack.enter_async_context(serving_app("bench.page_peers:dump_app", **environment))
            common = operation(QUERY, threadId=thread_id)
            await _same(page, peer, common)
            await _same(page, limit, common)
            contestants = {
                "Chorale, from chain, index and Qdrant": (chorale, own),
                "stock Strawberry, from memory": (peer, common),
                "the same JSON dumped with orjson": (limit, common),
            }
            loads: dict[str, list[Load]] = {name: [] for name in contestants}
            for _ in range(ROUNDS):
                for name, (server, body) in contestants.items():
                    job = Job(server.url, body.decode(), CONNECTIONS, SECONDS)
                    loads[name].append(await load(job))
    return _table(loads)


def _table(loads: dict[str, list[Load]]) -> str:
    own = [found.per_second for found in next(iter(loads.values()))]
    rows = []
    for name, found in loads.items():
        speeds = [one.per_second for one in found]
        rows.append(
            (
                name,
                spread(speeds),
                figure(median(one.p50 for one in found)),
                figure(median(one.p99 for one in found)),
                ratios(own, speeds),
            )
        )
    return table(
        (
            f"{PAGE} messages × 7 fields, {CONNECTIONS} connections",
            "requests/s (min / median / max)",
            "p50 ms",
            "p99 ms",
            "Chorale to it (min / median / max)",
        ),
        rows,
    )


async def _answer(server: Running, body: bytes) -> bytes:
    async with connected(server) as connection:
        answer = await connection.exchange(connection.request(body))
    parsed = orjson.loads(answer)
    if parsed.get("errors") or len(parsed["data"]["thread"]["messages"]["nodes"]) != PAGE:
        raise RuntimeError(answer[:2_000].decode())
    return answer


async def _same(page: Path, server: Running, body: bytes) -> None:
    if orjson.loads(await _answer(server, body)) != orjson.loads(page.read_bytes()):
        raise RuntimeError(f"{server.url} gives another answer.")
