"""Attacks on payers, signers and payees: signatures left out, and other people's."""

from __future__ import annotations

from collections.abc import Iterator

from solders.account import Account
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chorale.domain.program_errors import ProgramError
from programs.interface import AccountRole, InstructionSpec
from tests.adversary.attack import FOREIGN_LAMPORTS, SYSTEM_DATA, SYSTEM_FUNDS, Arrange, Attack, Refusal, Strike, Threat
from tests.adversary.scenes import Scene
from tests.program.altered import with_account, with_meta
from tests.program.harness import SOL

# What a stranger meets who signs in somebody's place.
_STRANGERS: dict[tuple[str, str], ProgramError] = {
    ("initialize", "program_key"): ProgramError.INVALID_ACCOUNT,
    ("configure", "admin"): ProgramError.UNAUTHORIZED,
    ("configure", "new_admin"): ProgramError.INVALID_ACCOUNT,
    ("withdraw_treasury", "admin"): ProgramError.UNAUTHORIZED,
    ("create_thread", "creator"): ProgramError.INVALID_ACCOUNT,
    ("post_message", "author"): ProgramError.NOT_A_CO_AUTHOR,
    ("submit_message", "author"): ProgramError.UNAUTHORIZED,
    ("cast_vote", "voter"): ProgramError.NOT_A_CO_AUTHOR,
    ("cancel", "author"): ProgramError.UNAUTHORIZED,
    ("divest", "co_author"): ProgramError.NOT_A_CO_AUTHOR,
    ("refund", "payee"): ProgramError.UNAUTHORIZED,
    ("claim", "payee"): ProgramError.NOT_A_DENIER,
}


def on_payer(spec: InstructionSpec, role: AccountRole) -> Iterator[Attack]:
    """Rent is taken from nobody who has not signed for it, and only from a wallet that can pay."""

    def attack(threat: Threat, detail: str, expected: Refusal, lamports: int, owner: str, data: bytes) -> Attack:
        def arrange(scene: Scene) -> Strike:
            keypair = Keypair()
            scene.know(keypair)
            payer = Account(lamports, data, Pubkey.from_string(owner) if owner else Pubkey.default())
            key = str(keypair.pubkey())
            return Strike(with_account(scene.instruction, 0, key), {key: payer if lamports else None})

        return Attack(spec.name, role.name, threat, detail, expected, arrange)

    yield attack(Threat.ABSENT, "penniless", SYSTEM_FUNDS, 0, "", b"")
    yield attack(Threat.OTHER_OWNER, "held by another program", FOREIGN_LAMPORTS, SOL, str(Keypair().pubkey()), b"")
    yield attack(Threat.OTHER_TYPE, "carries data", SYSTEM_DATA, SOL, "", bytes(80))
    for flag, threat, error in (
        ("is_signer", Threat.UNSIGNED, ProgramError.UNAUTHORIZED),
        ("is_writable", Threat.READ_ONLY, ProgramError.INVALID_ACCOUNT),
    ):
        yield Attack(spec.name, role.name, threat, "", error, _without(role, flag))


def on_signer(spec: InstructionSpec, role: AccountRole) -> Iterator[Attack]:
    """Whose signature is demanded has to give it, and nobody else's will do."""
    yield Attack(spec.name, role.name, Threat.UNSIGNED, "", ProgramError.UNAUTHORIZED, _without(role, "is_signer"))
    yield from _strangers(spec, role)
    if (spec.name, role.name) == ("submit_message", "author"):
        error = ProgramError.ALREADY_A_CO_AUTHOR
        yield Attack(spec.name, role.name, Threat.ELSEWHERE, "a co-author", error, _co_author_submits)
    if (spec.name, role.name) == ("cast_vote", "voter"):
        error = ProgramError.OWN_MESSAGE
        yield Attack(spec.name, role.name, Threat.ELSEWHERE, "the message's author", error, _author_votes)


def on_payee(spec: InstructionSpec, role: AccountRole) -> Iterator[Attack]:
    """What is owed to one is paid to nobody else, whether they sign or not; elsewhere only at the payee's word."""
    yield from _strangers(spec, role)

    def elsewhere(scene: Scene) -> Strike:
        spare = str(Keypair().pubkey())
        token = scene.account("destination")
        return Strike(with_account(scene.instruction, scene.place("destination"), spare), {spare: token})

    error = ProgramError.INVALID_DESTINATION
    yield Attack(spec.name, role.name, Threat.UNSIGNED, "paid elsewhere", error, elsewhere)


def _without(role: AccountRole, flag: str) -> Arrange:
    def arrange(scene: Scene) -> Strike:
        return Strike(with_meta(scene.instruction, scene.place(role.name), **{flag: False}))

    return arrange


def _strangers(spec: InstructionSpec, role: AccountRole) -> Iterator[Attack]:
    def arrange(signs: bool) -> Arrange:
        def strike(scene: Scene) -> Strike:
            place = scene.place(role.name)
            altered = with_account(scene.instruction, place, scene.stranger.key)
            return Strike(with_meta(altered, place, is_signer=signs))

        return strike

    expected = _STRANGERS.get((spec.name, role.name))
    if expected is not None:
        yield Attack(spec.name, role.name, Threat.ELSEWHERE, "a stranger signs", expected, arrange(True))
        if role.optional_signer:
            yield Attack(spec.name, role.name, Threat.ELSEWHERE, "a stranger", expected, arrange(False))


def _co_author_submits(scene: Scene) -> Strike:
    assert scene.here
    altered = with_account(scene.instruction, scene.place("author"), scene.here.creator.key)
    return Strike(with_account(altered, scene.place("source"), scene.here.creator.tokens))


def _author_votes(scene: Scene) -> Strike:
    assert scene.here
    return Strike(with_account(scene.instruction, scene.place("voter"), scene.here.outsider.key))
