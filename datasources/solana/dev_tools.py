"""What only an embedded chain offers: named wallets whose keys lie in the data directory, and a clock to turn."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from chorale.domain.chain import TransactionRefusedError
from chorale.domain.errors import AuthorityUnavailableError, InvalidInputError
from chorale.domain.ports import Chain
from chorale.domain.updates import Authority
from datasources.solana.localnet.keys import LocalnetKeys, load_keys, localnet_folder, read_keypair, write_keypair
from datasources.solana.rpc import Rpc, RpcError
from programs.addresses import TOKEN_PROGRAM, associated_token_account
from programs.associated import create_associated_account
from programs.transactions import TransactionMalformed, decode_transaction

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_MINT_TO = 7
_CONFIRM_SECONDS = 20.0
_MAX_LEAP = 10 * 365 * 86_400
_ADMIN = "admin"


@asynccontextmanager
async def open_dev_tools(chain: Chain, rpc_url: str, data: Path) -> AsyncIterator[LocalnetTools]:
    """Tools for the embedded chain that keeps its keys under `data` and answers at `rpc_url`."""
    async with httpx.AsyncClient(timeout=10.0, trust_env=False) as http:
        keys = await asyncio.to_thread(load_keys, data)
        yield LocalnetTools(chain, Rpc(http, rpc_url), keys, localnet_folder(data) / "wallets")


class LocalnetTools:
    """Implements `chorale.context.DevTools`. Raises InvalidInputError on what the caller can mend."""

    def __init__(self, chain: Chain, rpc: Rpc, keys: LocalnetKeys, folder: Path) -> None:
        self._chain = chain
        self._rpc = rpc
        self._keys = keys
        self._folder = folder
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._funded: dict[str, str] = {}

    async def wallet(self, name: str, lamports: int, tokens: int) -> str:
        """Address of the wallet `name`, made and funded on first use, however many ask at once. `admin` is the
        protocol's first admin, which the chain was made with."""
        path = self._path(name)
        async with self._locks[name]:
            if name not in self._funded:
                keypair = self._keys.admin if name == _ADMIN else await asyncio.to_thread(_load_or_make, path)
                await self._fund(keypair.pubkey(), lamports, tokens)
                self._funded[name] = str(keypair.pubkey())
        return self._funded[name]

    async def sign(self, name: str, transaction: bytes) -> bytes:
        """The transaction with the wallet's signature put in."""
        keypair = await self._keypair(name)
        try:
            signers = decode_transaction(transaction, self._chain.program_id).signers
        except TransactionMalformed as error:
            raise InvalidInputError(str(error), "transaction") from error
        if str(keypair.pubkey()) not in signers:
            raise InvalidInputError(
                f"The transaction does not ask for the signature of {name!r} ({keypair.pubkey()}). "
                "Prepare it for that wallet.",
                "transaction",
            )
        unsigned = VersionedTransaction.from_bytes(transaction)
        signatures = unsigned.signatures
        signatures[signers.index(str(keypair.pubkey()))] = keypair.sign_message(to_bytes_versioned(unsigned.message))
        return bytes(VersionedTransaction.populate(unsigned.message, signatures))

    async def advance_clock(self, seconds: int) -> int:
        """Turn the cluster's clock forward; its unix time afterwards."""
        if not 1 <= seconds <= _MAX_LEAP:
            raise InvalidInputError(f"The clock turns forward by 1 to {_MAX_LEAP} seconds.", "seconds")
        try:
            return int(await self._rpc.call("chorale_advanceClock", {"seconds": seconds}))
        except RpcError as error:
            raise InvalidInputError(error.message, "seconds") from error

    async def _keypair(self, name: str) -> Keypair:
        path = self._path(name)
        if name == _ADMIN:
            return self._keys.admin
        if not await asyncio.to_thread(path.exists):
            raise InvalidInputError(f"There is no wallet {name!r} yet: devWallet makes it.", "name")
        return await asyncio.to_thread(read_keypair, path)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise InvalidInputError(
                "A name has 1 to 32 letters, digits, -, _ or dots, and begins with no sign.", "name"
            )
        return self._folder / f"{name}.json"

    async def _fund(self, owner: Pubkey, lamports: int, tokens: int) -> None:
        mint = self._keys.mint.pubkey()
        account = associated_token_account(str(owner), str(mint))
        # SOL and tokens come in one transaction, so the token account is the proof that the wallet has had both.
        if (await self._chain.accounts([account])).accounts[0] is not None:
            return
        faucet, admin = self._keys.faucet, self._keys.admin
        steps = [
            transfer(TransferParams(from_pubkey=faucet.pubkey(), to_pubkey=owner, lamports=lamports)),
            create_associated_account(payer=str(faucet.pubkey()), owner=str(owner), mint=str(mint)),
            _mint_to(mint, Pubkey.from_string(account), admin.pubkey(), tokens),
        ]
        blockhash = Hash.from_string((await self._chain.latest_blockhash()).blockhash)
        message = Message.new_with_blockhash(steps, faucet.pubkey(), blockhash)
        transaction = VersionedTransaction(message, [faucet, admin])
        try:
            signature = await self._chain.send(bytes(transaction))
        except TransactionRefusedError as error:
            raise InvalidInputError(
                f"The chain refused to fund the wallet: {error}. Ask for other amounts.", "lamports"
            ) from error
        status = await self._chain.confirm(signature, _CONFIRM_SECONDS)
        if status is None or status.error is not None:
            raise AuthorityUnavailableError(Authority.SOLANA, "The wallet's funds were not confirmed. Try again.")


def _load_or_make(path: Path) -> Keypair:
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_keypair(path, Keypair())
    return read_keypair(path)


def _mint_to(mint: Pubkey, account: Pubkey, authority: Pubkey, amount: int) -> Instruction:
    return Instruction(
        Pubkey.from_string(TOKEN_PROGRAM),
        bytes([_MINT_TO]) + amount.to_bytes(8, "little"),
        [
            AccountMeta(mint, is_signer=False, is_writable=True),
            AccountMeta(account, is_signer=False, is_writable=True),
            AccountMeta(authority, is_signer=True, is_writable=False),
        ],
    )
