"""A keeper with all that it runs on, for `serve` and for the command alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from chorale.domain.accounts import ProtocolAccount
from chorale.domain.errors import StartupError
from chorale.domain.ports import Chain, SessionStore
from chorale.keeper import Deployment, Keeper
from chorale.process.clusters import chain_identifier
from chorale.settings import Settings
from datasources.cache.sessions import open_sessions
from datasources.solana.airdrop import open_airdrop
from datasources.solana.signer import FileSigner, open_localnet_signer, open_signer
from programs.accounts import decode_protocol
from programs.addresses import ProgramAddresses
from programs.wire import WireError

CLAIMS_FILE = "keeper.sqlite3"


@asynccontextmanager
async def open_keeper(settings: Settings, chain: Chain, rpc_url: str, genesis_hash: str) -> AsyncIterator[Keeper]:
    """A keeper that has not begun to run; it is closed with the block. Raises StartupError."""
    signer = open_fee_payer(settings)
    protocol = await deployed_protocol(chain, genesis_hash)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_claim_store(settings))
        airdrop = None
        if settings.embedded_chain:
            airdrop = await stack.enter_async_context(open_airdrop(chain, rpc_url, signer.address))
        keeper = Keeper(
            chain,
            store,
            signer,
            Deployment(genesis_hash, protocol.mint),
            settings.keeper,
            settings.limits,
            polls_clock=settings.embedded_chain,
            replenish=airdrop,
        )
        stack.push_async_callback(keeper.close)
        yield keeper


def open_fee_payer(settings: Settings) -> FileSigner:
    """The keypair that the settings name, or the embedded chain's own. Raises StartupError."""
    if settings.keeper.keypair is not None:
        return open_signer(settings.keeper.keypair)
    if not settings.embedded_chain:
        raise StartupError("The keeper needs a keypair that pays: let CHORALE_KEEPER_KEYPAIR name its file.")
    return open_localnet_signer(settings.data)


@asynccontextmanager
async def open_claim_store(settings: Settings) -> AsyncIterator[SessionStore]:
    """Where claims are kept: in the Redis of CHORALE_CACHE_URL, else in a file of the data directory, which the
    keepers of one machine share."""
    async with open_sessions(settings.cache_url, settings.data / CLAIMS_FILE) as store:
        yield store


async def deployed_protocol(chain: Chain, genesis_hash: str) -> ProtocolAccount:
    """The `Protocol` account. Raises StartupError where the program is not deployed or not initialised there."""
    address = ProgramAddresses(chain.program_id).protocol()
    (account,) = (await chain.accounts([address])).accounts
    if account is None or account.owner != chain.program_id:
        raise StartupError(
            f"The program {chain.program_id} is not deployed and initialised on {chain_identifier(genesis_hash)} "
            f"({genesis_hash}). Check CHORALE_CHAIN_URL and CHORALE_PROGRAM_ID."
        )
    try:
        return decode_protocol(address, account.data)
    except WireError as error:
        raise StartupError(str(error)) from error
