"""The protocol's token: mint and decimals never change, so one read serves the whole process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.ports import Chain
from chorale.domain.updates import Authority
from programs.accounts import decode_protocol
from programs.addresses import ProgramAddresses

_DECIMALS = 44  # offset in a mint of the SPL Token program


@dataclass(frozen=True, slots=True)
class Token:
    """Mint address and number of decimals of the token that stakes are made of."""

    mint: str
    decimals: int


class TokenFacts:
    """Read on first use and kept; a failed read is tried again by the next caller."""

    def __init__(self, chain: Chain, addresses: ProgramAddresses) -> None:
        self._chain = chain
        self._addresses = addresses
        self._reading = asyncio.Lock()
        self._token: Token | None = None

    async def token(self) -> Token:
        """Mint and decimals. Raises AuthorityUnavailableError where Solana is away or the program not initialised."""
        if self._token is None:
            async with self._reading:
                self._token = self._token or await self._read()
        return self._token

    async def _read(self) -> Token:
        address = self._addresses.protocol()
        protocol = (await self._chain.accounts([address])).accounts[0]
        if protocol is None:
            raise AuthorityUnavailableError(
                Authority.SOLANA, f"The program {self._addresses.program_id} is not initialised on this chain."
            )
        mint = decode_protocol(address, protocol.data).mint
        account = (await self._chain.accounts([mint])).accounts[0]
        if account is None or len(account.data) <= _DECIMALS:
            raise AuthorityUnavailableError(Authority.SOLANA, f"The mint {mint} is not on this chain.")
        return Token(mint, account.data[_DECIMALS])
