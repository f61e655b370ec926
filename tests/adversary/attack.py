"""What an attack is: one account of one instruction made wrong in one way, and the refusal that it has to meet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from solders.account import Account
from solders.instruction import Instruction

from chorale.domain.program_errors import FIRST_CODE, ProgramError
from programs.interface import AccountRole, InstructionSpec
from tests.adversary.scenes import Overrides, Scene
from tests.program.harness import Result


class Kind(Enum):
    """What an account is in an instruction."""

    PAYER = auto()  # pays for rent
    SIGNER = auto()  # has to sign
    PAYEE = auto()  # may sign
    STATE = auto()  # an account of the program that is there
    NEW = auto()  # an address where the instruction makes an account
    PURSE = auto()  # a vault or the treasury
    SOURCE = auto()  # a wallet's token account that pays
    DESTINATION = auto()  # a wallet's token account that is paid
    MINT = auto()
    PROGRAM = auto()


class Threat(Enum):
    """The ways in which an account can be wrong."""

    ABSENT = auto()  # nothing there
    OTHER_OWNER = auto()  # the same bytes at the same address, owned by another program
    OTHER_TYPE = auto()  # an account of another kind
    ELSEWHERE = auto()  # a genuine one, of another thread or another person
    FORGED = auto()  # the right bytes at a wrong address
    UNSIGNED = auto()
    READ_ONLY = auto()
    DUPLICATE = auto()  # another account of the same instruction
    WRONG_MINT = auto()
    UNUSABLE = auto()  # a token account or mint that is frozen, empty or not initialised
    REINITIALISED = auto()  # made before
    HEADER = auto()  # discriminator, version or bump
    OVERSIZE = auto()  # a vector longer than the data
    TRUNCATED = auto()  # data too short or too long


_NEW = {
    ("initialize", "protocol"),
    ("initialize", "treasury"),
    ("create_thread", "thread"),
    ("create_thread", "vault"),
    ("post_message", "message"),
    ("submit_message", "message"),
}
_BY_NAME = {
    "payer": Kind.PAYER,
    "protocol": Kind.STATE,
    "thread": Kind.STATE,
    "message": Kind.STATE,
    "vault": Kind.PURSE,
    "treasury": Kind.PURSE,
    "source": Kind.SOURCE,
    "destination": Kind.DESTINATION,
    "mint": Kind.MINT,
    "token_program": Kind.PROGRAM,
    "system_program": Kind.PROGRAM,
}


def kind_of(spec: InstructionSpec, role: AccountRole) -> Kind:
    """Kind of an account by its place in the interface. Raises KeyError for a role that nobody has thought about."""
    if (spec.name, role.name) in _NEW:
        return Kind.NEW
    if role.name not in _BY_NAME and role.signer:
        return Kind.SIGNER
    if role.optional_signer:
        return Kind.PAYEE
    return _BY_NAME[role.name]


@dataclass(frozen=True)
class ByRuntime:
    """A refusal by `who`, another program or the runtime: the InstructionError's detail as the RPC writes it."""

    who: str = field(compare=False)
    detail: Any


Refusal = ProgramError | ByRuntime

TOKEN_FUNDS = ByRuntime("token program, insufficient funds", {"Custom": 1})
TOKEN_MINT = ByRuntime("token program, other mint", {"Custom": 3})
TOKEN_FROZEN = ByRuntime("token program, frozen", {"Custom": 17})
TOKEN_DATA = ByRuntime("token program, not an account of its", "InvalidAccountData")
FOREIGN_DATA = ByRuntime("runtime, data of another program's account", "ExternalAccountDataModified")
SYSTEM_FUNDS = ByRuntime("system program, insufficient lamports", {"Custom": 1})
SYSTEM_DATA = ByRuntime("system program, the payer carries data", "InvalidArgument")
FOREIGN_LAMPORTS = ByRuntime("runtime, lamports of another program's account", "ExternalAccountLamportSpend")


@dataclass(frozen=True)
class Strike:
    """The altered instruction, and accounts overwritten for its time."""

    instruction: Instruction
    overrides: Overrides = field(default_factory=dict[str, Account | None])


Arrange = Callable[[Scene], Strike]


@dataclass(frozen=True)
class Attack:
    """`arrange` builds the strike in a scene of `instruction`; the outcome has to be `expected`."""

    instruction: str
    role: str
    threat: Threat
    detail: str
    expected: Refusal
    arrange: Arrange

    def __str__(self) -> str:
        return f"{self.instruction}.{self.role}-{self.threat.name.lower()}-{self.detail}"


def refusal_of(result: Result) -> Refusal | None:
    """A transaction's error as the attacks name it; None where it succeeded."""
    if result.ok:
        return None
    if result.code is not None and result.code >= FIRST_CODE:
        return next(error for error in ProgramError if error == result.code)
    return ByRuntime("", result.error["InstructionError"][1] if isinstance(result.error, dict) else result.error)


def attempt(scene: Scene, instruction: Instruction) -> Refusal | None:
    """Sends the instruction. Where it is refused, every account of the chain has to be what it was, byte for byte."""
    scene.chain.known.update(str(meta.pubkey) for meta in instruction.accounts)
    world = scene.world()
    result = scene.send(instruction)
    refusal = refusal_of(result)
    assert refusal is None or scene.world() == world, (refusal, result.logs)
    return refusal
