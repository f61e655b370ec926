"""What a node says of the chain and of accounts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from chorale.domain.chain import AccountsRead, Blockhash, Commitment
from datasources.solana import decode
from datasources.solana.calls import SolanaCalls
from datasources.solana.rpc import NODE_UNHEALTHY, Call, Rpc, RpcError, reads, unavailable

_CLOCK_SYSVAR = "SysvarC1ock11111111111111111111111111111111"
_ACCOUNTS_PER_CALL = 100


class SolanaState(SolanaCalls):
    """The part of the chain port that reads what is there now."""

    def __init__(self, rpc: Rpc, program_id: str) -> None:
        super().__init__(rpc, program_id)
        self._rents: dict[int, int] = {}

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
