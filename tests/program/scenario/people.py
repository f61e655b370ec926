"""Who takes part in the scenario: keypairs from fixed seeds, so that addresses, bumps and bytes are the same on every
chain, and what they need to begin with."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from hashlib import sha256

from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account

from programs.addresses import TOKEN_PROGRAM, ProgramAddresses
from programs.associated import create_associated_account
from tests.chains import mint_to
from tests.program.scenario.port import Chain

SOL = 1_000_000_000
TOKENS = 100_000_000
_MINT_BYTES = 82
_MINT_RENT = 1_461_600
_AT_ONCE = 4  # wallets whose needs fit into one transaction


def keypair(name: str) -> Keypair:
    """The keypair of this name."""
    return Keypair.from_seed(sha256(f"chorale scenario: {name}".encode()).digest())


def key(name: str) -> str:
    """The address of this name."""
    return str(keypair(name).pubkey())


PROGRAM, ADMIN, MINT = keypair("program"), keypair("admin"), keypair("mint")
FREEZABLE = keypair("freezable mint")
ADDRESSES = ProgramAddresses(str(PROGRAM.pubkey()))


def tokens_of(name: str) -> str:
    """The associated token account of this name."""
    return ADDRESSES.associated_token_account(key(name), str(MINT.pubkey()))


async def make_mint(chain: Chain, mint: Keypair, freeze_authority: Pubkey | None = None) -> None:
    """A mint of the admin's, unless it is there."""
    if (await chain.accounts([str(mint.pubkey())]))[0] is not None:
        return
    token_program = Pubkey.from_string(TOKEN_PROGRAM)
    space = CreateAccountParams(
        from_pubkey=ADMIN.pubkey(),
        to_pubkey=mint.pubkey(),
        lamports=_MINT_RENT,
        space=_MINT_BYTES,
        owner=token_program,
    )
    authority = b"\x01" + bytes(freeze_authority) if freeze_authority else b"\x00"
    settings = bytes([20, 6]) + bytes(ADMIN.pubkey()) + authority  # InitializeMint2, six decimals
    metas = [AccountMeta(mint.pubkey(), is_signer=False, is_writable=True)]
    await _must(chain, [create_account(space), Instruction(token_program, settings, metas)], [ADMIN, mint])


async def furnish(chain: Chain, names: Sequence[str], *, sponsor: str) -> None:
    """Lamports for `sponsor`, who has none yet, and tokens for all `names`."""
    await chain.airdrop(key(sponsor), 50 * SOL)
    (admin,) = await chain.accounts([key("admin")])
    if admin is None or admin.lamports < SOL:
        await chain.airdrop(key("admin"), 50 * SOL)
    await make_mint(chain, MINT)
    groups = [names[start : start + _AT_ONCE] for start in range(0, len(names), _AT_ONCE)]
    parts = [[part for name in group for part in _endowment(name)] for group in groups]
    await asyncio.gather(*(_must(chain, each, [ADMIN]) for each in parts))


async def make_account(chain: Chain, name: str, owner: str) -> str:
    """One more, empty token account for `owner`. Returns its address."""
    account, token_program = keypair(name), Pubkey.from_string(TOKEN_PROGRAM)
    space = CreateAccountParams(
        from_pubkey=ADMIN.pubkey(),
        to_pubkey=account.pubkey(),
        lamports=2_039_280,
        space=165,
        owner=token_program,
    )
    metas = [AccountMeta(account.pubkey(), False, True), AccountMeta(MINT.pubkey(), False, False)]
    initialize = Instruction(token_program, bytes([18]) + bytes(keypair(owner).pubkey()), metas)
    await _must(chain, [create_account(space), initialize], [ADMIN, account])
    return str(account.pubkey())


async def deposit(chain: Chain, payer: Keypair, source: str, owner: str, destination: str, amount: int) -> None:
    """Sends tokens past the program."""
    metas = [
        AccountMeta(Pubkey.from_string(tokens_of(source)), False, True),
        AccountMeta(Pubkey.from_string(destination), False, True),
        AccountMeta(keypair(owner).pubkey(), True, False),
    ]
    part = Instruction(Pubkey.from_string(TOKEN_PROGRAM), b"\x03" + amount.to_bytes(8, "little"), metas)
    await _must(chain, [part], [payer, keypair(owner)])


def _endowment(name: str) -> list[Instruction]:
    account = Pubkey.from_string(tokens_of(name))
    return [
        create_associated_account(
            payer=str(ADMIN.pubkey()), owner=str(keypair(name).pubkey()), mint=str(MINT.pubkey())
        ),
        mint_to(MINT.pubkey(), account, ADMIN.pubkey(), TOKENS),
    ]


async def _must(chain: Chain, parts: Sequence[Instruction], signers: Sequence[Keypair]) -> None:
    outcome = await chain.send(parts, signers)
    assert outcome.error is None, outcome
