"""What the scenario asks of a chain, and the two kinds of chains that answer: LiteSVM in process, and any RPC."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from solders.instruction import Instruction
from solders.keypair import Keypair

from chorale.domain.events import ProgramEvent
from programs.events import events_in
from tests.chains import RunningChain
from tests.patience import PATIENCE
from tests.program.harness import Harness

RENT = "SysvarRent111111111111111111111111111111111"
# Compute units of one call, before and since SIMD-0339.
_OLD_CALL, _CALL = 1_000, 946


@dataclass(frozen=True)
class Outcome:
    """How one transaction ended: the RPC's err JSON (None on success), the program's events and what it consumed, less
    the fixed price of each call of another program, which runtimes have lowered over time."""

    error: Any
    events: tuple[ProgramEvent, ...]
    units: int


@dataclass(frozen=True)
class Stored:
    """One account as a chain keeps it."""

    owner: str
    lamports: int
    data: bytes


class Chain(Protocol):
    """A chain that the scenario runs on."""

    async def send(self, parts: Sequence[Instruction], signers: Sequence[Keypair]) -> Outcome:
        """Lands one transaction, also one that fails; the first signer pays."""

    async def accounts(self, addresses: Sequence[str]) -> list[Stored | None]:
        """Accounts at one moment, None where absent."""

    async def airdrop(self, address: str, lamports: int) -> None:
        """Gives lamports out of nothing."""

    async def now(self) -> int:
        """The chain's clock, unix s."""

    async def pass_time(self, until: int) -> None:
        """Returns once the chain's clock shows `until`, which it is moved to where it can be."""


class LiteSvmChain:
    """The runtime in process. Its clock moves by one second with every transaction."""

    def __init__(self, harness: Harness) -> None:
        self.harness = harness

    async def send(self, parts: Sequence[Instruction], signers: Sequence[Keypair]) -> Outcome:
        """Lands one transaction."""
        self.harness.advance(1)
        result = self.harness.send(parts, *signers)
        return Outcome(result.error, result.events, result.units - _calls(result.logs) * _OLD_CALL)

    async def accounts(self, addresses: Sequence[str]) -> list[Stored | None]:
        """Accounts, read in place."""
        found = [self.harness.account(address) for address in addresses]
        return [Stored(str(each.owner), each.lamports, each.data) if each else None for each in found]

    async def airdrop(self, address: str, lamports: int) -> None:
        """Writes the lamports."""
        self.harness.put_account(address, "1" * 32, b"", lamports)

    async def now(self) -> int:
        """The clock as set."""
        return self.harness.now

    async def pass_time(self, until: int) -> None:
        """Sets the clock."""
        self.harness.set_time(max(until, self.harness.now))


class RpcChain:
    """A process behind JSON-RPC. Only the embedded chain's clock can be moved; a validator's is waited for."""

    def __init__(self, running: RunningChain) -> None:
        self.running = running

    async def send(self, parts: Sequence[Instruction], signers: Sequence[Keypair]) -> Outcome:
        """Sends without preflight, so that what fails lands as well, and reads the outcome off the ledger."""
        raw = b64encode(await self.running.sign(parts, signers)).decode()
        signature = await self.running.rpc("sendTransaction", raw, {"encoding": "base64", "skipPreflight": True})
        await self.running.confirmed(signature)
        options = {"encoding": "json", "commitment": "confirmed", "maxSupportedTransactionVersion": 0}
        async with asyncio.timeout(PATIENCE):
            while (record := await self.running.rpc("getTransaction", signature, options)) is None:
                await asyncio.sleep(0.05)  # the record may show a little after the status
        meta = record["meta"]
        events, _ = events_in(meta["logMessages"], self.running.program_id)
        price = _OLD_CALL if self.running.name == "localnet" else _CALL
        return Outcome(meta["err"], events, meta["computeUnitsConsumed"] - _calls(meta["logMessages"]) * price)

    async def accounts(self, addresses: Sequence[str]) -> list[Stored | None]:
        """Accounts as confirmed, in one answer."""
        options = {"encoding": "base64", "commitment": "confirmed"}
        answer = await self.running.rpc("getMultipleAccounts", list(addresses), options)
        return [
            Stored(each["owner"], each["lamports"], b64decode(each["data"][0])) if each else None
            for each in answer["value"]
        ]

    async def airdrop(self, address: str, lamports: int) -> None:
        """From the chain's faucet."""
        await self.running.confirmed(await self.running.rpc("requestAirdrop", address, lamports))

    async def now(self) -> int:
        """The cluster's clock."""
        return await self.running.now()

    async def pass_time(self, until: int) -> None:
        """Moves the embedded chain's clock; waits for a validator's."""
        await self.running.pass_time(until)


def _calls(logs: Sequence[str]) -> int:
    return sum(" invoke [" in line and not line.endswith(" invoke [1]") for line in logs)
