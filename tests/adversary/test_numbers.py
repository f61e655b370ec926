"""Amounts, times and counters at their edges: refused or carried out, never wrapped around."""

from __future__ import annotations

import pytest

from chorale.domain.program_errors import ProgramError
from programs.accounts import THREAD_VECTOR
from tests.adversary.attack import TOKEN_FUNDS, Refusal, attempt
from tests.adversary.offsets import in_account, in_data
from tests.adversary.scenes import open_scene
from tests.adversary.state_accounts import with_bytes
from tests.program.altered import with_data
from tests.program.harness import MINIMUM_STAKE, START, TOKENS, WINDOW

U32, U64, I64 = 2**32 - 1, 2**64 - 1, 2**63 - 1
OVERFLOW = ProgramError.MATH_OVERFLOW
RANGE = ProgramError.PARAMETER_OUT_OF_RANGE

# Instruction, argument, value, refusal or None where it is carried out.
_ARGUMENTS: list[tuple[str, str, int, Refusal | None]] = [
    ("initialize", "minimum_stake", 0, RANGE),
    ("initialize", "minimum_stake", 1, None),
    ("initialize", "minimum_stake", U64, None),
    ("configure", "minimum_stake", 0, RANGE),
    ("configure", "minimum_stake", 1, None),
    ("configure", "minimum_stake", U64, None),
    *(
        (name, "approval_window", window, error)
        for name in ("initialize", "configure")
        for window, error in (
            (-I64 - 1, RANGE),
            (-1, RANGE),
            (0, RANGE),
            (3_599, RANGE),
            (3_600, None),
            (2_592_000, None),
            (2_592_001, RANGE),
            (I64, RANGE),
        )
    ),
    ("withdraw_treasury", "amount", 0, RANGE),
    ("withdraw_treasury", "amount", 50, None),
    ("withdraw_treasury", "amount", 51, TOKEN_FUNDS),
    ("withdraw_treasury", "amount", U64, TOKEN_FUNDS),
    ("submit_message", "stake", 0, ProgramError.STAKE_TOO_LOW),
    ("submit_message", "stake", MINIMUM_STAKE - 1, ProgramError.STAKE_TOO_LOW),
    ("submit_message", "stake", MINIMUM_STAKE, None),
    ("submit_message", "stake", TOKENS, None),
    ("submit_message", "stake", TOKENS + 1, TOKEN_FUNDS),
    ("submit_message", "stake", U64, TOKEN_FUNDS),
    ("submit_message", "max_expires_at", START + WINDOW, None),
    ("submit_message", "max_expires_at", START + WINDOW - 1, ProgramError.EXPIRES_TOO_LATE),
    ("submit_message", "max_expires_at", 0, ProgramError.EXPIRES_TOO_LATE),
    ("submit_message", "max_expires_at", -I64 - 1, ProgramError.EXPIRES_TOO_LATE),
    ("submit_message", "max_expires_at", I64, None),
    ("divest", "min_payout", 500, None),
    ("divest", "min_payout", 501, ProgramError.PAYOUT_TOO_LOW),
    ("divest", "min_payout", U64, ProgramError.PAYOUT_TOO_LOW),
]

