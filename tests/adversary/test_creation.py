"""Accounts are made where somebody sent lamports before; before `initialize` nothing else works."""

from __future__ import annotations

import pytest
from solders.account import Account
from solders.pubkey import Pubkey

from chorale.domain.program_errors import ProgramError
from programs.interface import INSTRUCTIONS
from tests.adversary.attack import Kind, attempt, kind_of
from tests.adversary.duplicates import WHO_MAY_PAY
from tests.adversary.scenes import open_scene
from tests.program.altered import with_account

_MADE = [(s.name, r.name) for s in INSTRUCTIONS.values() for r in s.accounts if kind_of(s, r) is Kind.NEW]


@pytest.mark.parametrize("prefunded", [1, 890_880, 10**10])
@pytest.mark.parametrize(("name", "role"), _MADE)
def test_lamports_sent_before_spoil_nothing(name: str, role: str, prefunded: int) -> None:
    """The same bytes are made, and the payer pays only what is missing."""
    scene = open_scene(name)
    before = scene.chain.world()
    payer = scene.account("payer").lamports
    assert scene.send(scene.instruction).ok
    made, cost = scene.account(role), payer - scene.account("payer").lamports
    scene.write(before)
    scene.write({scene.address(role): Account(prefunded, b"", Pubkey.default())})
    result = scene.send(scene.instruction)
    assert result.ok, result.logs
    again = scene.account(role)
    assert (again.data, again.owner) == (made.data, made.owner)
    assert again.lamports == max(made.lamports, prefunded)
    assert payer - scene.account("payer").lamports == cost - min(prefunded, made.lamports)


@pytest.mark.parametrize("name", [name for name in INSTRUCTIONS if name != "initialize"])
def test_nothing_works_before_initialize(name: str) -> None:
    """Without the protocol's account there is neither treasury nor thread: InvalidAccount."""
    scene = open_scene(name)
    program = scene.chain.program
    derived = {program.treasury(), *(stage.vault for stage in (scene.here, scene.elsewhere) if stage)}
    ours = {key for key, a in scene.chain.world().items() if a and str(a.owner) == program.program_id}
    scene.write(dict.fromkeys(derived | ours))
    assert attempt(scene, scene.instruction) == ProgramError.INVALID_ACCOUNT


@pytest.mark.parametrize(("name", "role"), WHO_MAY_PAY)
def test_who_signs_may_pay(name: str, role: str) -> None:
    """The payer's place may be taken by another signer of the instruction, who then pays."""
    scene = open_scene(name)
    before = scene.account(role).lamports
    result = scene.send(with_account(scene.instruction, 0, scene.address(role)))
    assert result.ok, result.logs
    assert scene.account(role).lamports < before
