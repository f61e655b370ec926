"""What is measured for the table of lamports: accounts as they are made and grow, and what each payer pays for that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from solders.instruction import Instruction
from solders.rent import Rent

from bench.unit_cases import keys
from programs import instructions
from programs.interface import MAX_CO_AUTHORS
from tests.program.harness import WINDOW, Harness, Wallet
from tests.program.stage import Stage

SIGNATURE = 5_000  # lamports


@dataclass
class Costs:
    """By name: bytes and lamports of accounts, and what payers paid beside the fee."""

    accounts: dict[str, tuple[int, int]] = field(default_factory=dict)
    payments: dict[str, int] = field(default_factory=dict)


def measure(rent: Rent) -> Costs:
    """Everything, on a chain with this rent."""
    costs = Costs()
    _administration(costs, rent)
    _growth(costs, rent)
    _endings(costs, rent)
    return costs


def _administration(costs: Costs, rent: Rent) -> None:
    chain = Harness(initialise=False, new_keypair=keys("rent: administration"))
    chain.svm.set_rent(rent)
    payer, admin, program = chain.wallet(), chain.admin, chain.program

    def pay(name: str, instruction: Instruction, *signers: Wallet) -> None:
        keypairs = [payer, *signers, *([chain.program_keypair] if name == "initialize" else [])]
        before = _lamports(chain, payer)
        assert chain.send(instruction, *keypairs).ok
        costs.payments[name] = before - _lamports(chain, payer) - SIGNATURE * len(keypairs)

    setup = instructions.initialize(
        program, payer=payer.key, admin=admin.key, mint=chain.mint, minimum_stake=1_000, approval_window=WINDOW
    )
    pay("initialize", setup, admin)
    costs.accounts["`Protocol`"] = _size(chain, program.protocol())
    costs.accounts["treasury"] = _size(chain, program.treasury())
    change = instructions.configure(
        program, admin=admin.key, new_admin=admin.key, minimum_stake=2_000, approval_window=WINDOW
    )
    pay("configure", change, admin)
    chain.put_token_account(program.treasury(), program.protocol(), 10)
    withdrawal = instructions.withdraw_treasury(program, admin=admin.key, destination=admin.tokens, amount=10)
    pay("withdraw_treasury", withdrawal, admin)


def _growth(costs: Costs, rent: Rent) -> None:
    """A thread from its first co-author to its 64th, and a message of each size."""
    stage = _stage("rent: growth", rent)
    chain, seats = stage.chain, [stage.creator]
    create = stage.create_instruction(nonce=1)
    costs.payments["create_thread"] = _paid(stage, lambda: stage.must(create, stage.creator), 2)
    costs.accounts["vault"] = _size(chain, stage.vault)
    posts: list[str] = []
    costs.payments["post_message"] = _paid(stage, lambda: posts.append(stage.post(stage.creator)), 2)
    costs.accounts["`Message`, posted"] = _size(chain, _message(stage, posts[0]))
    pending: list[str] = []
    for size in range(1, MAX_CO_AUTHORS + 1):
        named = f"{size} co-author{'s' * (size > 1)}"
        if size in (1, 8, MAX_CO_AUTHORS):
            costs.accounts[f"`Thread`, {named}"] = _size(chain, stage.program.thread(stage.thread_id))
        if size == MAX_CO_AUTHORS:
            break
        if size in (1, 8, MAX_CO_AUTHORS - 1):
            paid = _paid(stage, lambda: pending.append(stage.submit(stage.outsider)), 2)
            costs.payments[f"submit_message to {named}"] = paid
            costs.accounts[f"`Message`, pending before {named}"] = _size(chain, _message(stage, pending[-1]))
        joining = chain.wallet()
        approved = stage.submit(joining)
        for voter in seats[1:]:
            stage.vote(voter, approved)
        paid = _paid(stage, lambda voted=approved: stage.vote(stage.creator, voted), 2)
        if size in (1, MAX_CO_AUTHORS - 1):
            costs.payments[f"cast_vote that seats number {size + 1}"] = paid
        seats.append(joining)
    costs.accounts["`Message`, published with 63 votes"] = _size(chain, _message(stage, approved))
    for voter in seats[1:]:
        stage.vote(voter, pending[-1], approve=False)
    paid = _paid(stage, lambda: stage.vote(stage.creator, pending[-1], approve=False), 2)
    costs.payments["cast_vote beyond the room"] = paid
    costs.accounts["`Message`, denied with 64 votes"] = _size(chain, _message(stage, pending[-1]))


def _endings(costs: Costs, rent: Rent) -> None:
    """What takes no room: nobody pays more than the fee."""
    stage = _stage("rent: endings", rent)
    creator, outsider, second = stage.creator, stage.outsider, stage.join()
    denied, resolved, cancelled, expired = (stage.submit(outsider) for _ in range(4))

    def pay(name: str, instruction: Instruction, *signers: Wallet) -> None:
        costs.payments[name] = _paid(stage, lambda: stage.must(instruction, *signers), 1 + len(signers))

    pay("cast_vote in the room", stage.vote_instruction(creator, denied, approve=False), creator)
    stage.vote(second, denied, approve=False)
    pay("claim", stage.claim_instruction(second, denied))
    pay("cancel", stage.cancel_instruction(outsider, cancelled), outsider)
    pay("refund", stage.refund_instruction(outsider, cancelled))
    stage.vote(creator, resolved)
    pay("divest", stage.divest_instruction(second), second)
    pay("resolve that seats the author in room left behind", stage.resolve_instruction(resolved))
    pay("sweep", stage.sweep_instruction())
    stage.chain.advance(WINDOW)
    pay("expire", stage.expire_instruction(expired))


def _stage(seed: str, rent: Rent) -> Stage:
    chain = Harness(initialise=False, new_keypair=keys(seed))
    chain.svm.set_rent(rent)
    setup = instructions.initialize(
        chain.program,
        payer=chain.admin.key,
        admin=chain.admin.key,
        mint=chain.mint,
        minimum_stake=1_000,
        approval_window=WINDOW,
    )
    assert chain.send(setup, chain.admin, chain.program_keypair).ok
    return Stage(chain)


def _paid(stage: Stage, act: Callable[[], object], signatures: int) -> int:
    before = _lamports(stage.chain, stage.sponsor)
    act()
    return before - _lamports(stage.chain, stage.sponsor) - SIGNATURE * signatures


def _lamports(chain: Harness, wallet: Wallet) -> int:
    account = chain.account(wallet.key)
    return account.lamports if account else 0


def _size(chain: Harness, address: str) -> tuple[int, int]:
    account = chain.account(address)
    assert account is not None
    return len(account.data), account.lamports


def _message(stage: Stage, content_hash: str) -> str:
    return stage.program.message(stage.program.thread(stage.thread_id), content_hash)
