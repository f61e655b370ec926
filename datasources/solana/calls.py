"""Calls to a node's RPC, with what it refuses turned into the domain's errors."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from chorale.domain.chain import TransactionRefusedError
from chorale.domain.errors import MinimumSlotNotReachedError
from datasources.solana.rpc import MIN_CONTEXT_SLOT_NOT_REACHED, Call, Rpc, RpcError, unavailable

MIN_SLOT_WAIT = 4.0
"""Seconds, less than a guarded read may take: a slot that is not reached is no failure of the node."""

_MIN_SLOT_PAUSE = 0.05
_REFUSALS = (-32002, -32003, -32602)  # preflight failed, signature verification failed, not a transaction


class SolanaCalls:
    """One node, and the program whose state is asked for."""

    def __init__(self, rpc: Rpc, program_id: str) -> None:
        self._rpc = rpc
        self._program_id = program_id

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

    async def _at_slot(self, method: str, *params: Any) -> Any:
        deadline = asyncio.get_running_loop().time() + MIN_SLOT_WAIT
        while True:
            try:
                return await self._rpc.call(method, *params)
            except RpcError as error:
                if error.code != MIN_CONTEXT_SLOT_NOT_REACHED:
                    raise unavailable(str(error)) from error
                if asyncio.get_running_loop().time() >= deadline:
                    raise MinimumSlotNotReachedError() from error
            await asyncio.sleep(_MIN_SLOT_PAUSE)

    async def _submit(self, method: str, transaction: bytes, options: dict[str, Any]) -> Any:
        try:
            return await self._rpc.call(method, b64encode(transaction).decode(), options)
        except RpcError as error:
            if error.code not in _REFUSALS:
                raise unavailable(str(error)) from error
            data = error.data if isinstance(error.data, dict) else {}
            raise TransactionRefusedError(data.get("err"), tuple(data.get("logs") or ()), error.message) from error
