"""Names of clusters as wallets know them."""

from __future__ import annotations

_BY_GENESIS_HASH = {
    "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d": "solana:mainnet",
    "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG": "solana:devnet",
    "4uhcVJyU9pJkvQyS88uRDiswHXSGkY3zQawwpjk2NsNY": "solana:testnet",
}


def chain_identifier(genesis_hash: str) -> str:
    """A cluster's name by its genesis hash; whatever is none of the public ones is a local one."""
    return _BY_GENESIS_HASH.get(genesis_hash, "solana:localnet")
