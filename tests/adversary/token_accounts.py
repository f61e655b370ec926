"""Attacks on vaults, the treasury, wallets' token accounts, mints and the programs that are called."""

from __future__ import annotations

from collections.abc import Iterator

from solders.account import Account
from solders.keypair import Keypair

from chorale.domain.program_errors import ProgramError
from programs.addresses import ASSOCIATED_TOKEN_PROGRAM, SYSTEM_PROGRAM, TOKEN_PROGRAM
from programs.interface import AccountRole, InstructionSpec
from programs.wire import key_bytes
from tests.adversary.attack import (
    FOREIGN_DATA,
    TOKEN_DATA,
    TOKEN_FROZEN,
    TOKEN_FUNDS,
    TOKEN_MINT,
    Arrange,
    Attack,
    Refusal,
    Strike,
    Threat,
)
from tests.adversary.scenes import Scene
from tests.adversary.state_accounts import cut, lookalikes, moved, owned_by, read_only, removed, rewritten, with_bytes
from tests.program.altered import with_account

INVALID = ProgramError.INVALID_ACCOUNT
DESTINATION = ProgramError.INVALID_DESTINATION
TOKEN_2022 = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"
_STATE, _FROZEN = 108, b"\x02"
_NOBODY = str(Keypair().pubkey())


def on_purse(spec: InstructionSpec, role: AccountRole) -> Iterator[Attack]:
    """Tokens come out of the thread's own vault, or the treasury, alone, and go nowhere else."""
    name = role.name
    # A payout is checked against the purse before it is made. Into the purse, the token program refuses for itself.
    pays = spec.name != "submit_message" and (spec.name, name) != ("sweep", "treasury")

    def attack(threat: Threat, detail: str, arrange: Arrange, expected: Refusal = INVALID) -> Attack:
        return Attack(spec.name, name, threat, detail, expected, arrange)

    yield attack(Threat.ABSENT, "", moved(name, None))
    yield attack(Threat.ABSENT, "removed", removed(name), INVALID if pays else TOKEN_DATA)
    yield attack(Threat.OTHER_OWNER, "", owned_by(name, _NOBODY), INVALID if pays else FOREIGN_DATA)
    yield attack(Threat.FORGED, "a copy", moved(name, "copy"))
    for detail, arrange in lookalikes(name):
        yield attack(Threat.FORGED, detail, arrange)
    for other in ("vault", "treasury", "mint", "protocol", "thread"):
        if other != name:
            yield attack(Threat.OTHER_TYPE, f"the {other}", _in_place(name, other))
    if name == "vault":
        yield attack(Threat.ELSEWHERE, "another thread's", _in_place(name, "vault elsewhere"))
    yield attack(Threat.READ_ONLY, "", read_only(name))
    # The mint is compared with the destination's first; a sweep has two purses of one mint, and leaves it to the call.
    mint_error = DESTINATION if pays and spec.name != "sweep" else TOKEN_MINT
    yield attack(Threat.WRONG_MINT, "", _other_mint(name), mint_error)
    yield attack(Threat.UNUSABLE, "frozen", _changed(name, _STATE, _FROZEN), TOKEN_FROZEN)
    for length in (0, 164, 166):
        yield attack(Threat.TRUNCATED, f"{length} bytes", cut(name, length), INVALID if pays else TOKEN_DATA)


def on_source(spec: InstructionSpec, role: AccountRole) -> Iterator[Attack]:
    """A stake comes out of a usable token account of the author's own, of the protocol's mint."""
    name = role.name

    def attack(threat: Threat, detail: str, arrange: Arrange, expected: Refusal = INVALID) -> Attack:
        return Attack(spec.name, name, threat, detail, expected, arrange)

    yield from _unusable(spec, role, INVALID)
    for other, error in {
        "vault": ProgramError.UNAUTHORIZED,
        "treasury": ProgramError.UNAUTHORIZED,
        "mint": INVALID,
        "protocol": INVALID,
        "thread": INVALID,
    }.items():
        yield attack(Threat.OTHER_TYPE, f"the {other}", _in_place(name, other), error)
    error = ProgramError.UNAUTHORIZED
    yield attack(Threat.ELSEWHERE, "a stranger's", _in_place(name, "stranger"), error)
    yield attack(Threat.ELSEWHERE, "a stranger's, as delegate", _held_by_stranger(name, delegate=True), error)
    yield attack(Threat.ELSEWHERE, "a stranger's, as close authority", _held_by_stranger(name, close=True), error)
    yield attack(Threat.UNUSABLE, "empty", _changed(name, 64, bytes(8)), TOKEN_FUNDS)


def on_destination(spec: InstructionSpec, role: AccountRole) -> Iterator[Attack]:
    """A payout goes into a usable token account that the payee holds, of the purse's mint."""
    name = role.name

    def attack(threat: Threat, detail: str, arrange: Arrange) -> Attack:
        return Attack(spec.name, name, threat, detail, DESTINATION, arrange)

    yield from _unusable(spec, role, DESTINATION)
    for other in ("vault", "treasury", "mint", "protocol"):
        yield attack(Threat.OTHER_TYPE, f"the {other}", _in_place(name, other))
    yield attack(Threat.ELSEWHERE, "a stranger's", _in_place(name, "stranger"))
    yield attack(Threat.ELSEWHERE, "given away", _held_by_stranger(name))
    yield attack(Threat.ELSEWHERE, "a stranger's, as delegate", _held_by_stranger(name, delegate=True))
    yield attack(Threat.ELSEWHERE, "a stranger's, as close authority", _held_by_stranger(name, close=True))


