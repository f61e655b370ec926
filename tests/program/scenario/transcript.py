"""A play of instructions on one chain, written down so that two chains can be compared: addresses have their names,
times are left out, everything else is as the chain keeps it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from solders.compute_budget import set_compute_unit_limit
from solders.instruction import Instruction
from solders.keypair import Keypair

from chorale.domain.program_errors import ProgramError
from programs.accounts import MESSAGE_VECTOR, THREAD_VECTOR, VOTE_SIZE
from programs.addresses import TOKEN_PROGRAM, ProgramAddresses
from programs.interface import ACCOUNTS, HEADER, INSTRUCTIONS, AccountSpec
from programs.wire import Record
from tests.program.scenario.port import Chain, Outcome, Stored

# What the clock of a chain decides.
TIMES = frozenset({"created_at", "activity_at", "submitted_at", "expires_at", "decided_at", "cast_at"})
_BUDGET = 400_000
_BY_DISCRIMINATOR = {spec.discriminator: spec for spec in ACCOUNTS.values()}
_VECTORS = {"Thread": THREAD_VECTOR, "Message": MESSAGE_VECTOR}
_CAST_AT = 34  # in a vote


@dataclass
class Step:
    """One transaction: what was tried, how it ended, and every account that it named, as it is afterwards."""

    title: str
    instruction: str
    error: Any
    events: list[dict[str, Any]]
    units: int
    accounts: dict[str, Any]


@dataclass
class Play:
    """Runs instructions of `program` at the cost of `payer`. `names` says what each address is called, `apart` which
    accounts are left out since the ledgers differ there by intent."""

    chain: Chain
    program: ProgramAddresses
    payer: Keypair
    window: int
    names: dict[str, str] = field(default_factory=dict)
    apart: frozenset[str] = frozenset()
    steps: list[Step] = field(default_factory=list)
    _refusals: list[tuple[str, ProgramError | int, Instruction, tuple[Keypair, ...]]] = field(default_factory=list)
    _sent: int = 0

    async def does(self, title: str, instruction: Instruction, *signers: Keypair) -> None:
        """Runs what has to succeed. Earlier refusals are run first."""
        await self.settle()
        outcome = await self._send(instruction, signers)
        assert outcome.error is None, (title, outcome)
        self._note(title, instruction, outcome, await self._read(instruction))

    def refuses(self, title: str, error: ProgramError | int, instruction: Instruction, *signers: Keypair) -> None:
        """Notes what has to be refused with `error` (a number where it is another program's) at this point."""
        self._refusals.append((title, error, instruction, signers))

    async def settle(self) -> None:
        """Runs the refusals noted since the last step: together, since none of them may change anything."""
        waiting, self._refusals = self._refusals, []
        if not waiting:
            return
        named = sorted({str(meta.pubkey) for _, _, instruction, _ in waiting for meta in instruction.accounts})
        before = await self._unchanged(named)
        outcomes = await asyncio.gather(*(self._send(instruction, signers) for _, _, instruction, signers in waiting))
        assert await self._unchanged(named) == before
        for (title, error, instruction, _), outcome in zip(waiting, outcomes, strict=True):
            assert outcome.error == {"InstructionError": [0, {"Custom": int(error)}]}, (title, outcome)
            self._note(title, instruction, outcome, {})

    async def _send(self, instruction: Instruction, signers: tuple[Keypair, ...]) -> Outcome:
        self._sent += 1
        # A limit of its own makes every transaction another one, so that the same may be tried twice in one slot.
        unique = set_compute_unit_limit(_BUDGET + self._sent)
        return await self.chain.send([instruction, unique], [self.payer, *signers])

    async def _read(self, instruction: Instruction) -> dict[str, Any]:
        payer = str(self.payer.pubkey())
        addresses = sorted({payer, *(str(meta.pubkey) for meta in instruction.accounts)} - self.apart)
        stored = await self.chain.accounts(addresses)
        return {
            self._name(address): self._described(each)
            for address, each in zip(addresses, stored, strict=True)
            if each is not None and (address == payer or each.owner in (self.program.program_id, TOKEN_PROGRAM))
        }

    async def _unchanged(self, addresses: list[str]) -> dict[str, Stored | None]:
        found = dict(zip(addresses, await self.chain.accounts(addresses), strict=True))
        return {address: each for address, each in found.items() if address != str(self.payer.pubkey())}

    def _note(self, title: str, instruction: Instruction, outcome: Outcome, accounts: dict[str, Any]) -> None:
        name = next(s.name for s in INSTRUCTIONS.values() if s.discriminator == bytes(instruction.data)[:8])
        events = [
            {
                "name": event.name,
                "subject": self._name(event.thread),
                "sequence": event.sequence,
                "ordinal": event.ordinal,
                **self._plain(event.fields),
            }
            for event in outcome.events
        ]
        self.steps.append(Step(f"{name}: {title}", name, outcome.error, events, outcome.units, accounts))

    def _described(self, stored: Stored) -> dict[str, Any]:
        if not stored.data:
            return {"lamports": stored.lamports}
        if stored.owner == TOKEN_PROGRAM:
            return {"lamports": stored.lamports, "tokens": int.from_bytes(stored.data[64:72], "little")}
        spec = _BY_DISCRIMINATOR[stored.data[:8]]
        fixed = Record(*HEADER, *spec.fixed).decode(stored.data, 8)
        if spec.name == "Message" and fixed["expires_at"]:
            assert fixed["expires_at"] == int(fixed["submitted_at"]) + self.window
        return {"lamports": stored.lamports, **self._plain(fixed), "bytes": timeless(spec, stored.data).hex()}

    def _plain(self, values: Mapping[str, Any]) -> dict[str, Any]:
        named = {name: self._name(value) if isinstance(value, str) else value for name, value in values.items()}
        return {name: bool(value) if name in TIMES else value for name, value in named.items()}

    def _name(self, text: str) -> str:
        return self.names.get(text, text)


def timeless(spec: AccountSpec, data: bytes) -> bytes:
    """An account's bytes with every time that is set replaced by ones; the rest as it is."""
    masked, offset = bytearray(data), 8
    for each in (*HEADER, *spec.fixed):
        size = Record(each).size
        if each.name in TIMES and any(masked[offset : offset + size]):
            masked[offset : offset + size] = b"\xff" * size
        offset += size
    if spec.name == "Message":
        for start in range(_VECTORS["Message"] + 4 + _CAST_AT, len(masked), VOTE_SIZE):
            if any(masked[start : start + 8]):
                masked[start : start + 8] = b"\xff" * 8
    return bytes(masked)
