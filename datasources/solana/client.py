"""Solana by JSON-RPC and PubSub: the chain port on one HTTP client and one shared socket."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx

from chorale.domain.chain import (
    AccountsRead,
    Blockhash,
    Commitment,
    HistoryEntry,
    SignatureStatus,
    Simulation,
    TransactionRefusedError,
)
from chorale.domain.errors import MinimumSlotNotReachedError
from chorale.domain.events import FeedItem, TransactionRecord
from chorale.domain.ports import Chain
from chorale.domain.treasury import BalanceChange
from datasources.solana import decode
from datasources.solana.live import confirmation, live_changes, live_feed
from datasources.solana.pubsub import SharedSocket
from datasources.solana.rpc import MIN_CONTEXT_SLOT_NOT_REACHED, NODE_UNHEALTHY, Call, Rpc, RpcError, reads, unavailable

_CLOCK_SYSVAR = "SysvarC1ock11111111111111111111111111111111"
_ACCOUNTS_PER_CALL = 100
_STATUSES_PER_CALL = 256
_MIN_SLOT_WAIT = 4.0  # s, less than a guarded read may take: a slot that is not reached is no failure of the node
_MIN_SLOT_PAUSE = 0.05
_REFUSALS = (-32002, -32003, -32602)  # preflight failed, signature verification failed, not a transaction
_HTTP_TIMEOUT = httpx.Timeout(15.0, connect=5.0)
_HTTP_LIMITS = httpx.Limits(max_connections=64, max_keepalive_connections=16, keepalive_expiry=30.0)


def default_ws_url(url: str) -> str:
    """PubSub beside an RPC address: the next port for http with a port, the same host for https."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return urlunsplit(parts._replace(scheme="wss"))
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    netloc = f"{shown}:{parts.port + 1}" if parts.port else shown
    return urlunsplit(parts._replace(scheme="ws", netloc=netloc))


@asynccontextmanager
async def open_chain(url: str, ws_url: str, program_id: str) -> AsyncIterator[Chain]:
    """The chain behind an RPC address; `ws_url` "" stands for the address that belongs to `url`."""
    async with httpx.AsyncClient(timeout=_HTTP_TIMEOUT, limits=_HTTP_LIMITS, trust_env=False) as http:
        chain = SolanaChain(Rpc(http, url), ws_url or default_ws_url(url), program_id)
        try:
            yield chain
        finally:
            await chain.close()


