"""Compute units of every instruction, as a Markdown table: python -m bench.compute_units [--write | --check]

Executes the compiled program in LiteSVM. Keys come from fixed seeds, so the numbers are the same on every machine;
they differ between sets of keys because the runtime charges 1,500 units for each try of an address search.
`--check` fails where docs/compute-units.md is not what a run makes.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from statistics import median_low

from solders.keypair import Keypair

from programs import instructions
from tests.program.harness import Harness, Result
from tests.program.stage import Stage

TABLE = Path(__file__).resolve().parents[1] / "docs" / "compute-units.md"
SETS_OF_KEYS = 15

COMMON = dict.fromkeys(
    (
        "create_thread",
        "post_message",
        "submit_message",
        "cast_vote, undecided",
        "cast_vote, publishes and seats the author",
        "cast_vote, denies",
        "cast_vote, beyond the room",
        "resolve, nothing to decide",
        "resolve, publishes and seats the author",
        "expire",
        "cancel",
        "refund, by anybody",
        "refund, signed by the payee",
        "claim, by anybody",
        "divest",
        "sweep",
        "initialize",
        "configure",
        "withdraw_treasury",
    ),
    30_000,
)
WORST = dict.fromkeys(
    (
        "cast_vote, the last of 64, denies",
        "cast_vote, the last of 63, publishes",
        "resolve, 64 votes, publishes",
        "claim, the last of 64",
        "divest, the first of 64",
    ),
    150_000,
)

Sample = tuple[str, Result]


def keys(seed: str) -> Callable[[], Keypair]:
    """An endless supply of keypairs, the same for the same seed."""
    numbers = iter(range(1_000_000))
    return lambda: Keypair.from_seed(sha256(f"{seed}:{next(numbers)}".encode()).digest())


def admin_samples(seed: str) -> Iterator[Sample]:
    """The admin's instructions."""
    chain = Harness(initialise=False, new_keypair=keys(seed))
    admin = chain.admin
    setup = instructions.initialize(
        chain.program, payer=admin.key, admin=admin.key, mint=chain.mint, minimum_stake=1_000, approval_window=604_800
    )
    yield "initialize", chain.send(setup, admin, chain.program_keypair)
    change = instructions.configure(
        chain.program, admin=admin.key, new_admin=admin.key, minimum_stake=2_000, approval_window=604_800
    )
    yield "configure", chain.send(change, admin)
    chain.put_token_account(chain.program.treasury(), chain.program.protocol(), 10)
    withdrawal = instructions.withdraw_treasury(chain.program, admin=admin.key, destination=admin.tokens, amount=10)
    yield "withdraw_treasury", chain.send(withdrawal, admin)


def thread_samples(seed: str) -> Iterator[Sample]:
    """Everything that an ordinary thread sees, with two or three co-authors."""
    stage = Stage(Harness(new_keypair=keys(seed)))
    creator, outsider = stage.creator, stage.outsider
    yield "create_thread", stage.must(stage.create_instruction(nonce=1), creator)
    yield "post_message", stage.must(stage.post_instruction(creator, 1_000), creator)
    yield "submit_message", stage.must(stage.submit_instruction(outsider, 1_000), outsider)
    second = stage.chain.wallet()
    joining, grown = stage.submit(second), stage.submit(stage.chain.wallet())
    yield "cast_vote, publishes and seats the author", stage.vote(creator, joining)
    stage.vote(creator, grown)
    yield "cast_vote, beyond the room", stage.vote(second, grown)
    yield from decision_samples(f"{seed}:decisions")


