"""Only the program's own keypair sets a deployment up, only the admin changes it, and only within the limits."""

from __future__ import annotations

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair

from chorale.domain.program_errors import ProgramError
from programs import instructions
from programs.wire import key_bytes
from tests.program.altered import with_account, with_meta
from tests.program.harness import MINIMUM_STAKE, WINDOW, Harness, Wallet
from tests.program.stage import Stage


@pytest.fixture
def bare() -> Harness:
    """A chain with the program, not initialised."""
    return Harness(initialise=False)


@pytest.fixture
def stage() -> Stage:
    """An initialised chain with a thread."""
    return Stage()


def initialize(
    chain: Harness, *, stake: int = 1, window: int = WINDOW, mint: str = "", allow_freezable: bool = False
) -> Instruction:
    """initialize by the harness's admin."""
    return instructions.initialize(
        chain.program,
        payer=chain.admin.key,
        admin=chain.admin.key,
        mint=mint or chain.mint,
        minimum_stake=stake,
        approval_window=window,
        allow_freezable=allow_freezable,
    )


def configure(stage: Stage, new: Wallet, *, stake: int = 5, window: int = 3_600) -> Instruction:
    """configure by the harness's admin."""
    return instructions.configure(
        stage.program, admin=stage.chain.admin.key, new_admin=new.key, minimum_stake=stake, approval_window=window
    )


def test_initialize_makes_protocol_and_treasury(bare: Harness) -> None:
    """The parameters are stored, the treasury belongs to the protocol, and an event tells of it."""
    result = bare.send(initialize(bare, stake=7, window=3_600), bare.admin, bare.program_keypair)
    assert result.ok, result.logs
    protocol = bare.protocol()
    assert (protocol.admin, protocol.mint, protocol.minimum_stake) == (bare.admin.key, bare.mint, 7)
    assert (protocol.approval_window, protocol.sequence, protocol.allow_freezable) == (3_600, 1, False)
    treasury = bare.data(bare.program.treasury())
    assert treasury[32:64] == key_bytes(bare.program.protocol())
    assert [(e.name, e.thread, e.sequence, e.ordinal) for e in result.events] == [
        ("Configured", bare.program.protocol(), 1, 0)
    ]


def test_initialize_needs_the_programs_keypair(bare: Harness) -> None:
    """Another signature in its place, or none, is refused, and so is a second time."""
    unsigned = with_meta(initialize(bare), 2, is_signer=False)
    assert bare.send(unsigned, bare.admin).code == ProgramError.UNAUTHORIZED
    stranger = Keypair()
    asked = with_account(initialize(bare), 2, str(stranger.pubkey()))
    assert bare.send(asked, bare.admin, stranger).code == ProgramError.INVALID_ACCOUNT
    assert bare.account(bare.program.protocol()) is None
    assert bare.send(initialize(bare), bare.admin, bare.program_keypair).ok
    assert bare.send(initialize(bare), bare.admin, bare.program_keypair).code == ProgramError.INVALID_ACCOUNT


@pytest.mark.parametrize(("stake", "window"), [(0, WINDOW), (1, 3_599), (1, 2_592_001), (1, -1)])
def test_parameters_have_limits(bare: Harness, stage: Stage, stake: int, window: int) -> None:
    """At least 1 base unit, an hour to thirty days, for initialize and configure."""
    refused = bare.send(initialize(bare, stake=stake, window=window), bare.admin, bare.program_keypair)
    assert refused.code == ProgramError.PARAMETER_OUT_OF_RANGE
    admin = stage.chain.admin
    stage.refused(ProgramError.PARAMETER_OUT_OF_RANGE, configure(stage, admin, stake=stake, window=window), admin)


def test_freezable_mints_must_be_asked_for(bare: Harness) -> None:
    """A mint with a freeze authority is taken only with allow_freezable; what is no mint never."""
    mint = bare.make_mint(freeze_authority=bare.admin.key)
    refused = bare.send(initialize(bare, mint=mint), bare.admin, bare.program_keypair)
    assert refused.code == ProgramError.FREEZABLE_MINT
    no_mint = bare.send(initialize(bare, mint=bare.admin.tokens), bare.admin, bare.program_keypair)
    assert no_mint.code == ProgramError.INVALID_ACCOUNT
    assert bare.send(initialize(bare, mint=mint, allow_freezable=True), bare.admin, bare.program_keypair).ok
    assert bare.protocol().allow_freezable


def test_configure_hands_the_role_over(stage: Stage) -> None:
    """Both admins sign, and the old one has no say afterwards."""
    old, new = stage.chain.admin, stage.chain.wallet()
    stage.refused_without("new_admin", configure(stage, new), old, new)
    stage.refused_without("admin", configure(stage, new), old, new)
    result = stage.must(configure(stage, new), old, new)
    protocol = stage.chain.protocol()
    assert (protocol.admin, protocol.minimum_stake, protocol.approval_window) == (new.key, 5, 3_600)
    assert (protocol.sequence, [e.name for e in result.events]) == (2, ["Configured"])
    stage.refused(ProgramError.UNAUTHORIZED, configure(stage, old), old)


def test_the_named_admin_is_the_one_who_signs(stage: Stage) -> None:
    """An argument that names another key than the signing account is refused."""
    old, new, other = stage.chain.admin, stage.chain.wallet(), stage.chain.wallet()
    stage.refused(ProgramError.INVALID_ACCOUNT, with_account(configure(stage, new), 1, other.key), old, other)


def test_withdraw_treasury_pays_the_admin(stage: Stage) -> None:
    """The admin, and nobody else, moves tokens of the reserve into an account of their own."""
    admin, treasury = stage.chain.admin, stage.program.treasury()
    stage.chain.put_token_account(treasury, stage.program.protocol(), 50)

    def withdraw(amount: int, by: Wallet = admin, to: str = "") -> Instruction:
        return instructions.withdraw_treasury(stage.program, admin=by.key, destination=to or by.tokens, amount=amount)

    stage.refused_without("admin", withdraw(1), admin)
    stage.refused(ProgramError.UNAUTHORIZED, withdraw(1, stage.outsider), stage.outsider)
    for destination in (stage.outsider.tokens, treasury, stage.vault, admin.key):
        stage.refused(ProgramError.INVALID_DESTINATION, withdraw(1, to=destination), admin)
    stage.refused(ProgramError.PARAMETER_OUT_OF_RANGE, withdraw(0), admin)
    assert not stage.send(withdraw(51), admin).ok
    before = stage.chain.balance(admin.tokens)
    result = stage.must(withdraw(50), admin)
    assert (stage.chain.balance(treasury), stage.chain.balance(admin.tokens)) == (0, before + 50)
    assert [(e.name, e.sequence, e.fields["amount"]) for e in result.events] == [("TreasuryWithdrawn", 2, 50)]
    assert stage.chain.protocol().sequence == 2
    assert stage.chain.protocol().minimum_stake == MINIMUM_STAKE