class SolanaChain:
    """Implements `chorale.domain.ports.Chain`."""

    def __init__(self, rpc: Rpc, ws_url: str, program_id: str) -> None:
        self._rpc = rpc
        self._ws_url = ws_url
        self._program_id = program_id
        self._socket = SharedSocket(ws_url)
        self._rents: dict[int, int] = {}
        self._block_times: dict[int, int] = {}

    @property
    def program_id(self) -> str:
        """The program this server follows."""
        return self._program_id

    async def close(self) -> None:
        """Closes the shared socket."""
        await self._socket.close()

    @reads
    async def genesis_hash(self) -> str:
        """Identity of the chain."""
        return decode.text(await self._call("getGenesisHash"))

    @reads
    async def slot(self, commitment: Commitment = Commitment.CONFIRMED) -> int:
        """Current slot."""
        return decode.slot(await self._call("getSlot", {"commitment": commitment.value}))

    @reads
    async def node_problem(self) -> str:
        """What the node says is wrong with itself; "" where it is well, and where it does not say."""
        try:
            await self._rpc.call("getHealth")
        except RpcError as error:
            return error.message if error.code == NODE_UNHEALTHY else ""
        return ""

    @reads
    async def block_height(self, commitment: Commitment = Commitment.CONFIRMED) -> int:
        """Current block height."""
        return int(await self._call("getBlockHeight", {"commitment": commitment.value}))

    @reads
    async def unix_time(self) -> int:
        """The cluster's clock, unix seconds."""
        read = await self.accounts([_CLOCK_SYSVAR])
        if read.accounts[0] is None:
            raise unavailable("the node has no Clock sysvar")
        return decode.clock_time(read.accounts[0].data)

    @reads
    async def accounts(
        self,
        addresses: Sequence[str],
        *,
        min_context_slot: int | None = None,
        commitment: Commitment = Commitment.CONFIRMED,
    ) -> AccountsRead:
        """Accounts in the order asked for, one getMultipleAccounts per 100. `slot` is the lowest of the batches."""
        if not addresses:
            return AccountsRead(await self.slot(commitment), ())
        options: dict[str, Any] = {"encoding": "base64", "commitment": commitment.value}
        if min_context_slot is not None:
            options["minContextSlot"] = min_context_slot
        parts = [addresses[at : at + _ACCOUNTS_PER_CALL] for at in range(0, len(addresses), _ACCOUNTS_PER_CALL)]
        method = "getMultipleAccounts"
        if len(parts) == 1:  # nearly always, and a task of its own would cost more than it saves
            answers = [await self._at_slot(method, list(parts[0]), options)]
        else:
            answers = await asyncio.gather(*(self._at_slot(method, list(part), options) for part in parts))
        values = [value for answer in answers for value in answer["value"]]
        return AccountsRead(
            min(decode.slot(answer["context"]["slot"]) for answer in answers),
            tuple(decode.account(address, value) for address, value in zip(addresses, values, strict=True)),
        )

    @reads
    async def program_accounts(
        self,
        *,
        holding: Sequence[tuple[int, str]] = (),
        part: tuple[int, int] | None = None,
        commitment: Commitment = Commitment.CONFIRMED,
    ) -> AccountsRead:
        """Accounts of the program, with the context slot: those `holding` all these bytes (offset and base58, at most
        four). With `part` (offset and length) the data of each is cut to these bytes."""
        options: dict[str, Any] = {
            "encoding": "base64",
            "commitment": commitment.value,
            "withContext": True,
        }
        if holding:
            options["filters"] = [{"memcmp": {"offset": offset, "bytes": held}} for offset, held in holding]
        if part is not None:
            options["dataSlice"] = {"offset": part[0], "length": part[1]}
        answer = await self._call("getProgramAccounts", self._program_id, options)
        return AccountsRead(
            decode.slot(answer["context"]["slot"]),
            tuple(decode.account(item["pubkey"], item["account"]) for item in decode.items(answer["value"])),
        )

    @reads
    async def rent(self, size: int) -> int:
        """Rent-exempt minimum in lamports for `size` bytes (cached)."""
        if size not in self._rents:
            self._rents[size] = int(await self._call("getMinimumBalanceForRentExemption", size))
        return self._rents[size]

    @reads
    async def latest_blockhash(self) -> Blockhash:
        """A blockhash for a new transaction, with height and slot of the same moment."""
        options = {"commitment": Commitment.CONFIRMED.value}
        latest, height = await self._batch([Call("getLatestBlockhash", [options]), Call("getBlockHeight", [options])])
        value = latest["value"]
        return Blockhash(
            decode.text(value["blockhash"]),
            int(value["lastValidBlockHeight"]),
            int(height),
            decode.slot(latest["context"]["slot"]),
        )

    @reads
    async def is_blockhash_valid(self, blockhash: str, commitment: Commitment = Commitment.PROCESSED) -> bool:
        """Whether a transaction with this blockhash can still land; the freshest ones count too."""
        answer = await self._call("isBlockhashValid", blockhash, {"commitment": commitment.value})
        return decode.boolean(answer["value"])

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

    async def confirm(self, signature: str, timeout: float) -> SignatureStatus | None:
        """Waits until the transaction is confirmed or failed; None after `timeout` s."""
        return await confirmation(lambda: self.status(signature), self._socket, signature, timeout)

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

    def follow(self, *, accounts: bool = False) -> AsyncGenerator[FeedItem, None]:
        """Live transactions that mention the program, and slot ticks (processed slots: a heartbeat, no more); with
        `accounts`, the program's accounts as they change."""
        return live_feed(self._ws_url, self._program_id, self.slot, self._block_time, accounts=accounts)

    def account_changes(self, address: str) -> AsyncGenerator[int, None]:
        """The slot of every change of an account, on a socket of its own."""
        return live_changes(self._ws_url, address)

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

    @reads
    async def _block_time(self, slot: int) -> int:
        if slot not in self._block_times:
            try:
                time = await self._rpc.call("getBlockTime", slot)
            except RpcError:
                time = None  # some nodes do not keep it
            if len(self._block_times) > 64:
                self._block_times.clear()
            self._block_times[slot] = await self.unix_time() if time is None else int(time)
        return self._block_times[slot]

    async def _submit(self, method: str, transaction: bytes, options: dict[str, Any]) -> Any:
        try:
            return await self._rpc.call(method, b64encode(transaction).decode(), options)
        except RpcError as error:
            if error.code not in _REFUSALS:
                raise unavailable(str(error)) from error
            data = error.data if isinstance(error.data, dict) else {}
            raise TransactionRefusedError(data.get("err"), tuple(data.get("logs") or ()), error.message) from error

    async def _at_slot(self, method: str, *params: Any) -> Any:
        deadline = asyncio.get_running_loop().time() + _MIN_SLOT_WAIT
        while True:
            try:
                return await self._rpc.call(method, *params)
            except RpcError as error:
                if error.code != MIN_CONTEXT_SLOT_NOT_REACHED:
                    raise unavailable(str(error)) from error
                if asyncio.get_running_loop().time() >= deadline:
                    raise MinimumSlotNotReachedError() from error
            await asyncio.sleep(_MIN_SLOT_PAUSE)

    async def _call(self, method: str, *params: Any) -> Any:
        try:
            return await self._rpc.call(method, *params)
        except RpcError as error:
            raise unavailable(str(error)) from error

    async def _batch(self, calls: Sequence[Call]) -> list[Any]:
        try:
            return await self._rpc.batch(calls)
        except RpcError as error:
            raise unavailable(str(error)) from error
