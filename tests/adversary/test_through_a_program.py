"""Called by another program, every instruction does what it does when called directly, and is fooled no more easily."""

from __future__ import annotations

from pathlib import Path

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair

from chorale.domain.program_errors import ProgramError
from programs.interface import INSTRUCTIONS
from tests.adversary.attack import ByRuntime, attempt
from tests.adversary.scenes import Scene, open_scene
from tests.program.altered import with_meta

PROXY = (Path(__file__).parent / "proxy" / "proxy.so").read_bytes()
AS_IT_CAME, ALL_SIGNED, ALL_WRITABLE = range(3)
ESCALATION = ByRuntime("runtime, a caller grants what it was not granted", "PrivilegeEscalation")

# Roles whose signature the program demands.
_SIGNERS = [(s.name, r.name) for s in INSTRUCTIONS.values() for r in s.accounts if r.signer]
_WRITTEN = [(s.name, r.name) for s in INSTRUCTIONS.values() for r in s.accounts if r.writable]


def through_proxy(scene: Scene, instruction: Instruction, mode: int = AS_IT_CAME) -> Instruction:
    """The instruction wrapped into one of a program that passes it on."""
    proxy = Keypair().pubkey()
    scene.chain.svm.add_program(proxy, PROXY)
    target = AccountMeta(instruction.program_id, False, False)
    return Instruction(proxy, bytes([mode]) + bytes(instruction.data), [target, *instruction.accounts])


@pytest.mark.parametrize("name", list(INSTRUCTIONS))
def test_the_outcome_is_the_same(name: str) -> None:
    """The same bytes in every account, the same lamports, the same events."""
    scene = open_scene(name)
    before = scene.chain.world()
    direct = scene.send(scene.instruction)
    expected = scene.world()
    scene.write(before)
    called = scene.send(through_proxy(scene, scene.instruction))
    assert direct.ok and called.ok, (called.error, called.logs)
    assert scene.world() == dict.fromkeys(scene.world()) | expected | _program(scene)
    assert called.events == direct.events != ()


def _program(scene: Scene) -> dict[str, object]:
    """The program itself, which calls name and direct instructions need not."""
    return {key: scene.chain.account(key) for key in (scene.chain.program.program_id,)}


@pytest.mark.parametrize(("name", "role"), _SIGNERS)
def test_a_caller_cannot_sign_for_others(name: str, role: str) -> None:
    """A missing signature is missed by the program, and one that the caller invents by the runtime."""
    scene = open_scene(name)
    unsigned = with_meta(scene.instruction, scene.place(role), is_signer=False)
    assert attempt(scene, through_proxy(scene, unsigned)) == ProgramError.UNAUTHORIZED
    assert attempt(scene, through_proxy(scene, unsigned, ALL_SIGNED)) == ESCALATION


@pytest.mark.parametrize(("name", "role"), _WRITTEN)
def test_a_caller_cannot_write_what_is_read_only(name: str, role: str) -> None:
    """An account passed read-only stays so."""
    scene = open_scene(name)
    read_only = with_meta(scene.instruction, scene.place(role), is_writable=False)
    assert attempt(scene, through_proxy(scene, read_only)) == ProgramError.INVALID_ACCOUNT
    assert attempt(scene, through_proxy(scene, read_only, ALL_WRITABLE)) == ESCALATION