def on_mint(spec: InstructionSpec, role: AccountRole) -> Iterator[Attack]:
    """Tokens are of an initialised mint of the SPL Token program, and of the protocol's alone."""
    name, first = role.name, spec.name == "initialize"

    def attack(threat: Threat, detail: str, arrange: Arrange, expected: Refusal = INVALID) -> Attack:
        return Attack(spec.name, name, threat, detail, expected, arrange)

    yield attack(Threat.ABSENT, "", moved(name, None))
    yield attack(Threat.OTHER_TYPE, "a token account", _in_place(name, "stranger"))
    if first:
        yield attack(Threat.OTHER_OWNER, "", owned_by(name, _NOBODY))
        yield attack(Threat.OTHER_OWNER, "Token-2022", owned_by(name, TOKEN_2022))
        yield attack(Threat.WRONG_MINT, "freezable", _changed(name, 46, b"\x01"), ProgramError.FREEZABLE_MINT)
        yield attack(Threat.UNUSABLE, "not initialised", _changed(name, 45, b"\0"))
        for length in (0, 81, 83):
            yield attack(Threat.TRUNCATED, f"{length} bytes", cut(name, length))
    else:
        yield attack(Threat.FORGED, "a copy", moved(name, "copy"))
        yield attack(Threat.WRONG_MINT, "", _in_place(name, "other mint"))


def on_program(spec: InstructionSpec, role: AccountRole) -> Iterator[Attack]:
    """The programs that are called are the ones whose addresses are compiled in."""
    others = {TOKEN_2022, ASSOCIATED_TOKEN_PROGRAM, TOKEN_PROGRAM, SYSTEM_PROGRAM}
    others.discard({"token_program": TOKEN_PROGRAM, "system_program": SYSTEM_PROGRAM}[role.name])
    for other in sorted(others):

        def arrange(scene: Scene, other: str = other) -> Strike:
            return Strike(with_account(scene.instruction, scene.place(role.name), other))

        yield Attack(spec.name, role.name, Threat.ELSEWHERE, other[:8], INVALID, arrange)
    yield Attack(spec.name, role.name, Threat.ABSENT, "", INVALID, moved(role.name, None))


def _unusable(spec: InstructionSpec, role: AccountRole, refusal: Refusal) -> Iterator[Attack]:
    """What is wrong with a wallet's token account whoever uses it for what."""
    name = role.name

    def attack(threat: Threat, detail: str, arrange: Arrange, expected: Refusal = refusal) -> Attack:
        return Attack(spec.name, name, threat, detail, expected, arrange)

    yield attack(Threat.ABSENT, "", moved(name, None))
    yield attack(Threat.ABSENT, "closed", removed(name))
    yield attack(Threat.OTHER_OWNER, "", owned_by(name, _NOBODY))
    yield attack(Threat.OTHER_OWNER, "Token-2022", owned_by(name, TOKEN_2022))
    yield attack(Threat.OTHER_TYPE, "a wallet", _in_place(name, "stranger's wallet"))
    yield attack(Threat.WRONG_MINT, "", _other_mint(name))
    yield attack(Threat.UNUSABLE, "frozen", _changed(name, _STATE, _FROZEN), TOKEN_FROZEN)
    yield attack(Threat.UNUSABLE, "not initialised", _changed(name, 0, bytes(165)))
    for length in (0, 72, 164, 166, 355):
        yield attack(Threat.TRUNCATED, f"{length} bytes", cut(name, length))
    yield attack(Threat.READ_ONLY, "", read_only(name), INVALID)


def _in_place(role: str, what: str) -> Arrange:
    def arrange(scene: Scene) -> Strike:
        program, here, elsewhere = scene.chain.program, scene.here, scene.elsewhere
        address = {
            "stranger": scene.stranger.tokens,
            "stranger's wallet": scene.stranger.key,
            "other mint": scene.other_mint,
            "mint": scene.chain.mint,
            "protocol": program.protocol(),
            "treasury": program.treasury(),
            "vault": here.vault if here else "",
            "thread": program.thread(here.thread_id) if here else "",
            "vault elsewhere": elsewhere.vault if elsewhere else "",
        }[what]
        return Strike(with_account(scene.instruction, scene.place(role), address))

    return arrange


def _changed(role: str, offset: int, value: bytes) -> Arrange:
    return rewritten(role, lambda data: data[:offset] + value + data[offset + len(value) :])


def _other_mint(role: str) -> Arrange:
    def arrange(scene: Scene) -> Strike:
        account = scene.account(role)
        data = key_bytes(scene.other_mint) + account.data[32:]
        return Strike(scene.instruction, {scene.address(role): with_bytes(account, data)})

    return arrange


def _held_by_stranger(role: str, *, delegate: bool = False, close: bool = False) -> Arrange:
    """The very account, now a stranger's, of which its former holder is still delegate or close authority."""

    def arrange(scene: Scene) -> Strike:
        account = scene.account(role)
        mint, holder, amount = account.data[:32], account.data[32:64], account.data[64:72]
        one = (1).to_bytes(4, "little")
        data = mint + key_bytes(scene.stranger.key) + amount
        data += one + holder if delegate else bytes(36)
        data += b"\x01" + bytes(12) + (amount if delegate else bytes(8))
        data += one + holder if close else bytes(36)
        assert len(data) == len(account.data) == 165
        return Strike(scene.instruction, {scene.address(role): Account(account.lamports, data, account.owner)})

    return arrange
