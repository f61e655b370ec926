"""Every account of every instruction, made wrong in every way that it can be: refused as stated, nothing changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from programs.interface import INSTRUCTIONS, AccountRole, InstructionSpec
from tests.adversary import duplicates, people, state_accounts, token_accounts
from tests.adversary.attack import Attack, Kind, attempt, kind_of
from tests.adversary.scenes import Scene, open_scene

_ATTACKS: dict[Kind, Callable[[InstructionSpec, AccountRole], Iterator[Attack]]] = {
    Kind.PAYER: people.on_payer,
    Kind.SIGNER: people.on_signer,
    Kind.PAYEE: people.on_payee,
    Kind.STATE: state_accounts.on_state,
    Kind.NEW: state_accounts.on_new,
    Kind.PURSE: token_accounts.on_purse,
    Kind.SOURCE: token_accounts.on_source,
    Kind.DESTINATION: token_accounts.on_destination,
    Kind.MINT: token_accounts.on_mint,
    Kind.PROGRAM: token_accounts.on_program,
}


def attacks() -> list[Attack]:
    """All of them, instruction by instruction."""
    listed: list[Attack] = []
    for spec in INSTRUCTIONS.values():
        for role in spec.accounts:
            listed += _ATTACKS[kind_of(spec, role)](spec, role)
            listed += duplicates.on_any(spec, role)
    return listed


@pytest.fixture(scope="module")
def scenes() -> dict[str, Scene]:
    """Scenes already opened: an attack leaves its scene as it was, so each is opened once."""
    return {}


@pytest.mark.parametrize("attack", attacks(), ids=str)
def test_a_wrong_account_is_refused(attack: Attack, scenes: dict[str, Scene]) -> None:
    """The stated refusal, and every account of the chain byte for byte as before."""
    scene = scenes.pop(attack.instruction, None) or open_scene(attack.instruction)
    strike = attack.arrange(scene)
    before = scene.write(strike.overrides)
    assert attempt(scene, strike.instruction) == attack.expected
    scene.write(before)
    scenes[attack.instruction] = scene


@pytest.mark.parametrize("name", list(INSTRUCTIONS))
def test_the_scenes_are_genuine(name: str) -> None:
    """What is attacked would succeed: no refusal above is owed to the scene itself."""
    scene = open_scene(name)
    result = scene.send(scene.instruction)
    assert result.ok, (result.error, result.logs)
