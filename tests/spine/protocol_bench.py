"""A protocol's lane over an index of its own, on a chain whose answers a test can alter."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import randbelow
from typing import Any

from solders.compute_budget import set_compute_unit_limit
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chorale.domain.chain import HistoryEntry
from chorale.domain.events import TransactionRecord
from chorale.domain.paging import PageRequest
from chorale.domain.treasury import BalanceChange, FlowKind
from chorale.projection.protocol_lane import ProtocolLane
from datasources.index import SqliteIndex, open_index
from datasources.solana.client import open_chain
from programs import instructions
from tests.chains import RunningChain, mint_to, running_localnet


class AlteredChain:
    """The real chain with its calls counted, and with a memory, a lag or logs of the test's making."""

    def __init__(self, chain: Any) -> None:
        self._chain = chain
        self.calls: Counter[str] = Counter()
        self.remembers: Callable[[HistoryEntry], bool] = lambda _: True
        self.serves = True
        self.alter: Callable[[TransactionRecord], TransactionRecord] = lambda record: record

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    async def accounts(self, addresses: Sequence[str], **options: Any) -> Any:
        """As the chain answers."""
        self.calls["accounts"] += 1
        return await self._chain.accounts(addresses, **options)

    async def history(self, address: str, **options: Any) -> list[HistoryEntry]:
        """What the node remembers."""
        self.calls["history"] += 1
        return [entry for entry in await self._chain.history(address, **options) if self.remembers(entry)]

    async def transactions(self, signatures: Sequence[str]) -> list[TransactionRecord | None]:
        """None of them while the node does not serve what it lists."""
        self.calls["transactions"] += 1
        found = await self._chain.transactions(signatures)
        return [None if record is None or not self.serves else self.alter(record) for record in found]

    async def balance_changes(self, account: str, signatures: Sequence[str]) -> list[BalanceChange | None]:
        """Likewise."""
        self.calls["transactions"] += 1
        found = await self._chain.balance_changes(account, signatures)
        if not self.serves:
            return [None for _ in found]
        return [None if each is None else replace(each, record=self.alter(each.record)) for each in found]


@dataclass
class Bench:
    """A lane over an empty index and a chain that the tests of this file have for themselves."""

    running: RunningChain
    chain: AlteredChain
    index: SqliteIndex
    lane: ProtocolLane

    async def mint(self, amount: int) -> str:
        """Tokens into the treasury, unasked."""
        treasury = Pubkey.from_string(self.running.addresses.treasury())
        return await self.send(
            mint_to(Pubkey.from_string(self.running.mint), treasury, self.running.admin.pubkey(), amount)
        )

    async def configure(self, minimum_stake: int, *, admin: Keypair | None = None, to: Keypair | None = None) -> str:
        """New parameters, and a new admin where one is named."""
        old = admin or self.running.admin
        new = to or old
        part = instructions.configure(
            self.running.addresses,
            admin=str(old.pubkey()),
            new_admin=str(new.pubkey()),
            minimum_stake=minimum_stake,
            approval_window=self.running.window,
        )
        return await self.send(part, signers=[self.running.admin, *{old, new} - {self.running.admin}])

    def withdrawal(self, amount: int) -> Instruction:
        """Out of the treasury, to the admin."""
        admin = str(self.running.admin.pubkey())
        destination = self.running.addresses.associated_token_account(admin, self.running.mint)
        return instructions.withdraw_treasury(
            self.running.addresses, admin=admin, destination=destination, amount=amount
        )

    async def send(self, *parts: Instruction, signers: Sequence[Keypair] = ()) -> str:
        """A transaction of its own, however often the same is sent."""
        limit = set_compute_unit_limit(200_000 + randbelow(1_000_000))
        return await self.running.send([limit, *parts], list(signers) or [self.running.admin])

    async def flows(self) -> list[tuple[FlowKind, int, str]]:
        """All flows, newest first."""
        page = await self.index.treasury_flows(PageRequest(first=1000))
        return [(flow.kind, flow.amount, flow.signature) for flow in page.flows]

    async def changes(self) -> list[tuple[int, int | None, str | None]]:
        """All changes of the parameters, newest first."""
        page = await self.index.protocol_changes(PageRequest(first=1000))
        return [(change.sequence, change.minimum_stake, change.admin) for change in page.changes]


@contextmanager
def own_chain(folder: Path) -> Iterator[RunningChain]:
    """A chain whose protocol may be changed; its admin holds some of the token."""
    with running_localnet(folder) as running:
        asyncio.run(running.fund(str(running.admin.pubkey()), 1_000_000, 1_000))
        yield running


@asynccontextmanager
async def opened(running: RunningChain, folder: Path) -> AsyncIterator[Bench]:
    """A bench on the index in `folder`."""
    async with (
        open_chain(running.rpc_url, "", running.program_id) as chain,
        open_index(folder, "genesis", running.program_id, "model") as index,
    ):
        altered = AlteredChain(chain)
        yield Bench(running, altered, index, ProtocolLane(altered, index))
