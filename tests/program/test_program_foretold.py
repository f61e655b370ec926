"""What is told before a wallet signs is what the compiled program says: any wallet, message and state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from solders.instruction import Instruction
from solders.message import Message
from solders.transaction import Transaction

from chorale.domain.program_errors import ProgramError
from chorale.update import rules
from tests.program.harness import MINIMUM_STAKE, WINDOW, Wallet, _custom_code, _json
from tests.program.stage import STAKE, Stage

Case = tuple[str, ProgramError | None, Instruction, Wallet]


class Crowd:
    """A thread with messages in every state, and wallets in every part."""

    def __init__(self) -> None:
        self.stage = stage = Stage()
        ana, ben = stage.creator, stage.join()
        eve, dan = stage.chain.wallet(), stage.chain.wallet()
        self.wallets = (ana, ben, eve, dan, stage.outsider)
        old = stage.submit(eve)
        lapsed = stage.submit(eve)
        stage.vote(ana, lapsed)
        stage.chain.advance(WINDOW)
        stage.must(stage.expire_instruction(lapsed))
        refunded = stage.submit(eve)
        stage.must(stage.cancel_instruction(eve, refunded), eve)
        stage.must(stage.refund_instruction(eve, refunded))
        cancelled, fresh, half, denied, claimed, split, tiny = (stage.submit(eve) for _ in range(7))
        stage.must(stage.cancel_instruction(eve, cancelled), eve)
        stage.vote(ana, half)
        for content_hash in (denied, claimed):
            stage.vote(ana, content_hash, False)
            stage.vote(ben, content_hash, False)
        stage.must(stage.claim_instruction(ana, claimed))
        stage.vote(ana, split)
        stage.vote(ben, split, False)
        posted = stage.post(ana)
        published = stage.submit(dan)
        stage.vote(ana, published)
        stage.vote(ben, published)
        cat = stage.join(ana, ben, dan)
        waiting, refused = stage.submit(eve), stage.submit(eve)
        for voter in (ana, ben, dan):
            stage.vote(voter, waiting)
            stage.vote(voter, refused, False)
        stage.must(stage.divest_instruction(cat), cat)
        self.wallets += (cat,)
        self.messages = (
            old, lapsed, refunded, cancelled, fresh, half, denied, claimed, split, tiny, posted, published,
            waiting, refused,
        )  # fmt: skip

    def cases(self) -> Iterator[Case]:
        """Every instruction by every wallet on every message."""
        stage = self.stage
        thread, now = stage.thread, stage.chain.now
        minimum = stage.chain.protocol().minimum_stake
        for wallet in self.wallets:
            yield "post", rules.post_error(thread, wallet.key), stage.post_instruction(wallet, 900), wallet
            for stake in (MINIMUM_STAKE - 1, STAKE):
                told = rules.submission_error(thread, wallet.key, stake, minimum)
                yield "submit", told, stage.submit_instruction(wallet, 901, stake=stake), wallet
            for least in (0, rules.share_of(thread), rules.share_of(thread) + 1):
                told = rules.divestment_error(thread, wallet.key, least)
                yield "divest", told, stage.divest_instruction(wallet, least), wallet
            for content_hash in self.messages:
                message = stage.message(content_hash)
                told = rules.vote_error(message, thread, wallet.key, now)
                yield "vote", told, stage.vote_instruction(wallet, content_hash), wallet
                told = rules.cancellation_error(message, wallet.key, now)
                yield "cancel", told, stage.cancel_instruction(wallet, content_hash), wallet
                yield (
                    "claim",
                    rules.claim_error(message, wallet.key),
                    stage.claim_instruction(wallet, content_hash),
                    wallet,
                )
                told = rules.refund_error(message, wallet.key)
                yield "refund", told, stage.refund_instruction(wallet, content_hash), wallet
                yield "expire", rules.expiry_error(message, now), stage.expire_instruction(content_hash), wallet
                yield "resolve", rules.open_error(message, now), stage.resolve_instruction(content_hash), wallet
        due = rules.due_to_treasury(thread, stage.chain.balance(stage.vault))
        yield "sweep", None if due else ProgramError.NOTHING_OWED, stage.sweep_instruction(), stage.sponsor

    def simulated(self, instruction: Instruction, wallet: Wallet) -> tuple[int | None, bool]:
        """Code of the refusal, and whether the thread would change."""
        svm, sponsor = self.stage.chain.svm, self.stage.sponsor
        keypairs = [sponsor.keypair] if wallet == sponsor else [sponsor.keypair, wallet.keypair]
        signing = {meta.pubkey for meta in instruction.accounts if meta.is_signer}
        keypairs = keypairs[:1] + [keypair for keypair in keypairs[1:] if keypair.pubkey() in signing]
        svm.expire_blockhash()  # some of these were sent before
        message = Message.new_with_blockhash([instruction], sponsor.keypair.pubkey(), svm.latest_blockhash())
        answer = svm.simulate_transaction(Transaction(keypairs, message, svm.latest_blockhash()))
        if hasattr(answer, "err"):
            code = _custom_code(_json(answer.err()))
            assert code is not None, answer.err()
            return code, False
        address = self.stage.program.thread(self.stage.thread_id)
        after = {str(key): account.data for key, account in answer.post_accounts()}
        return None, after[address] != self.stage.chain.data(address)


@pytest.mark.parametrize("later", [0, WINDOW])
def test_the_program_says_what_was_told(later: int) -> None:
    """The same error or none, before and after the windows have passed; every error of the rules occurs."""
    crowd = Crowd()
    crowd.stage.chain.advance(later)
    told: Counter[tuple[str, ProgramError | None]] = Counter()
    for name, expected, instruction, wallet in crowd.cases():
        code, _ = crowd.simulated(instruction, wallet)
        assert code == (None if expected is None else expected.value), (name, expected, code)
        told[name, expected] += 1
    met = {error for _, error in told}
    timely = {ProgramError.HAS_VOTES, ProgramError.ALREADY_VOTED, ProgramError.WINDOW_CLOSED}
    usual = {
        None, ProgramError.UNAUTHORIZED, ProgramError.NOT_A_CO_AUTHOR, ProgramError.ALREADY_A_CO_AUTHOR,
        ProgramError.STAKE_TOO_LOW, ProgramError.OWN_MESSAGE, ProgramError.NOT_PENDING, ProgramError.NOTHING_OWED,
        ProgramError.NOT_A_DENIER, ProgramError.ALREADY_CLAIMED, ProgramError.PAYOUT_TOO_LOW,
    }  # fmt: skip
    assert met >= usual | ({ProgramError.WINDOW_CLOSED} if later else timely | {ProgramError.WINDOW_OPEN})


def test_an_evaluation_decides_just_what_was_told() -> None:
    """The thread changes exactly where an open message's votes decide it."""
    crowd = Crowd()
    stage = crowd.stage
    decided = []
    for content_hash in crowd.messages:
        message = stage.message(content_hash)
        if rules.open_error(message, stage.chain.now) is None:
            told = rules.is_decided_by(message, stage.thread)
            code, changes = crowd.simulated(stage.resolve_instruction(content_hash), stage.sponsor)
            assert (code, changes) == (None, told)
            decided.append(told)
    assert (decided.count(True), len(decided) > 2) == (2, True)


def test_a_full_thread_and_an_empty_one_are_told_apart() -> None:
    """64 co-authors: nobody can be seated, so an approved message waits, and one more submission is refused."""
    stage = Stage()
    eve = stage.outsider
    pending = stage.submit(eve)
    crowd = stage.crowd(64)
    for voter in crowd:
        stage.vote(voter, pending)
    thread, message = stage.thread, stage.message(pending)
    assert not rules.is_decided_by(message, thread)
    dan = stage.chain.wallet()
    assert rules.submission_error(thread, dan.key, STAKE, 1) is ProgramError.THREAD_FULL
    stage.refused(ProgramError.THREAD_FULL, stage.submit_instruction(dan, 7), dan)
    stage.must(stage.resolve_instruction(pending))
    assert stage.message(pending) == message
    stage.must(stage.divest_instruction(crowd[-1]), crowd[-1])
    assert rules.is_decided_by(message, stage.thread)
    stage.must(stage.resolve_instruction(pending))
    assert stage.thread.has_co_author(eve.key)