def decision_samples(seed: str) -> Iterator[Sample]:
    """Decisions and payouts of a thread with two co-authors."""
    stage = Stage(Harness(new_keypair=keys(seed)))
    creator, outsider = stage.creator, stage.outsider
    second = stage.join()
    denied, resolved, cancelled, signed, expired, split = (stage.submit(outsider) for _ in range(6))
    yield "cast_vote, undecided", stage.vote(creator, denied, approve=False)
    yield "resolve, nothing to decide", stage.must(stage.resolve_instruction(denied))
    yield "cast_vote, denies", stage.vote(second, denied, approve=False)
    yield "claim, by anybody", stage.must(stage.claim_instruction(second, denied))
    yield "cancel", stage.must(stage.cancel_instruction(outsider, cancelled), outsider)
    yield "refund, by anybody", stage.must(stage.refund_instruction(outsider, cancelled))
    stage.must(stage.cancel_instruction(outsider, signed), outsider)
    refund = stage.refund_instruction(outsider, signed, signs=True)
    yield "refund, signed by the payee", stage.must(refund, outsider)
    stage.vote(creator, split)
    stage.vote(second, split, approve=False)
    yield "sweep", stage.must(stage.sweep_instruction())
    stage.vote(creator, resolved)
    yield "divest", stage.must(stage.divest_instruction(second), second)
    yield "resolve, publishes and seats the author", stage.must(stage.resolve_instruction(resolved))
    stage.chain.advance(604_800)
    yield "expire", stage.must(stage.expire_instruction(expired))


def crowded_samples(seed: str) -> Iterator[Sample]:
    """64 co-authors and 64 votes, each vote beyond the room that the message was made with."""
    stage = Stage(Harness(new_keypair=keys(seed)))
    denied, waiting = stage.submit(stage.outsider), stage.submit(stage.outsider)
    wallets = stage.crowd(64)
    for voter in reversed(wallets):
        last = stage.vote(voter, denied, approve=False)
        stage.vote(voter, waiting)
    yield "cast_vote, the last of 64, denies", last
    yield "claim, the last of 64", stage.must(stage.claim_instruction(wallets[0], denied))
    yield "divest, the first of 64", stage.must(stage.divest_instruction(wallets[0]), wallets[0])
    yield "resolve, 64 votes, publishes", stage.must(stage.resolve_instruction(waiting))

    stage = Stage(Harness(new_keypair=keys(f"{seed}:63")))
    published = stage.submit(stage.outsider)
    for voter in reversed(stage.crowd(63)):
        last = stage.vote(voter, published)
    yield "cast_vote, the last of 63, publishes", last


def samples(sets: int) -> dict[str, list[int]]:
    """Units of every case, once per set of keys."""
    units: dict[str, list[int]] = defaultdict(list)
    for number in range(sets):
        seed = f"compute units {number}"
        sources = [admin_samples(seed), thread_samples(seed)]
        if number % 5 == 0:
            sources.append(crowded_samples(seed))
        for source in sources:
            for case, result in source:
                if not result.ok:
                    raise RuntimeError(f"{case}: {result.error}\n" + "\n".join(result.logs))
                units[case].append(result.units)
    return units


def measure(sets: int = 3) -> dict[str, int]:
    """The most that each case cost."""
    return {case: max(costs) for case, costs in samples(sets).items()}


def table() -> str:
    """The document."""
    units = samples(SETS_OF_KEYS)
    lines = [
        "# Compute units",
        "",
        f"Made by `python -m bench.compute_units --write`: the compiled program in LiteSVM, {SETS_OF_KEYS} fixed sets",
        "of keys. Sets differ because finding an address costs 1,500 units per try, and every second try fails.",
        "",
        "| instruction, case | median | highest | aim |",
        "| --- | ---: | ---: | ---: |",
    ]
    for case, aim in (COMMON | WORST).items():
        costs = units[case]
        lines.append(f"| {case} | {median_low(costs):,} | {max(costs):,} | < {aim:,} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Prints, writes or checks the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"write {TABLE.name}")
    parser.add_argument("--check", action="store_true", help=f"fail where {TABLE.name} differs")
    options = parser.parse_args()
    text = table()
    if options.check:
        if not TABLE.exists() or TABLE.read_text() != text:
            print(f"docs/{TABLE.name} is out of date: run python -m bench.compute_units --write", file=sys.stderr)
            return 1
        return 0
    if options.write:
        TABLE.write_text(text)
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
