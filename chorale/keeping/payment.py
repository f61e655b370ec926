"""What the keeper sends: one instruction to a transaction, with its fee payer alone to sign."""

from __future__ import annotations

from chorale.keeping.duties import Due, Duty
from programs.accounts import CO_AUTHOR_SIZE
from programs.addresses import ProgramAddresses
from programs.fees import COMPUTE_UNITS, fee_lamports
from programs.instruction_codec import encode_instruction
from programs.transactions import compose

# What `resolve` may have to add for the author's seat, where its message was not made for it.
_SEAT_RENT = CO_AUTHOR_SIZE * 6_960


def fee_of(duty: Duty, price: int) -> int:
    """Lamports that a landed transaction costs at `price` micro-lamports per compute unit."""
    return fee_lamports(1, price, COMPUTE_UNITS[duty.value])


def most_of(duty: Duty, price: int) -> int:
    """Lamports that a transaction costs at most."""
    return fee_of(duty, price) + (_SEAT_RENT if duty is Duty.RESOLVE else 0)


def unsigned(due: Due, *, addresses: ProgramAddresses, mint: str, payer: str, blockhash: str, price: int) -> bytes:
    """The transaction that does what is due, its one signature still zero.

    One instruction each: a refusal of one must not sink others, and each has its own price and outcome.
    """
    instruction = encode_instruction(addresses.program_id, due.duty.value, {}, _accounts(due, addresses, mint, payer))
    return compose(
        payer=payer,
        instructions=[instruction],
        blockhash=blockhash,
        compute_unit_limit=COMPUTE_UNITS[due.duty.value],
        compute_unit_price=price,
    )


def _accounts(due: Due, addresses: ProgramAddresses, mint: str, payer: str) -> dict[str, str]:
    thread = {"thread": due.thread}
    match due.duty:
        case Duty.EXPIRE:
            return thread | {"message": due.account}
        case Duty.RESOLVE:
            return thread | {"message": due.account, "payer": payer}
        case Duty.REFUND:
            destination = addresses.associated_token_account(due.payee, mint)
            vault = addresses.vault(due.thread)
            return thread | {"message": due.account, "payee": due.payee, "vault": vault, "destination": destination}
        case Duty.SWEEP:
            vault, treasury = addresses.vault(due.thread), addresses.treasury()
            return thread | {"protocol": addresses.protocol(), "vault": vault, "treasury": treasury}
