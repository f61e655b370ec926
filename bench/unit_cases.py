"""What is measured for the table of compute units: every instruction, in threads of 1, 8 and 64 co-authors.

Wallets vote in the reverse of the order of their seats, and who acts sits or voted last: the dearest there is. A full
thread takes neither submissions nor authors, so those cases are measured at 63 co-authors for 64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256

from solders.keypair import Keypair

from programs import instructions
from programs.interface import MAX_CO_AUTHORS
from tests.program.harness import WINDOW, Harness, Result, Wallet
from tests.program.stage import Stage

SIZES = (1, 8, MAX_CO_AUTHORS)
ALONE = (
    "initialize",
    "configure",
    "withdraw_treasury",
    "create_thread",
)
IN_THREADS = (
    "post_message",
    "submit_message",
    "cast_vote, undecided",
    "cast_vote, undecided, beyond the room",
    "cast_vote, publishes and seats the author",
    "cast_vote, denies",
    "cast_vote, splits",
    "resolve, nothing to decide",
    "resolve, all approve and no seat is free",
    "resolve, publishes and seats the author",
    "expire",
    "cancel",
    "refund, by anybody",
    "refund, signed by the payee",
    "claim, by anybody",
    "claim, signed by the payee",
    "divest",
    "sweep",
)

Sample = tuple[str, Result]


def keys(seed: str) -> Callable[[], Keypair]:
    """An endless supply of keypairs, the same for the same seed."""
    numbers = iter(range(1_000_000))
    return lambda: Keypair.from_seed(sha256(f"{seed}:{next(numbers)}".encode()).digest())


def alone(seed: str) -> Iterator[Sample]:
    """What knows no co-authors."""
    chain = Harness(initialise=False, new_keypair=keys(f"{seed}:admin"))
    admin = chain.admin
    setup = instructions.initialize(
        chain.program, payer=admin.key, admin=admin.key, mint=chain.mint, minimum_stake=1_000, approval_window=WINDOW
    )
    yield "initialize", chain.send(setup, admin, chain.program_keypair)
    change = instructions.configure(
        chain.program, admin=admin.key, new_admin=admin.key, minimum_stake=2_000, approval_window=WINDOW
    )
    yield "configure", chain.send(change, admin)
    chain.put_token_account(chain.program.treasury(), chain.program.protocol(), 10)
    withdrawal = instructions.withdraw_treasury(chain.program, admin=admin.key, destination=admin.tokens, amount=10)
    yield "withdraw_treasury", chain.send(withdrawal, admin)
    stage = Stage(Harness(new_keypair=keys(f"{seed}:creator")))
    yield "create_thread", stage.send(stage.create_instruction(nonce=1), stage.creator)


def in_thread(seed: str, size: int) -> Iterator[Sample]:
    """Everything that depends on a thread, in one of `size` co-authors."""
    yield from _decisions(f"{seed}:{size}:decisions", size)
    yield from _publications(f"{seed}:{size}:publications", min(size, MAX_CO_AUTHORS - 1))
    yield from _resolutions(f"{seed}:{size}:resolutions", size)
    if size > 2:
        yield from _growth(f"{seed}:{size}:growth", size)


def _decisions(seed: str, size: int) -> Iterator[Sample]:
    stage = _begun(seed)
    stage.crowd(min(size, MAX_CO_AUTHORS - 1))
    denied, split, undecided, cancelled, signed = (stage.submit(stage.outsider) for _ in range(5))
    seats = stage.crowd(size)
    outsider, first = stage.outsider, seats[0]
    yield "post_message", stage.send(stage.post_instruction(seats[-1], 1_000), seats[-1])
    before = _vote(stage, undecided, seats[:0:-1])
    if before is not None:
        yield "cast_vote, undecided", before
    yield "resolve, nothing to decide", stage.send(stage.resolve_instruction(undecided))
    _vote(stage, denied, seats[:0:-1], approve=False)
    yield "cast_vote, denies", stage.vote(first, denied, approve=False)
    yield "claim, by anybody", stage.send(stage.claim_instruction(first, denied))
    if size > 1:
        second = stage.claim_instruction(seats[1], denied, signs=True)
        yield "claim, signed by the payee", stage.send(second, seats[1])
        _vote(stage, split, seats[:0:-1])
        yield "cast_vote, splits", stage.vote(first, split, approve=False)
    stage.chain.put_token_account(stage.vault, stage.program.thread(stage.thread_id), 10**9)
    yield "sweep", stage.send(stage.sweep_instruction())
    yield "cancel", stage.send(stage.cancel_instruction(outsider, cancelled), outsider)
    yield "refund, by anybody", stage.send(stage.refund_instruction(outsider, cancelled))
    stage.must(stage.cancel_instruction(outsider, signed), outsider)
    yield "refund, signed by the payee", stage.send(stage.refund_instruction(outsider, signed, signs=True), outsider)
    yield "divest", stage.send(stage.divest_instruction(first), first)
    stage.chain.advance(WINDOW)
    yield "expire", stage.send(stage.expire_instruction(undecided))


def _publications(seed: str, size: int) -> Iterator[Sample]:
    stage = _begun(seed)
    seats = stage.crowd(size)
    published = stage.submit(stage.outsider)
    other = stage.chain.wallet()
    yield "submit_message", stage.send(stage.submit_instruction(other, 1_000), other)
    _vote(stage, published, seats[:0:-1])
    yield "cast_vote, publishes and seats the author", stage.vote(seats[0], published)


def _resolutions(seed: str, size: int) -> Iterator[Sample]:
    """One leaves who has not voted; of 64, all vote and nobody can be seated until one leaves."""
    stage = _begun(seed)
    full = size == MAX_CO_AUTHORS
    stage.crowd(size - full)
    waiting = stage.submit(stage.outsider)
    seats = stage.crowd(size + (not full))
    _vote(stage, waiting, seats[::-1] if full else seats[:0:-1])
    if full:
        yield "resolve, all approve and no seat is free", stage.send(stage.resolve_instruction(waiting))
    stage.must(stage.divest_instruction(seats[0]), seats[0])
    yield "resolve, publishes and seats the author", stage.send(stage.resolve_instruction(waiting))


def _growth(seed: str, size: int) -> Iterator[Sample]:
    stage = _begun(seed)
    stage.crowd(1)
    grown = stage.submit(stage.outsider)
    last = _vote(stage, grown, stage.crowd(size)[:0:-1])
    assert last is not None
    yield "cast_vote, undecided, beyond the room", last


def _begun(seed: str) -> Stage:
    """A thread that owns something."""
    stage = Stage(Harness(new_keypair=keys(seed)))
    stage.join()
    return stage


def _vote(stage: Stage, content_hash: str, voters: list[Wallet], *, approve: bool = True) -> Result | None:
    result = None
    for voter in voters:
        result = stage.vote(voter, content_hash, approve)
    return result
