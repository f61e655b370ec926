"""keeper: one look of the keeper at 100,000 messages that wait and as many that have expired, against parsing alone."""

from __future__ import annotations

import resource
import time
from base64 import b64encode
from random import Random
from typing import Any

import orjson
from solders.pubkey import Pubkey

from bench.people import Demo
from bench.report import figure, ratios, spread, table
from chorale.keeping.survey import Surveyor
from datasources.solana.client import SolanaChain
from datasources.solana.rpc import Rpc
from programs import scans

MESSAGES = 100_000
THREADS = 10_000
LOOKS = 5
_NOW = 32  # where the Clock sysvar has unix time


class CannedNode(Rpc):
    """A node that answers getProgramAccounts at once with what a deployment of that size would send."""

    def __init__(self) -> None:
        random = Random(1)
        threads = [random.randbytes(32) for _ in range(THREADS)]
        owner = str(Pubkey(random.randbytes(32)))
        self.program_id = owner
        heads = (threads[number % THREADS] + bytes(scans.PENDING_PART[1] - 32) for number in range(MESSAGES))
        waiting = (head[:169] + (2**40).to_bytes(8, "little") + head[177:] for head in heads)
        self.answers = {
            scans.with_status(scans.StatusByte.PENDING)[1][1]: _answer(owner, waiting, random),
            scans.with_status(scans.StatusByte.EXPIRED)[1][1]: _answer(
                owner, (bytes(8) for _ in range(MESSAGES)), random
            ),
            scans.with_status(scans.StatusByte.CANCELLED)[1][1]: _answer(owner, (), random),
            scans.THREADS[1]: _answer(owner, (bytes(scans.DUES_PART[1]) for _ in range(THREADS)), random),
        }

    async def call(self, method: str, *params: Any) -> Any:
        """The clock, and the scans of a look."""
        if method == "getMultipleAccounts":
            clock = bytes(_NOW) + (1).to_bytes(8, "little")
            return {"context": {"slot": 1}, "value": [_account(self.program_id, clock)]}
        return orjson.loads(self.answers[params[1]["filters"][-1]["memcmp"]["bytes"]])


async def run(_demo: Demo) -> str:
    """The table."""
    node = CannedNode()
    chain = SolanaChain(node, "", node.program_id)
    surveyor = Surveyor(chain, sweep_minimum=1, most=200)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    looks, parses = [], []
    for _ in range(LOOKS):
        began = time.process_time()
        for answer in node.answers.values():
            orjson.loads(answer)
        parses.append(time.process_time() - began)
        began = time.process_time()
        survey = await surveyor.look(lambda _: True)
        looks.append(time.process_time() - began)
        if survey.pending != MESSAGES or survey.found:
            raise RuntimeError(f"The look found {survey.pending} messages and {len(survey.found)} due.")
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    sent = sum(len(answer) for answer in node.answers.values()) / 1e6
    rows = [
        ("one look", spread(looks), ratios(looks, looks)),
        ("parsing the same answers", spread(parses), ratios(looks, parses)),
    ]
    columns = [
        f"{MESSAGES:,} pending, {MESSAGES:,} expired, {THREADS:,} threads",
        "CPU s (min / median / max)",
        "a look to it",
    ]
    return f"{table(columns, rows)}\n\n{figure(sent)} MB from the node, {figure(grown)} MB of memory at the peak."


def _answer(owner: str, parts: Any, random: Random) -> bytes:
    value = [{"pubkey": str(Pubkey(random.randbytes(32))), "account": _account(owner, part)} for part in parts]
    return orjson.dumps({"context": {"slot": 1}, "value": value})


def _account(owner: str, data: bytes) -> dict[str, Any]:
    encoded = [b64encode(data).decode(), "base64"]
    return {"data": encoded, "executable": False, "lamports": 1, "owner": owner, "rentEpoch": 0, "space": 300}
