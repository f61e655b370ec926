"""Addresses of the program's accounts, derived once and kept in bounded caches."""

from __future__ import annotations

from functools import lru_cache

from solders.pubkey import Pubkey

from programs.wire import hash_bytes, key_bytes

TOKEN_PROGRAM = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"  # noqa: S105 -- a public address
ASSOCIATED_TOKEN_PROGRAM = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"  # noqa: S105 -- a public address
SYSTEM_PROGRAM = "11111111111111111111111111111111"
COMPUTE_BUDGET_PROGRAM = "ComputeBudget111111111111111111111111111111"

_CACHED = 65_536


@lru_cache(maxsize=_CACHED)
def _derived(program_id: str, *seeds: bytes) -> tuple[str, int]:
    address, bump = Pubkey.find_program_address(list(seeds), Pubkey.from_bytes(key_bytes(program_id)))
    return str(address), bump


class ProgramAddresses:
    """Addresses under one deployment, named by its program id. Methods raise WireError on malformed keys or hashes."""

    def __init__(self, program_id: str) -> None:
        key_bytes(program_id)
        self.program_id = program_id

    def __repr__(self) -> str:
        return f"ProgramAddresses({self.program_id!r})"

    def protocol(self) -> str:
        """The one `Protocol` account."""
        return _derived(self.program_id, b"protocol")[0]

    def treasury(self) -> str:
        """The token account that is the system reserve."""
        return _derived(self.program_id, b"treasury")[0]

    def thread(self, thread_id: str) -> str:
        """`Thread` account of a thread id (hex)."""
        return self.thread_and_bump(thread_id)[0]

    def thread_and_bump(self, thread_id: str) -> tuple[str, int]:
        """`Thread` account of a thread id (hex), and its bump."""
        return _derived(self.program_id, b"thread", hash_bytes(thread_id))

    def vault(self, thread_address: str) -> str:
        """Token account of the `Thread` account at `thread_address`."""
        return _derived(self.program_id, b"vault", key_bytes(thread_address))[0]

    def message(self, thread_address: str, content_hash: str) -> str:
        """`Message` account of a content hash (hex) in the `Thread` account at `thread_address`."""
        return self.message_and_bump(thread_address, content_hash)[0]

    def message_and_bump(self, thread_address: str, content_hash: str) -> tuple[str, int]:
        """`Message` account of a content hash (hex), and its bump."""
        return _derived(self.program_id, b"message", key_bytes(thread_address), hash_bytes(content_hash))

    def associated_token_account(self, owner: str, mint: str) -> str:
        """The SPL Token account that wallets keep for `owner` and `mint`."""
        return associated_token_account(owner, mint)


def associated_token_account(owner: str, mint: str) -> str:
    """The SPL Token account that wallets keep for `owner` and `mint`."""
    return _derived(ASSOCIATED_TOKEN_PROGRAM, key_bytes(owner), key_bytes(TOKEN_PROGRAM), key_bytes(mint))[0]
