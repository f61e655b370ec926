"""The embedded chain: LiteSVM behind Solana's JSON-RPC and PubSub, durable in SQLite, a process of its own."""

from datasources.solana.localnet.options import LocalnetInfo, LocalnetOptions
from datasources.solana.localnet.run import run_localnet

__all__ = ["LocalnetInfo", "LocalnetOptions", "run_localnet"]
