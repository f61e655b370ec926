"""Lamports from a faucet, which an embedded chain and a test validator have."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx

from chorale.domain.ports import Chain
from datasources.solana import decode
from datasources.solana.rpc import Rpc, RpcError, unavailable, well_formed

_CONFIRM_SECONDS = 20.0


@asynccontextmanager
async def open_airdrop(chain: Chain, rpc_url: str, address: str) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    """A function that has lamports sent to `address` and waits for them; AuthorityUnavailableError where none come."""
    async with httpx.AsyncClient(timeout=10.0, trust_env=False) as http:
        rpc = Rpc(http, rpc_url)

        async def airdrop(lamports: int) -> None:
            with well_formed():
                try:
                    signature = decode.text(await rpc.call("requestAirdrop", address, lamports))
                except RpcError as error:
                    raise unavailable(f"no airdrop for {address}: {error.message}") from error
            status = await chain.confirm(signature, _CONFIRM_SECONDS)
            if status is None or status.error is not None:
                raise unavailable(f"the airdrop for {address} was not confirmed")

        yield airdrop
