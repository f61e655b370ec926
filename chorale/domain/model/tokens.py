"""Token accounts: who may be paid where, and what a transfer of the SPL Token program does."""

from __future__ import annotations

from chorale.domain.model.hashing import derived
from chorale.domain.model.run import TOKEN_PROGRAM, CalledProgramError, Place, Refused, Run, demand
from chorale.domain.model.values import Key, Protocol, Thread, TokenAccount
from chorale.domain.program_errors import ProgramError

ASSOCIATED_TOKEN_PROGRAM = bytes.fromhex("8c97258f4e2489f1bb3d1029148e0d830b5a1399daff1084048e7bd8dbe9f859")


def token_account(place: Place, refusal: ProgramError = ProgramError.INVALID_ACCOUNT) -> TokenAccount:
    """A token account, whoever holds it."""
    value = place.state.value
    if not isinstance(value, TokenAccount) or place.state.owner != TOKEN_PROGRAM:
        raise Refused(refusal)
    return value


def is_vault(run: Run, place: Place, thread_at: Place, thread: Thread) -> None:
    """The thread's own vault, about to be written."""
    run.writable(place)
    run.is_derived(place, thread.vault_bump, b"vault", thread_at.key)


def is_treasury(run: Run, place: Place, protocol: Protocol) -> None:
    """The treasury, about to be written."""
    run.writable(place)
    run.is_derived(place, protocol.treasury_bump, b"treasury")


def associated(holder: Key, mint: Key) -> Key:
    """Address of the token account that wallets keep for `holder` and `mint`."""
    return derived(ASSOCIATED_TOKEN_PROGRAM, holder, TOKEN_PROGRAM, mint)[0]


def is_destination(run: Run, place: Place, purse: Place, payee: Place) -> None:
    """An account of the payee for the purse's mint; the associated one unless the payee signs."""
    run.writable(place)
    mint = token_account(purse).mint
    account = token_account(place, ProgramError.INVALID_DESTINATION)
    demand(account.mint == mint and account.holder == payee.key, ProgramError.INVALID_DESTINATION)
    demand(payee.signer or place.key == associated(payee.key, mint), ProgramError.INVALID_DESTINATION)


def transfer(source: Place, destination: Place, amount: int) -> None:
    """Moves tokens that their holder has signed for."""
    giver, taker = token_account(source), token_account(destination)
    demand(not (giver.frozen or taker.frozen), CalledProgramError.ACCOUNT_FROZEN)
    demand(giver.amount >= amount, CalledProgramError.INSUFFICIENT_FUNDS)
    giver.amount -= amount
    taker.amount += amount


def pay(vault: Place, destination: Place, amount: int) -> None:
    """A payout from a vault; where nothing is owed, nothing is moved."""
    if amount:
        transfer(vault, destination, amount)