_TOTALS = ("token_balance", "stakes_total", "escrow_total", "treasury_due")
_TOUCHED = [
    "post_message",
    "submit_message",
    "cast_vote",
    "resolve",
    "expire",
    "cancel",
    "refund",
    "claim",
    "divest",
    "sweep",
]
# Instruction, account, field, value that the program itself never lets it come to, refusal.
_FIELDS: list[tuple[str, str, str, int, Refusal | None]] = [
    ("configure", "protocol", "sequence", U64, OVERFLOW),
    ("withdraw_treasury", "protocol", "sequence", U64, OVERFLOW),
    *((name, "thread", "sequence", U64, OVERFLOW) for name in _TOUCHED),
    ("post_message", "thread", "message_count", U32, OVERFLOW),
    ("submit_message", "thread", "message_count", U32, OVERFLOW),
    ("submit_message", "thread", "pending_count", U32, OVERFLOW),
    ("submit_message", "thread", "stakes_total", U64, OVERFLOW),
    ("post_message", "thread", "published_count", 2**20, ProgramError.TREE_FULL),
    ("post_message", "thread", "published_count", 2**20 - 1, None),
    ("submit_message", "thread", "published_count", 2**20, ProgramError.TREE_FULL),
    ("submit_message", "thread", "published_count", 2**20 - 1, None),
    *((name, "thread", "pending_count", 0, OVERFLOW) for name in ("cast_vote", "resolve", "expire", "cancel")),
    *((name, "thread", "stakes_total", 0, OVERFLOW) for name in ("cast_vote", "resolve", "expire", "cancel")),
    *((name, "thread", "token_balance", U64, OVERFLOW) for name in ("cast_vote", "resolve")),
    *((name, "thread", "escrow_total", U64, OVERFLOW) for name in ("expire", "cancel")),
    *((name, "thread", "escrow_total", 0, OVERFLOW) for name in ("refund", "claim")),
    ("claim", "message", "escrow_remaining", 0, OVERFLOW),
    ("claim", "message", "share", 0, ProgramError.NOTHING_OWED),
    ("refund", "message", "escrow_remaining", 0, ProgramError.NOTHING_OWED),
    ("divest", "thread", "co_authors", 0, ProgramError.NOT_A_CO_AUTHOR),
    # A vault that holds less than it owes is not swept, whichever sum it is that does not fit.
    *(("sweep", "thread", total, U64, OVERFLOW) for total in _TOTALS),
    ("sweep", "thread", "stakes_total", 100_000, OVERFLOW),
]


@pytest.mark.parametrize(("name", "argument", "value", "expected"), _ARGUMENTS)
def test_arguments_at_their_edges(name: str, argument: str, value: int, expected: Refusal | None) -> None:
    """The first value that is too much is refused, the last one that is not is taken."""
    scene = open_scene(name)
    data, offset = bytes(scene.instruction.data), in_data(name, argument)
    raw = value.to_bytes(8, "little", signed=value < 0)
    scene.instruction = with_data(scene.instruction, data[:offset] + raw + data[offset + 8 :])
    assert attempt(scene, scene.instruction) == expected


@pytest.mark.parametrize(("name", "role", "field", "value", "expected"), _FIELDS)
def test_sums_never_wrap(name: str, role: str, field: str, value: int, expected: Refusal | None) -> None:
    """Totals and counters that cannot be added to, or taken from, stop the instruction."""
    scene = open_scene(name)
    account = scene.account(role)
    offset = THREAD_VECTOR if field == "co_authors" else in_account(role.capitalize(), field)
    width = 4 if field.endswith("_count") or field == "co_authors" else 8
    data = account.data[:offset] + value.to_bytes(width, "little") + account.data[offset + width :]
    scene.write({scene.address(role): with_bytes(account, data)})
    assert attempt(scene, scene.instruction) == expected


def test_time_does_not_wrap() -> None:
    """Where the window would end after the last second that there is, nothing can be submitted."""
    scene = open_scene("submit_message")
    scene.chain.set_time(I64)
    assert attempt(scene, scene.instruction) == OVERFLOW


def test_all_the_tokens_there_can_be() -> None:
    """A stake of 2^64 - 1 is taken whole, and shared without a remainder lost."""
    scene = open_scene("submit_message")
    assert scene.here
    stage, author = scene.here, scene.here.outsider
    stage.chain.put_token_account(author.tokens, author.key, U64)
    content_hash = stage.submit(author, stake=U64)
    assert (stage.chain.balance(stage.vault), stage.thread.stakes_total) == (U64, U64)
    stage.vote(stage.creator, content_hash, approve=False)
    stage.chain.put_token_account(stage.creator.tokens, stage.creator.key, 0)
    stage.must(stage.claim_instruction(stage.creator, content_hash))
    assert (stage.chain.balance(stage.vault), stage.chain.balance(stage.creator.tokens)) == (0, U64)
    assert stage.thread.escrow_total == stage.thread.treasury_due == 0
