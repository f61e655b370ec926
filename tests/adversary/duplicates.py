"""Attacks with the same account twice: each account of an instruction in the place of each other one."""

from __future__ import annotations

from collections.abc import Iterator

from chorale.domain.program_errors import ProgramError
from programs.interface import AccountRole, InstructionSpec
from tests.adversary.attack import Arrange, Attack, Kind, Refusal, Strike, Threat, kind_of
from tests.adversary.scenes import Scene
from tests.program.altered import with_account, with_meta

_USUAL: dict[Kind, Refusal] = {
    Kind.PAYER: ProgramError.UNAUTHORIZED,
    Kind.SIGNER: ProgramError.UNAUTHORIZED,
    Kind.STATE: ProgramError.INVALID_ACCOUNT,
    Kind.NEW: ProgramError.INVALID_ACCOUNT,
    Kind.PURSE: ProgramError.INVALID_ACCOUNT,
    Kind.SOURCE: ProgramError.INVALID_ACCOUNT,
    Kind.DESTINATION: ProgramError.INVALID_DESTINATION,
    Kind.MINT: ProgramError.INVALID_ACCOUNT,
    Kind.PROGRAM: ProgramError.INVALID_ACCOUNT,
}
WHO_MAY_PAY = (
    ("initialize", "admin"),
    ("create_thread", "creator"),
    ("post_message", "author"),
    ("submit_message", "author"),
    ("cast_vote", "voter"),
)
# (instruction, place, account that stands there too): None where that is allowed.
_EXCEPTIONS: dict[tuple[str, str, str], Refusal | None] = {
    # Who signs may pay as well, and be admin of what they set up.
    **{(name, "payer", who): None for name, who in WHO_MAY_PAY},
    ("initialize", "admin", "payer"): None,
    ("initialize", "admin", "program_key"): None,
    # A program is never writable.
    ("initialize", "payer", "program_key"): ProgramError.INVALID_ACCOUNT,
    # Both sign, but one is not the other.
    ("initialize", "program_key", "payer"): ProgramError.INVALID_ACCOUNT,
    ("initialize", "program_key", "admin"): ProgramError.INVALID_ACCOUNT,
    ("configure", "new_admin", "admin"): ProgramError.INVALID_ACCOUNT,
    ("create_thread", "creator", "payer"): ProgramError.INVALID_ACCOUNT,
    ("post_message", "author", "payer"): ProgramError.NOT_A_CO_AUTHOR,
    ("cast_vote", "voter", "payer"): ProgramError.NOT_A_CO_AUTHOR,
    # The vault is a token account of the right mint, but not the author's.
    ("submit_message", "source", "vault"): ProgramError.UNAUTHORIZED,
}


def on_any(spec: InstructionSpec, role: AccountRole) -> Iterator[Attack]:
    """The role's place taken by each other account of the list, which signs only where it did before."""
    for other in spec.accounts:
        if other.name == role.name:
            continue
        expected = _EXCEPTIONS.get((spec.name, role.name, other.name), _usual(spec, role))
        if expected is not None:
            arrange = _taken(role, other)
            yield Attack(spec.name, role.name, Threat.DUPLICATE, f"the {other.name}", expected, arrange)


def _usual(spec: InstructionSpec, role: AccountRole) -> Refusal:
    kind = kind_of(spec, role)
    if kind is Kind.PAYEE:
        return {"refund": ProgramError.UNAUTHORIZED, "claim": ProgramError.NOT_A_DENIER}[spec.name]
    return _USUAL[kind]


def _taken(role: AccountRole, other: AccountRole) -> Arrange:
    def arrange(scene: Scene) -> Strike:
        place = scene.place(role.name)
        altered = with_account(scene.instruction, place, scene.address(other.name))
        return Strike(with_meta(altered, place, is_signer=other.signer))

    return arrange
