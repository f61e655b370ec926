"""Solana by JSON-RPC and PubSub: the chain port on one HTTP client and one shared socket."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import httpx

from chorale.domain.chain import SignatureStatus
from chorale.domain.events import FeedItem
from chorale.domain.ports import Chain
from datasources.solana.live import confirmation, live_changes, live_feed
from datasources.solana.pubsub import SharedSocket
from datasources.solana.rpc import Rpc, RpcError, reads
from datasources.solana.state import SolanaState
from datasources.solana.transactions import SolanaTransactions

_BLOCK_TIMES = 64
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


class SolanaChain(SolanaState, SolanaTransactions):
    """Implements `chorale.domain.ports.Chain`."""

    def __init__(self, rpc: Rpc, ws_url: str, program_id: str) -> None:
        super().__init__(rpc, program_id)
        self._ws_url = ws_url
        self._socket = SharedSocket(ws_url)
        self._block_times: dict[int, int] = {}

    @property
    def program_id(self) -> str:
        """The program this server follows."""
        return self._program_id

    async def close(self) -> None:
        """Closes the shared socket."""
        await self._socket.close()

    async def confirm(self, signature: str, timeout: float) -> SignatureStatus | None:
        """Waits until the transaction is confirmed or failed; None after `timeout` s."""
        return await confirmation(lambda: self.status(signature), self._socket, signature, timeout)

    def follow(self, *, accounts: bool = False) -> AsyncGenerator[FeedItem, None]:
        """Live transactions that mention the program, and slot ticks (processed slots: a heartbeat, no more); with
        `accounts`, the program's accounts as they change."""
        return live_feed(self._ws_url, self._program_id, self.slot, self._block_time, accounts=accounts)

    def account_changes(self, address: str) -> AsyncGenerator[int, None]:
        """The slot of every change of an account, on a socket of its own."""
        return live_changes(self._ws_url, address)

    @reads
    async def _block_time(self, slot: int) -> int:
        if slot not in self._block_times:
            try:
                time = await self._rpc.call("getBlockTime", slot)
            except RpcError:
                time = None  # some nodes do not keep it
            if len(self._block_times) > _BLOCK_TIMES:
                self._block_times.clear()
            self._block_times[slot] = await self.unix_time() if time is None else int(time)
        return self._block_times[slot]
