"""Random data, random accounts and random bytes inside accounts: nothing crashes the program or makes tokens."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from programs.addresses import TOKEN_PROGRAM
from programs.interface import INSTRUCTIONS
from tests.adversary.attack import ByRuntime, attempt
from tests.adversary.scenes import Scene, open_scene
from tests.adversary.state_accounts import with_bytes
from tests.program.altered import with_accounts, with_data

# Panics, access violations, endless loops: whatever comes in, the program has to end by itself.
_CRASHES = ("ProgramFailedToComplete", "ComputationalBudgetExceeded")
_MOST_ACCOUNTS = 12
_MUCH = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
_DISCRIMINATORS = st.sampled_from([spec.discriminator for spec in INSTRUCTIONS.values()])


@pytest.fixture(scope="module", params=list(INSTRUCTIONS))
def scene(request: pytest.FixtureRequest) -> Scene:
    """Each instruction where it would succeed; what the noise does change is written back."""
    return open_scene(request.param)


def tokens(scene: Scene) -> int:
    """All tokens of the chain, of every mint."""
    accounts = (a for a in scene.chain.world().values() if a and str(a.owner) == TOKEN_PROGRAM and len(a.data) == 165)
    return sum(int.from_bytes(account.data[64:72], "little") for account in accounts)


def survives(scene: Scene, instruction: Instruction) -> None:
    """A refusal that changes nothing, or a success that makes and loses no tokens; never a crash."""
    scene.chain.known.update(str(meta.pubkey) for meta in instruction.accounts)
    before, held = scene.chain.world(), tokens(scene)
    refusal = attempt(scene, instruction)
    if refusal is None:
        assert tokens(scene) == held
        scene.write(before)
    assert not (isinstance(refusal, ByRuntime) and refusal.detail in _CRASHES), refusal


@_MUCH
@given(st.data())
def test_random_data(scene: Scene, data: st.DataObject) -> None:
    """The scene's accounts with any instruction's name and any bytes behind it, or any bytes at all."""
    right_size = len(bytes(scene.instruction.data)) - 8
    argument = st.one_of(st.binary(min_size=right_size, max_size=right_size), st.binary(max_size=120))
    raw = data.draw(st.one_of(st.tuples(_DISCRIMINATORS, argument).map(b"".join), st.binary(max_size=64)))
    survives(scene, with_data(scene.instruction, raw))


@_MUCH
@given(st.data())
def test_random_accounts(scene: Scene, data: st.DataObject) -> None:
    """The scene's data with its accounts in any order, repeated, left out, or others of the chain among them."""
    genuine = list(scene.instruction.accounts)
    known = sorted(scene.chain.known - {scene.sponsor.key})
    other = st.builds(
        lambda key, signs, written: AccountMeta(Pubkey.from_string(key), signs and key in scene.signers, written),
        st.sampled_from(known),
        st.booleans(),
        st.booleans(),
    )
    metas = data.draw(
        st.one_of(
            st.permutations(genuine),
            st.lists(st.sampled_from(genuine), min_size=len(genuine), max_size=len(genuine)),
            st.lists(st.one_of(st.sampled_from(genuine), other), max_size=_MOST_ACCOUNTS),
        )
    )
    raw = data.draw(st.one_of(st.just(bytes(scene.instruction.data)), _DISCRIMINATORS))
    survives(scene, with_data(with_accounts(scene.instruction, metas), raw))


@_MUCH
@given(st.data())
def test_random_bytes_inside_accounts(scene: Scene, data: st.DataObject) -> None:
    """States that the program never writes: its own accounts with bytes changed, cut or lengthened."""
    program = scene.chain.program.program_id
    named = [str(meta.pubkey) for meta in scene.instruction.accounts]
    ours = [key for key in named if (a := scene.chain.account(key)) and str(a.owner) == program]
    if not ours:
        return
    address = data.draw(st.sampled_from(ours))
    account = scene.chain.account(address)
    assert account is not None
    raw = bytearray(account.data)
    for place in data.draw(st.lists(st.integers(10, len(raw) - 1), min_size=1, max_size=8)):
        raw[place] = data.draw(st.integers(0, 255))
    length = data.draw(st.one_of(st.just(len(raw)), st.integers(0, len(raw) + 100)))
    before = scene.write({address: with_bytes(account, bytes(raw).ljust(length, b"\0")[:length])})
    survives(scene, scene.instruction)
    scene.write(before)
