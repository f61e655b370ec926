"""Instruction data that is too short, too long or unknown, and account lists that are not the fixed ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair

from chorale.domain.program_errors import ProgramError
from programs.interface import INSTRUCTIONS
from programs.wire import Kind
from tests.adversary.attack import Refusal, attempt
from tests.adversary.offsets import in_data
from tests.adversary.scenes import Scene, open_scene
from tests.program.altered import with_accounts, with_data

DATA, INVALID = ProgramError.INVALID_INSTRUCTION_DATA, ProgramError.INVALID_ACCOUNT
BOOLEANS = [
    (spec.name, in_data(spec.name, field.name))
    for spec in INSTRUCTIONS.values()
    for field in spec.args.fields
    if field.kind is Kind.BOOL
]


@pytest.fixture(scope="module", params=list(INSTRUCTIONS))
def scene(request: pytest.FixtureRequest) -> Scene:
    """Each instruction where it would succeed; no test of this module changes anything."""
    return open_scene(request.param)


def refused(scene: Scene, instruction: Instruction, *expected: Refusal) -> None:
    """The instruction has to meet one of these refusals."""
    assert attempt(scene, instruction) in expected, instruction


def test_every_length_but_one_is_refused(scene: Scene) -> None:
    """Cut anywhere, or with anything behind, data is InvalidInstructionData."""
    data = bytes(scene.instruction.data)
    for other in (*(data[:length] for length in range(len(data))), data + b"\0", data + data, data + bytes(500)):
        refused(scene, with_data(scene.instruction, other), DATA)


def test_every_byte_of_the_discriminator_counts(scene: Scene) -> None:
    """One that differs anywhere is InvalidInstructionData."""
    data = bytes(scene.instruction.data)
    for place in range(8):
        other = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        refused(scene, with_data(scene.instruction, other), DATA)


def test_other_instructions_do_not_take_these_accounts(scene: Scene) -> None:
    """Its list under each other instruction's name: refused for its length, or for who stands where."""
    for other in INSTRUCTIONS.values():
        if other is scene.spec:
            continue
        data = other.discriminator + bytes(other.args.size)
        expected = {INVALID}
        if len(other.accounts) == len(scene.spec.accounts):
            expected = {INVALID, ProgramError.UNAUTHORIZED, ProgramError.NOTHING_OWED}
        refused(scene, with_data(scene.instruction, data), *expected)


def test_the_list_of_accounts_is_fixed(scene: Scene) -> None:
    """Any one account left out, the list cut anywhere, or up to 30 more: InvalidAccount."""
    metas = list(scene.instruction.accounts)
    for listed in _other_lists(metas):
        refused(scene, with_accounts(scene.instruction, listed), INVALID)


def _other_lists(metas: list[AccountMeta]) -> Iterator[list[AccountMeta]]:
    yield from (metas[:length] for length in range(len(metas)))
    yield from (metas[:place] + metas[place + 1 :] for place in range(len(metas)))
    for more in (1, 2, 3, 9, 15):
        # Behind the ten that are looked at, strangers and repetitions are skipped alike.
        yield metas + [AccountMeta(Keypair().pubkey(), False, False) for _ in range(more)]
        yield metas + [metas[-1]] * more
        yield [metas[0]] * more + metas


@pytest.mark.parametrize(("name", "offset"), BOOLEANS, ids=[name for name, _ in BOOLEANS])
def test_booleans_are_0_or_1(name: str, offset: int) -> None:
    """Each of the 254 other bytes is InvalidInstructionData."""
    scene = open_scene(name)
    data = bytes(scene.instruction.data)
    for value in range(2, 256):
        refused(scene, with_data(scene.instruction, data[:offset] + bytes([value]) + data[offset + 1 :]), DATA)


def test_both_booleans_are_tried() -> None:
    """The interface has two: allow_freezable and approve."""
    assert [name for name, _ in BOOLEANS] == ["initialize", "cast_vote"]
