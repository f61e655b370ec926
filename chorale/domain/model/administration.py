"""What the admin does: initialize, configure, withdraw_treasury."""

from __future__ import annotations

from typing import cast

from chorale.domain.model.run import SYSTEM_PROGRAM, TOKEN_PROGRAM, Refused, Run, demand, touched
from chorale.domain.model.tokens import is_destination, is_treasury, transfer
from chorale.domain.model.values import Mint, Protocol, TokenAccount
from chorale.domain.program_errors import ProgramError

SHORTEST_WINDOW = 3_600  # seconds
LONGEST_WINDOW = 2_592_000


def initialize(run: Run) -> str:
    """Makes `Protocol` and the treasury, once."""
    payer, admin, program_key, protocol_at, treasury, mint, token, system = run.accounts(8)
    minimum_stake, window, allow_freezable = cast("tuple[int, int, int]", run.arguments_as("Qq?"))
    run.payer(payer)
    run.signed(admin)
    run.signed(program_key)
    run.is_at(program_key, run.program)
    run.is_at(token, TOKEN_PROGRAM)
    run.is_at(system, SYSTEM_PROGRAM)
    bump = run.vacant(protocol_at, b"protocol")
    treasury_bump = run.vacant(treasury, b"treasury")
    _in_range(minimum_stake, window)
    kind = mint.state.value
    if not isinstance(kind, Mint) or mint.state.owner != TOKEN_PROGRAM:
        raise Refused(ProgramError.INVALID_ACCOUNT)
    demand(bool(allow_freezable) or not kind.freezable, ProgramError.FREEZABLE_MINT)

    protocol = Protocol(bump, treasury_bump, admin.key, mint.key, minimum_stake, window, bool(allow_freezable))
    run.make(payer, protocol_at, run.program, protocol)
    run.make(payer, treasury, TOKEN_PROGRAM, TokenAccount(mint.key, protocol_at.key))
    touched(protocol)
    return "freezable" if kind.freezable else "done"


def configure(run: Run) -> str:
    """Sets the parameters and the next admin."""
    admin, new_admin, protocol_at = run.accounts(3)
    minimum_stake, window, named = cast("tuple[int, int, bytes]", run.arguments_as("Qq32s"))
    run.signed(admin)
    run.signed(new_admin)
    run.writable(protocol_at)
    run.is_at(new_admin, named)
    protocol = run.protocol(protocol_at)
    demand(protocol.admin == admin.key, ProgramError.UNAUTHORIZED)
    _in_range(minimum_stake, window)

    protocol.admin, protocol.minimum_stake, protocol.approval_window = named, minimum_stake, window
    touched(protocol)
    return "same admin" if named == admin.key else "new admin"


def withdraw_treasury(run: Run) -> str:
    """Pays out of the treasury, to the admin."""
    admin, protocol_at, treasury, destination, token = run.accounts(5)
    (amount,) = cast("tuple[int]", run.arguments_as("Q"))
    run.signed(admin)
    run.writable(protocol_at)
    run.is_at(token, TOKEN_PROGRAM)
    protocol = run.protocol(protocol_at)
    demand(protocol.admin == admin.key, ProgramError.UNAUTHORIZED)
    is_treasury(run, treasury, protocol)
    demand(amount > 0, ProgramError.PARAMETER_OUT_OF_RANGE)
    is_destination(run, destination, treasury, admin)

    touched(protocol)
    transfer(treasury, destination, amount)
    return "paid"


def _in_range(minimum_stake: int, window: int) -> None:
    in_range = minimum_stake >= 1 and SHORTEST_WINDOW <= window <= LONGEST_WINDOW
    demand(in_range, ProgramError.PARAMETER_OUT_OF_RANGE)
