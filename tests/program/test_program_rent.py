"""What payers pay for room is what the sizes in the client say, and the same under both ways of writing rent down."""

from __future__ import annotations

import pytest

from bench.rent import RENTS
from bench.rent_cases import Costs, measure
from programs.accounts import CO_AUTHOR_SIZE, PROTOCOL_SIZE, VOTE_SIZE, message_size, thread_size
from programs.token_accounts import TOKEN_ACCOUNT_SIZE
from tests.program.harness import Harness

LAMPORTS_PER_BYTE = 6_960


def rent(size: int) -> int:
    """What an account of so many bytes holds."""
    return LAMPORTS_PER_BYTE * (128 + size)


@pytest.fixture(scope="module", params=RENTS, ids=["threshold 2", "threshold 1"])
def costs(request: pytest.FixtureRequest) -> Costs:
    """Everything, measured under one rent."""
    Harness()  # skips where LiteSVM or the program is missing
    return measure(request.param)


def test_payments_follow_from_sizes(costs: Costs) -> None:
    """Whoever makes an account pays its rent, a submission its author's seat as well, and nothing else costs rent."""
    assert {name: paid for name, paid in costs.payments.items() if paid} == {
        "initialize": rent(PROTOCOL_SIZE) + rent(TOKEN_ACCOUNT_SIZE),
        "create_thread": rent(thread_size(1)) + rent(TOKEN_ACCOUNT_SIZE),
        "post_message": rent(message_size(0)),
        "submit_message to 1 co-author": rent(message_size(1) + CO_AUTHOR_SIZE),
        "submit_message to 8 co-authors": rent(message_size(8) + CO_AUTHOR_SIZE),
        "submit_message to 63 co-authors": rent(message_size(63) + CO_AUTHOR_SIZE),
        "cast_vote beyond the room": LAMPORTS_PER_BYTE * VOTE_SIZE,
    }


def test_every_account_is_rent_exempt_to_the_lamport(costs: Costs) -> None:
    """An account holds its rent; a message that may still be published, or was not, holds a seat's rent more."""
    for name, (size, lamports) in costs.accounts.items():
        seat = CO_AUTHOR_SIZE if "pending" in name or "denied" in name else 0
        assert lamports == rent(size + seat), name
