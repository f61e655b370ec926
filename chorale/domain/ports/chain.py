"""What is asked of Solana, and of a key that signs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from chorale.domain.chain import (
    AccountsRead,
    Blockhash,
    Commitment,
    HistoryEntry,
    SignatureStatus,
    Simulation,
)
from chorale.domain.events import FeedItem, TransactionRecord
from chorale.domain.treasury import (
    BalanceChange,
)


class Chain(Protocol):
    """Solana by JSON-RPC. Reads default to `confirmed`; `min_context_slot` not reached in time raises
    MinimumSlotNotReachedError after bounded retries."""

    @property
    def program_id(self) -> str:
        """The program this server follows."""

    async def genesis_hash(self) -> str:
        """Identity of the chain."""

    async def slot(self, commitment: Commitment = Commitment.CONFIRMED) -> int:
        """Current slot."""

    async def node_problem(self) -> str:
        """What the node says is wrong with itself, that it is behind the cluster above all; "" where it is well."""

    async def block_height(self, commitment: Commitment = Commitment.CONFIRMED) -> int:
        """Current block height."""

    async def unix_time(self) -> int:
        """The cluster's clock (sysvar Clock), unix seconds."""

    async def accounts(
        self,
        addresses: Sequence[str],
        *,
        min_context_slot: int | None = None,
        commitment: Commitment = Commitment.CONFIRMED,
    ) -> AccountsRead:
        """Any number of accounts, one getMultipleAccounts per 100."""

    async def program_accounts(
        self,
        *,
        holding: Sequence[tuple[int, str]] = (),
        part: tuple[int, int] | None = None,
        commitment: Commitment = Commitment.CONFIRMED,
    ) -> AccountsRead:
        """Accounts of the program, with the context slot: those `holding` all these bytes (offset and base58, at most
        four). With `part` (offset and length) the data of each is cut to these bytes."""

    async def rent(self, size: int) -> int:
        """Rent-exempt minimum in lamports for `size` bytes (cached)."""

    async def latest_blockhash(self) -> Blockhash:
        """A blockhash for a new transaction."""

    async def is_blockhash_valid(self, blockhash: str, commitment: Commitment = Commitment.PROCESSED) -> bool:
        """Whether a transaction with this blockhash can still land, as that state has it."""

    async def simulate(self, transaction: bytes) -> Simulation:
        """Dry run with signatures verified."""

    async def send(self, transaction: bytes) -> str:
        """Send; returns the signature. Raises TransactionRefusedError where preflight refuses."""

    async def status(self, signature: str, *, search_history: bool = False) -> SignatureStatus | None:
        """Where a transaction stands; None where it is not known."""

    async def statuses(self, signatures: Sequence[str]) -> Sequence[SignatureStatus | None]:
        """Where many transactions stand, history included, 256 to a call; None where one is not known."""

    async def confirm(self, signature: str, timeout: float) -> SignatureStatus | None:
        """Wait until it is confirmed or failed, by signatureSubscribe with polling beside; None after `timeout` s."""

    async def transaction(self, signature: str) -> TransactionRecord | None:
        """A landed transaction with the program's events decoded from its logs."""

    async def transactions(self, signatures: Sequence[str]) -> Sequence[TransactionRecord | None]:
        """Many landed transactions, batched."""

    async def history(
        self, address: str, *, until: str | None = None, before: str | None = None, limit: int = 1000
    ) -> Sequence[HistoryEntry]:
        """An address's transactions, newest first."""

    async def balance_changes(self, token_account: str, signatures: Sequence[str]) -> Sequence[BalanceChange | None]:
        """Many landed transactions with what each did to one token account; None for one that is not served."""

    def follow(self, *, accounts: bool = False) -> AsyncGenerator[FeedItem, None]:
        """Live transactions that mention the program and slot ticks; with `accounts`, where the node offers that, also
        what the program's accounts have become, in no order with the transactions. The first item (a SlotTick) is
        yielded only once the subscription stands. Ends or raises AuthorityUnavailableError when the connection is
        lost."""

    def account_changes(self, address: str) -> AsyncGenerator[int, None]:
        """The slot of every change of an account from now on. Ends or raises AuthorityUnavailableError when the
        connection is lost; silence says nothing."""


class Signer(Protocol):
    """A keypair of this process's own, which pays fees. It never shows its secret."""

    @property
    def address(self) -> str:
        """Public key."""

    def sign(self, transaction: bytes) -> bytes:
        """The transaction with this key's signature put in its place."""
