"""converge: a restart behind 100 changes at 1,000, 10,000 and 50,000 messages, and a whole verification of each.

The messages are made straight on the chain. Where their bytes are there as well each is embedded first, so that only
the smallest size comes with them too. With CHORALE_BENCH_MESSAGES another list of sizes is taken.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path

from bench.chain_load import Author, an_author
from bench.people import Demo
from bench.report import figure, table
from bench.serving import Running, connected, scratch, serving
from chorale.settings import DEFAULT_MODEL
from datasources.embeddings import open_embedder
from datasources.qdrant import CollectionIdentity, open_content
from tests.chains import RunningChain, running_localnet
from tests.cli.commands import chorale
from tests.faults.onchain import OnChain

SIZES = (1_000, 10_000, 50_000)
WITH_BYTES = 1_000  # at most
CHANGES = 100
THREADS = 20
_LEASE = 86_400  # s
_AGE = 1_000  # slots: what there is lies behind whatever a start looks through again
_THREAD = "query T($id: Hash!, $min: Version) { thread(threadId: $id, minVersion: $min) { version } }"


async def run(_demo: Demo) -> str:
    """The tables."""
    sizes = [int(size) for size in os.environ.get("CHORALE_BENCH_MESSAGES", "").split(",") if size] or list(SIZES)
    rows = [await _at(size, bytes_there=False) for size in sizes]
    rows += [await _at(size, bytes_there=True) for size in sizes if size <= WITH_BYTES]
    return table(
        (
            "messages", "first catch-up s", "nothing missed s", f"{CHANGES} missed s",
            "verified messages/s",
        ),
        rows,
    )  # fmt: skip


async def _at(size: int, *, bytes_there: bool) -> tuple[str, ...]:
    with scratch() as folder:
        (folder / "chain").mkdir()
        with running_localnet(folder / "chain") as chain:
            author = await an_author(chain, THREADS)
            await author.post(size, author.threads)
            await chain.rpc("chorale_advanceSlots", _AGE)  # made in seconds, where others take months
            if bytes_there:
                await _supply(folder / "data", chain, author)
            first = await _until_agreed(folder / "data", chain, author)
            same = await _until_agreed(folder / "data", chain, author)
            await author.post(CHANGES, author.threads)
            behind = await _until_agreed(folder / "data", chain, author)
            rate = await _verified(folder / "data", chain)
    return f"{size:,}{' with bytes' if bytes_there else ''}", figure(first), figure(same), figure(behind), figure(rate)


async def _supply(data: Path, chain: RunningChain, author: Author) -> None:
    """Keep all bytes there are, as their author would have had them kept before sending."""
    genesis = await chain.rpc("getGenesisHash")
    lease_until = int(time.time()) + _LEASE
    async with open_embedder(DEFAULT_MODEL, data, lambda _: None) as embedder:
        identity = CollectionIdentity(genesis, chain.program_id, embedder.fingerprint, embedder.dimensions)
    async with open_content("file:", data / "qdrant", identity) as content:
        for each in author.contents():
            await content.stage(each, lease_until=lease_until)


async def _until_agreed(data: Path, chain: RunningChain, author: Author) -> float:
    """Seconds from the start of the process until every thread is of its account's version."""
    asked = OnChain(chain)
    accounts = [await asked.thread(thread_id) for thread_id in author.threads]
    began = time.perf_counter()
    async with serving(data, further=_settings(chain)) as server:
        for account in accounts:
            assert account is not None
            await _reached(server, account.thread_id, account.sequence)
        return time.perf_counter() - began


async def _reached(server: Running, thread_id: str, sequence: int) -> None:
    while True:
        async with connected(server) as connection:
            try:
                await connection.graphql(_THREAD, id=thread_id, min=sequence)
                return
            except RuntimeError as error:
                if "VERSION_NOT_REACHED" not in str(error):
                    raise


async def _verified(data: Path, chain: RunningChain) -> float:
    """Messages that a whole verification looks through per second."""
    async with serving(data, further=_settings(chain)):
        _, out, err = await asyncio.to_thread(chorale, "verify", "--json", data=data)
    if not out:
        raise RuntimeError(err)
    report = json.loads(out)
    looked_at: int = max(each["checked"] for each in report["boundaries"])
    seconds: float = report["finishedAt"] - report["startedAt"]
    return looked_at / seconds


def _settings(chain: RunningChain) -> dict[str, str]:
    return {
        "CHAIN_URL": chain.rpc_url, "CHAIN_WS_URL": chain.ws_url, "PROGRAM_ID": chain.program_id, "VERIFY_EVERY": "0",
    }  # fmt: skip
