"""The admin's part of the scenario: a deployment set up, its parameters and admin changed, the treasury emptied."""

from __future__ import annotations

from solders.instruction import Instruction
from solders.keypair import Keypair

from chorale.domain.program_errors import ProgramError as E
from programs import instructions
from programs.interface import INSTRUCTIONS
from tests.chains import APPROVAL_WINDOW, MINIMUM_STAKE
from tests.program.altered import with_meta
from tests.program.scenario.moves import new_play
from tests.program.scenario.people import (
    ADDRESSES,
    ADMIN,
    FREEZABLE,
    MINT,
    PROGRAM,
    furnish,
    key,
    keypair,
    make_mint,
    tokens_of,
)
from tests.program.scenario.port import Chain
from tests.program.scenario.transcript import Play, Step

SPONSOR, STRANGER, HEIR = (f"deployment {name}" for name in ("sponsor", "stranger", "heir"))
TOO_FEW_TOKENS = 1  # of the SPL Token program


async def set_up(chain: Chain) -> list[Step]:
    """initialize, which happens once and only as it should. Needs a chain on which it has not happened."""
    await furnish(chain, (), sponsor=SPONSOR)
    await make_mint(chain, FREEZABLE, ADMIN.pubkey())
    play = new_play(chain, SPONSOR)
    both, right = (ADMIN, PROGRAM), initialisation(SPONSOR)
    freezable = initialisation(SPONSOR, mint=FREEZABLE)
    play.refuses("a mint that can be frozen", E.FREEZABLE_MINT, freezable, *both)
    for title, window in (("too short a window", 3_599), ("too long a window", 2_592_001)):
        play.refuses(title, E.PARAMETER_OUT_OF_RANGE, initialisation(SPONSOR, window=window), *both)
    play.refuses("without the program's key", E.UNAUTHORIZED, unsigned(right, "program_key"), ADMIN)
    await play.does("as it should", right, *both)
    play.refuses("again", E.INVALID_ACCOUNT, right, *both)
    await play.settle()
    return play.steps


def initialisation(payer: str, *, mint: Keypair = MINT, window: int = APPROVAL_WINDOW) -> Instruction:
    """initialize, for the scenario's admin."""
    return instructions.initialize(
        ADDRESSES,
        payer=key(payer),
        admin=str(ADMIN.pubkey()),
        mint=str(mint.pubkey()),
        minimum_stake=MINIMUM_STAKE,
        approval_window=window,
    )


async def configure(play: Play) -> None:
    """configure, to another admin and back."""

    def change(admin: str, new: str, stake: int, window: int = APPROVAL_WINDOW) -> Instruction:
        return instructions.configure(
            ADDRESSES, admin=admin, new_admin=new, minimum_stake=stake, approval_window=window
        )

    admin, heir = str(ADMIN.pubkey()), keypair(HEIR)
    play.refuses("not the admin", E.UNAUTHORIZED, change(key(STRANGER), key(STRANGER), 1), keypair(STRANGER))
    play.refuses("no stake", E.PARAMETER_OUT_OF_RANGE, change(admin, admin, 0), ADMIN)
    play.refuses("too short a window", E.PARAMETER_OUT_OF_RANGE, change(admin, admin, 1, 3_599), ADMIN)
    await play.does("another admin", change(admin, key(HEIR), 7, 3_600), ADMIN, heir)
    play.refuses("the admin before", E.UNAUTHORIZED, change(admin, admin, 1), ADMIN)
    await play.does("and back", change(key(HEIR), admin, MINIMUM_STAKE), heir, ADMIN)


async def withdraw(play: Play, amount: int, other: str) -> None:
    """withdraw_treasury of `amount`; `other` is somebody with a token account."""

    def withdrawal(wanted: int, admin: str = "admin", to: str = "admin") -> Instruction:
        return instructions.withdraw_treasury(ADDRESSES, admin=key(admin), destination=tokens_of(to), amount=wanted)

    play.refuses("not the admin", E.UNAUTHORIZED, withdrawal(1, other, other), keypair(other))
    play.refuses("nothing", E.PARAMETER_OUT_OF_RANGE, withdrawal(0), ADMIN)
    play.refuses("to another", E.INVALID_DESTINATION, withdrawal(1, to=other), ADMIN)
    play.refuses("more than there is", TOO_FEW_TOKENS, withdrawal(10**12), ADMIN)
    await play.does("by the admin", withdrawal(amount), ADMIN)


def unsigned(instruction: Instruction, role: str) -> Instruction:
    """The same instruction, for which the account in the place `role` does not sign."""
    spec = next(s for s in INSTRUCTIONS.values() if s.discriminator == bytes(instruction.data)[:8])
    return with_meta(instruction, [each.name for each in spec.accounts].index(role), is_signer=False)
