"""Odd data, wrong lists, foreign accounts, missing flags: each refused, changing nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair

from chorale.domain.program_errors import ProgramError
from programs import identity
from programs.interface import INSTRUCTIONS
from tests.program.altered import with_account, with_accounts, with_data, with_meta
from tests.program.harness import START, WINDOW, Wallet
from tests.program.stage import Stage, body_hash

Step = tuple[Instruction, tuple[Wallet, ...]]


def _create(stage: Stage) -> Step:
    return stage.create_instruction(nonce=5), (stage.creator,)


def _post(stage: Stage) -> Step:
    return stage.post_instruction(stage.creator, 5), (stage.creator,)


def _submit(stage: Stage) -> Step:
    return stage.submit_instruction(stage.outsider, 5), (stage.outsider,)


def _vote(stage: Stage) -> Step:
    return stage.vote_instruction(stage.creator, stage.submit(stage.outsider)), (stage.creator,)


def _resolve(stage: Stage) -> Step:
    second = stage.join()
    content_hash = stage.submit(stage.outsider)
    stage.vote(stage.creator, content_hash)
    stage.must(stage.divest_instruction(second), second)
    return stage.resolve_instruction(content_hash), ()


def _expire(stage: Stage) -> Step:
    content_hash = stage.submit(stage.outsider)
    stage.chain.set_time(START + WINDOW)
    return stage.expire_instruction(content_hash), ()


def _cancel(stage: Stage) -> Step:
    return stage.cancel_instruction(stage.outsider, stage.submit(stage.outsider)), (stage.outsider,)


def _refund(stage: Stage) -> Step:
    content_hash = stage.submit(stage.outsider)
    stage.must(stage.cancel_instruction(stage.outsider, content_hash), stage.outsider)
    return stage.refund_instruction(stage.outsider, content_hash), ()


def _claim(stage: Stage) -> Step:
    content_hash = stage.submit(stage.outsider)
    stage.vote(stage.creator, content_hash, approve=False)
    return stage.claim_instruction(stage.creator, content_hash), ()


def _divest(stage: Stage) -> Step:
    second = stage.join()
    return stage.divest_instruction(second), (second,)


def _sweep(stage: Stage) -> Step:
    stage.chain.put_token_account(stage.vault, stage.program.thread(stage.thread_id), 9)
    return stage.sweep_instruction(), ()


STEPS: dict[str, Callable[[Stage], Step]] = {
    "create_thread": _create,
    "post_message": _post,
    "submit_message": _submit,
    "cast_vote": _vote,
    "resolve": _resolve,
    "expire": _expire,
    "cancel": _cancel,
    "refund": _refund,
    "claim": _claim,
    "divest": _divest,
    "sweep": _sweep,
}


@pytest.fixture(params=list(STEPS))
def step(request: pytest.FixtureRequest) -> tuple[Stage, Instruction, tuple[Wallet, ...]]:
    """Every user instruction where it would succeed."""
    stage = Stage()
    instruction, signers = STEPS[request.param](stage)
    return stage, instruction, signers


def test_data_is_read_to_the_last_byte(step: tuple[Stage, Instruction, tuple[Wallet, ...]]) -> None:
    """A byte more, a byte less, or an unknown discriminator is InvalidInstructionData."""
    stage, instruction, signers = step
    data = bytes(instruction.data)
    for other in (data + b"\0", data[:-1], b"", b"\0" * 8 + data[8:]):
        stage.refused(ProgramError.INVALID_INSTRUCTION_DATA, with_data(instruction, other), *signers)
    stage.must(instruction, *signers)


def test_account_lists_are_fixed(step: tuple[Stage, Instruction, tuple[Wallet, ...]]) -> None:
    """An account too many or too few is InvalidAccount."""
    stage, instruction, signers = step
    metas = list(instruction.accounts)
    extra = AccountMeta(Keypair().pubkey(), False, False)
    stage.refused(ProgramError.INVALID_ACCOUNT, with_accounts(instruction, [*metas, extra]), *signers)
    kept = [s for s in signers if any(m.pubkey == s.keypair.pubkey() for m in metas[:-1])]
    stage.refused(ProgramError.INVALID_ACCOUNT, with_accounts(instruction, metas[:-1]), *kept)


def test_writable_accounts_must_be_writable(step: tuple[Stage, Instruction, tuple[Wallet, ...]]) -> None:
    """Every account that is written, sent read-only, is InvalidAccount before anything happens."""
    stage, instruction, signers = step
    spec = next(s for s in INSTRUCTIONS.values() if s.discriminator == bytes(instruction.data)[:8])
    for place, role in enumerate(spec.accounts):
        if role.writable and role.name != "payer":  # the fee payer is always writable
            altered = with_meta(instruction, place, is_writable=False)
            stage.refused(ProgramError.INVALID_ACCOUNT, altered, *signers)


def test_other_accounts_in_their_places_are_refused(step: tuple[Stage, Instruction, tuple[Wallet, ...]]) -> None:
    """A fresh address instead of any account but a signer or a payee is refused."""
    stage, instruction, signers = step
    spec = next(s for s in INSTRUCTIONS.values() if s.discriminator == bytes(instruction.data)[:8])
    for place, role in enumerate(spec.accounts):
        if role.signer or role.optional_signer:
            continue
        expected = ProgramError.INVALID_DESTINATION if role.name == "destination" else ProgramError.INVALID_ACCOUNT
        altered = with_account(instruction, place, str(Keypair().pubkey()))
        stage.refused(expected, altered, *signers)


def test_accounts_of_another_thread_are_refused(step: tuple[Stage, Instruction, tuple[Wallet, ...]]) -> None:
    """A thread, vault or message that is genuine but belongs elsewhere does not pass."""
    stage, instruction, signers = step
    elsewhere = Stage(stage.chain)
    other = {"thread": elsewhere.program.thread(elsewhere.thread_id), "vault": elsewhere.vault}
    spec = next(s for s in INSTRUCTIONS.values() if s.discriminator == bytes(instruction.data)[:8])
    # Whoever posts elsewhere is an outsider there; all others name a message or vault that gives them away.
    expected = ProgramError.NOT_A_CO_AUTHOR if spec.name == "post_message" else ProgramError.INVALID_ACCOUNT
    for place, role in enumerate(spec.accounts):
        if role.name in other:
            stage.refused(expected, with_account(instruction, place, other[role.name]), *signers)


def test_an_account_stands_in_one_place_only(step: tuple[Stage, Instruction, tuple[Wallet, ...]]) -> None:
    """The thread in the message's or vault's place is refused."""
    stage, instruction, signers = step
    spec = next(s for s in INSTRUCTIONS.values() if s.discriminator == bytes(instruction.data)[:8])
    thread = stage.program.thread(stage.thread_id)
    for place, role in enumerate(spec.accounts):
        if role.name in {"message", "vault", "treasury"}:
            stage.refused(ProgramError.INVALID_ACCOUNT, with_account(instruction, place, thread), *signers)


@pytest.mark.parametrize("value", [2, 255])
def test_booleans_are_0_or_1(value: int) -> None:
    """cast_vote with another byte is InvalidInstructionData."""
    stage = Stage()
    vote = stage.vote_instruction(stage.creator, stage.submit(stage.outsider))
    data = bytes(vote.data)[:8] + bytes([value])
    stage.refused(ProgramError.INVALID_INSTRUCTION_DATA, with_data(vote, data), stage.creator)


@pytest.mark.parametrize("account", ["protocol", "thread", "message"])
@pytest.mark.parametrize(("offset", "value"), [(0, 0), (8, 2), (8, 0)])
def test_foreign_types_and_versions_are_refused(account: str, offset: int, value: int) -> None:
    """Another discriminator or layout version is InvalidAccount."""
    stage = Stage()
    content_hash = stage.submit(stage.outsider)
    address = {
        "protocol": stage.program.protocol(),
        "thread": stage.program.thread(stage.thread_id),
        "message": stage.message(content_hash).address,
    }[account]
    data = bytearray(stage.chain.data(address))
    data[offset] = value
    stage.chain.put_account(address, stage.program.program_id, bytes(data))
    if account == "protocol":
        stage.refused(ProgramError.INVALID_ACCOUNT, stage.submit_instruction(stage.outsider, 9), stage.outsider)
    else:
        vote = stage.vote_instruction(stage.creator, content_hash)
        stage.refused(ProgramError.INVALID_ACCOUNT, vote, stage.creator)


def test_accounts_of_another_program_are_refused() -> None:
    """The right bytes at the right address, owned by somebody else, are InvalidAccount."""
    stage = Stage()
    content_hash = stage.submit(stage.outsider)
    address = stage.program.thread(stage.thread_id)
    stage.chain.put_account(address, str(Keypair().pubkey()), stage.chain.data(address))
    stage.refused(ProgramError.INVALID_ACCOUNT, stage.vote_instruction(stage.creator, content_hash), stage.creator)


@pytest.mark.parametrize("role", ["protocol", "thread", "message"])
def test_copies_at_other_addresses_are_refused(role: str) -> None:
    """The right bytes, owned by the program, at an address that is not theirs, are InvalidAccount."""
    stage = Stage()
    content_hash = stage.submit(stage.outsider)
    author = stage.chain.wallet()
    genuine = {
        "protocol": stage.program.protocol(),
        "thread": stage.program.thread(stage.thread_id),
        "message": stage.message(content_hash).address,
    }[role]
    copy = str(Keypair().pubkey())
    stage.chain.put_account(copy, stage.program.program_id, stage.chain.data(genuine))
    if role == "protocol":
        instruction, signer = stage.submit_instruction(author, 9), author
    elif role == "thread":
        instruction, signer = stage.post_instruction(stage.creator, 9), stage.creator
    else:
        instruction, signer = stage.vote_instruction(stage.creator, content_hash), stage.creator
    places = [str(meta.pubkey) for meta in instruction.accounts]
    altered = with_account(instruction, places.index(genuine), copy)
    if role == "thread":
        # With the message's address derived from the copy's, only the thread's own address gives it away.
        posted = identity.content_hash(stage.thread_id, stage.creator.key, 9, body_hash(9))
        altered = with_account(altered, 3, stage.program.message(copy, posted))
    stage.refused(ProgramError.INVALID_ACCOUNT, altered, signer)


def test_the_payer_signs_for_itself() -> None:
    """Rent is taken from nobody who has not signed for it."""
    stage = Stage()
    rich = stage.chain.wallet()
    for step in (_create, _post, _submit, _vote):
        instruction, signers = step(stage)
        unpaid = with_meta(with_account(instruction, 0, rich.key), 0, is_signer=False)
        stage.refused(ProgramError.UNAUTHORIZED, unpaid, *signers)
