"""Transactions: tried, sent, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chorale.domain.chain import Commitment, HistoryEntry, SignatureStatus, Simulation
from chorale.domain.events import TransactionRecord
from chorale.domain.treasury import BalanceChange
from datasources.solana import decode
from datasources.solana.calls import SolanaCalls
from datasources.solana.rpc import Call, reads, unavailable

_STATUSES_PER_CALL = 256


class SolanaTransactions(SolanaCalls):
    """The part of the chain port that knows transactions."""

    @reads
    async def simulate(self, transaction: bytes) -> Simulation:
        """Dry run with signatures verified, on the newest state. Raises TransactionRefusedError where it is refused
        unread."""
        options = {"encoding": "base64", "sigVerify": True, "commitment": Commitment.PROCESSED.value}
        answer = await self._submit("simulateTransaction", transaction, options)
        value = answer["value"]
        return Simulation(
            int(answer["context"]["slot"]),
            value["err"],
            tuple(value.get("logs") or ()),
            int(value.get("unitsConsumed") or 0),
        )

    @reads
    async def send(self, transaction: bytes) -> str:
        """Sends; returns the signature. Raises TransactionRefusedError where preflight refuses."""
        options = {"encoding": "base64", "preflightCommitment": Commitment.PROCESSED.value}
        return decode.text(await self._submit("sendTransaction", transaction, options))

    @reads
    async def status(self, signature: str, *, search_history: bool = False) -> SignatureStatus | None:
        """Where a transaction stands; None where it is not known."""
        options = {"searchTransactionHistory": search_history}
        answer = await self._call("getSignatureStatuses", [signature], options)
        return decode.signature_status(answer["value"][0])

    @reads
    async def statuses(self, signatures: Sequence[str]) -> Sequence[SignatureStatus | None]:
        """Where many transactions stand, history included, 256 to a call."""
        found: list[SignatureStatus | None] = []
        for at in range(0, len(signatures), _STATUSES_PER_CALL):
            part = list(signatures[at : at + _STATUSES_PER_CALL])
            answer = await self._call("getSignatureStatuses", part, {"searchTransactionHistory": True})
            values = decode.items(answer["value"])
            if len(values) != len(part):
                raise unavailable("a status is missing in the node's answer")
            found += [decode.signature_status(value) for value in values]
        return found

    @reads
    async def transaction(self, signature: str) -> TransactionRecord | None:
        """A landed transaction with the program's events; None where the node does not know it."""
        return (await self.transactions([signature]))[0]

    @reads
    async def transactions(self, signatures: Sequence[str]) -> Sequence[TransactionRecord | None]:
        """Many landed transactions, 100 to a batch."""
        options = {
            "encoding": "base64",
            "commitment": Commitment.CONFIRMED.value,
            "maxSupportedTransactionVersion": 0,
        }
        answers = await self._batch([Call("getTransaction", [signature, options]) for signature in signatures])
        return [self._record(signature, answer) for signature, answer in zip(signatures, answers, strict=True)]

    @reads
    async def history(
        self, address: str, *, until: str | None = None, before: str | None = None, limit: int = 1000
    ) -> Sequence[HistoryEntry]:
        """An address's confirmed transactions, newest first, at most 1,000."""
        options: dict[str, Any] = {"commitment": Commitment.CONFIRMED.value, "limit": limit}
        if until is not None:
            options["until"] = until
        if before is not None:
            options["before"] = before
        values = decode.items(await self._call("getSignaturesForAddress", address, options))
        return [decode.history_entry(value) for value in values]

    @reads
    async def balance_changes(self, token_account: str, signatures: Sequence[str]) -> Sequence[BalanceChange | None]:
        """Many landed transactions with what each did to one token account, 100 to a batch."""
        options = {
            "encoding": "json",
            "commitment": Commitment.CONFIRMED.value,
            "maxSupportedTransactionVersion": 0,
        }
        answers = await self._batch([Call("getTransaction", [signature, options]) for signature in signatures])
        records = [self._record(signature, answer) for signature, answer in zip(signatures, answers, strict=True)]
        return [
            None if record is None else BalanceChange(record, decode.balance_change(answer, token_account))
            for record, answer in zip(records, answers, strict=True)
        ]

    def _record(self, signature: str, answer: Any) -> TransactionRecord | None:
        if answer is None:
            return None
        meta = answer.get("meta") or {}
        return decode.transaction_record(
            signature,
            decode.slot(answer["slot"]),
            int(answer.get("blockTime") or 0),
            meta.get("err"),
            meta.get("logMessages"),
            self._program_id,
        )
