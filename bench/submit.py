"""submit: `submitMessage` over HTTP beside the bare sequence of the same work, interleaved.

The bare sequence has no GraphQL, index, projector or update log; it runs against an embedded chain of its own, so that
no server follows its transactions, with the same adapters, model and Qdrant engine, and as many points and messages.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

import orjson

from bench.bare import open_bare
from bench.http import operation
from bench.people import Demo, bodies, person
from bench.report import figure, percentile, ratios, table
from bench.serving import connected, scratch, serving

ROUNDS = 10
PER_ROUND = 20
WARM_UP = 10
SUBMIT = """mutation Submit($input: SubmitMessageInput!) { it: submitMessage(input: $input) { __typename
  ... on SubmitMessageSuccess { message { contentHash status body author { address } } thread { version pendingCount }
    update { outcome steps { name durationMs } } }
  ... on Problem { explanation } } }"""
STEPS = ("UPDATE_AUTHORITY", "AWAIT_CONFIRMATION", "PROPAGATE", "VERIFY")

Send = Callable[[int], Awaitable[float]]


async def run(_demo: Demo) -> str:
    """The tables."""
    with scratch() as folder:
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(serving(folder / "server"))
            connection = await stack.enter_async_context(connected(server))
            creator, outsider = await person(connection, "creator"), await person(connection, "outsider")
            thread_id = await creator.create_thread("A thread to submit to")
            bare = await open_bare(stack, folder, folder / "server")
            texts = bodies()
            steps: list[dict[str, float]] = []

            async def through_graphql(number: int) -> float:
                sent = await outsider.submission(thread_id, number, _text(texts, number))
                connection.token = outsider.token
                request = connection.request(operation(SUBMIT, input=sent))
                began = time.perf_counter()
                answer = await connection.exchange(request)
                ended = time.perf_counter()
                steps.append(_steps(answer))
                return (ended - began) * 1e3

            async def barely(number: int) -> float:
                return await bare.submit(_text(texts, number))

            return await _compare(through_graphql, barely, steps)


async def _compare(through_graphql: Send, barely: Send, steps: list[dict[str, float]]) -> str:
    for number in range(WARM_UP):
        await through_graphql(number)
        await barely(number)
    steps.clear()
    whole: list[list[float]] = []
    limit: list[list[float]] = []
    for round in range(ROUNDS):
        numbers = range(WARM_UP + round * PER_ROUND, WARM_UP + (round + 1) * PER_ROUND)
        whole.append([])
        limit.append([])
        for number in numbers:
            whole[-1].append(await through_graphql(number))
            limit[-1].append(await barely(number))
    rows = [_row("submitMessage over HTTP", whole, limit), _row("bare sequence", limit, limit)]
    detail = [(name, figure(percentile([step[name] for step in steps], 0.5))) for name in STEPS]
    return (
        table(
            (
                f"{ROUNDS * PER_ROUND} submissions each",
                "p50 ms",
                "p99 ms",
                "ratio of p50 by round (min / median / max)",
            ),
            rows,
        )
        + f"\n\nRatio of p99: {figure(_all(whole, 0.99) / _all(limit, 0.99))}. Aim for p50: at most 1.2.\n\n"
        + table(("step of submitMessage", "p50 ms"), detail)
    )


def _row(name: str, times: list[list[float]], limit: list[list[float]]) -> tuple[str, str, str, str]:
    by_round = ratios([percentile(one, 0.5) for one in times], [percentile(one, 0.5) for one in limit])
    return name, figure(_all(times, 0.5)), figure(_all(times, 0.99)), by_round


def _all(times: list[list[float]], share: float) -> float:
    return percentile([time for one in times for time in one], share)


def _steps(answer: bytes) -> dict[str, float]:
    found = orjson.loads(answer)
    done = (found.get("data") or {}).get("it") or {}
    if found.get("errors") or done.get("update", {}).get("outcome") != "VERIFIED":
        raise RuntimeError(answer.decode()[:2_000])
    return {step["name"]: step["durationMs"] for step in done["update"]["steps"]}


def _text(texts: Sequence[str], number: int) -> str:
    return f"{texts[number % len(texts)]} ({number})"
