"""The compiled program and the plain model take the same steps, refuse the same ones, and end with equal balances."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from solders.instruction import Instruction

from chorale.domain.program_errors import ProgramError
from programs import identity, merkle
from tests.program.harness import START, TOKENS, Harness, Wallet
from tests.program.model import Model
from tests.program.stage import Stage, body_hash

WALLETS = 5
WINDOW = 3_600
MINIMUM_STAKE = 2

wallets = st.integers(0, WALLETS - 1)
picks = st.integers(0, 1_000)
likely_open = st.sampled_from([0, 1, WINDOW // 3, WINDOW])


class ProgramBesideModel(RuleBasedStateMachine):
    """Steps on one thread by five wallets, the creator first. A pick chooses among the messages that there are."""

    @initialize()
    def begin(self) -> None:
        """A fresh chain with the thread, and the model of it."""
        self.stage = Stage(Harness(minimum_stake=MINIMUM_STAKE, approval_window=WINDOW))
        self.wallets = [self.stage.creator, *(self.stage.chain.wallet() for _ in range(WALLETS - 1))]
        self.model = Model([TOKENS] * WALLETS, START, MINIMUM_STAKE, WINDOW)
        self.hashes: list[str] = []
        self.supply = self.total()

    @rule(author=wallets)
    def post(self, author: int) -> None:
        """post_message."""
        nonce, wallet = len(self.hashes), self.wallets[author]
        if self.step(self.stage.post_instruction(wallet, nonce), self.model.post(author), wallet):
            self.hashes.append(self.content_hash(wallet, nonce))

    @rule(author=wallets, stake=st.integers(1, 9))
    def submit(self, author: int, stake: int) -> None:
        """submit_message."""
        nonce, wallet = len(self.hashes), self.wallets[author]
        instruction = self.stage.submit_instruction(wallet, nonce, stake=stake)
        if self.step(instruction, self.model.submit(author, stake), wallet):
            self.hashes.append(self.content_hash(wallet, nonce))

    @precondition(lambda self: self.hashes)
    @rule(voter=wallets, pick=picks, approve=st.booleans())
    def vote(self, voter: int, pick: int, approve: bool) -> None:
        """cast_vote by anybody on anything."""
        index, wallet = pick % len(self.hashes), self.wallets[voter]
        instruction = self.stage.vote_instruction(wallet, self.hashes[index], approve)
        self.step(instruction, self.model.vote(voter, index, approve), wallet)

    @precondition(lambda self: self.model.pending_count)
    @rule(pick=picks, approve=st.booleans())
    def vote_of_all(self, pick: int, approve: bool) -> None:
        """Everybody who is missing votes alike on one pending message: decisions are rare otherwise."""
        pending = [i for i, m in enumerate(self.model.messages) if m.status.value == "PENDING"]
        index = pending[pick % len(pending)]
        message = self.model.messages[index]
        for voter in [c for c in self.model.co_authors if c not in message.votes and c != message.author]:
            instruction = self.stage.vote_instruction(self.wallets[voter], self.hashes[index], approve)
            self.step(instruction, self.model.vote(voter, index, approve), self.wallets[voter])

    @precondition(lambda self: self.hashes)
    @rule(pick=picks)
    def resolve(self, pick: int) -> None:
        """resolve."""
        index = pick % len(self.hashes)
        self.step(self.stage.resolve_instruction(self.hashes[index]), self.model.resolve(index))

    @precondition(lambda self: self.hashes)
    @rule(pick=picks)
    def expire(self, pick: int) -> None:
        """expire."""
        index = pick % len(self.hashes)
        self.step(self.stage.expire_instruction(self.hashes[index]), self.model.expire(index))

    @precondition(lambda self: self.hashes)
    @rule(author=wallets, pick=picks)
    def cancel(self, author: int, pick: int) -> None:
        """cancel."""
        index, wallet = pick % len(self.hashes), self.wallets[author]
        self.step(self.stage.cancel_instruction(wallet, self.hashes[index]), self.model.cancel(author, index), wallet)

    @precondition(lambda self: self.hashes)
    @rule(payee=wallets, pick=picks)
    def refund(self, payee: int, pick: int) -> None:
        """refund."""
        index, wallet = pick % len(self.hashes), self.wallets[payee]
        self.step(self.stage.refund_instruction(wallet, self.hashes[index]), self.model.refund(payee, index))

    @precondition(lambda self: self.hashes)
    @rule(payee=wallets, pick=picks)
    def claim(self, payee: int, pick: int) -> None:
        """claim."""
        index, wallet = pick % len(self.hashes), self.wallets[payee]
        self.step(self.stage.claim_instruction(wallet, self.hashes[index]), self.model.claim(payee, index))

    @rule(co_author=wallets, min_payout=st.integers(0, 3))
    def divest(self, co_author: int, min_payout: int) -> None:
        """divest."""
        wallet = self.wallets[co_author]
        self.step(self.stage.divest_instruction(wallet, min_payout), self.model.divest(co_author, min_payout), wallet)

    @rule(amount=st.integers(1, 5))
    def deposit(self, amount: int) -> None:
        """Tokens appear in the vault unasked."""
        held = self.stage.chain.balance(self.stage.vault)
        self.stage.chain.put_token_account(
            self.stage.vault, self.stage.program.thread(self.stage.thread_id), held + amount
        )
        self.model.deposit(amount)
        self.supply += amount

    @rule()
    def sweep(self) -> None:
        """sweep."""
        self.step(self.stage.sweep_instruction(), self.model.sweep())

    @rule(seconds=likely_open)
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.stage.chain.advance(seconds)
        self.model.now += seconds

    @invariant()
    def thread_agrees(self) -> None:
        """Seats, totals, counters, versions and the root."""
        thread, model = self.stage.thread, self.model
        assert [c.key for c in thread.co_authors] == [self.wallets[c].key for c in model.co_authors]
        assert (thread.token_balance, thread.stakes_total) == (model.token_balance, model.stakes_total)
        assert (thread.escrow_total, thread.treasury_due) == (model.escrow_total, model.treasury_due)
        assert (thread.pending_count, thread.message_count) == (model.pending_count, len(model.messages))
        assert (thread.sequence, thread.activity_sequence) == (model.sequence, model.activity_sequence)
        assert thread.published_count == len(model.published)
        assert thread.content_root == merkle.root_of([self.hashes[i] for i in model.published])

    @invariant()
    def messages_agree(self) -> None:
        """Status, votes in order, and what is owed."""
        for content_hash, expected in zip(self.hashes, self.model.messages, strict=True):
            message = self.stage.message(content_hash)
            assert (message.status, message.share, message.escrow_remaining) == (
                expected.status,
                expected.share,
                expected.escrow,
            )
            assert [(v.voter, v.approve, v.claimed) for v in message.votes] == [
                (self.wallets[voter].key, approve, voter in expected.claimed)
                for voter, approve in expected.votes.items()
            ]
            assert message.sequence == expected.sequence

    @invariant()
    def tokens_agree(self) -> None:
        """Everybody's balance, and none made or lost."""
        chain = self.stage.chain
        assert [chain.balance(w.tokens) for w in self.wallets] == self.model.balances
        assert chain.balance(self.stage.vault) == self.model.vault
        assert chain.balance(self.stage.program.treasury()) == self.model.treasury
        assert self.total() == self.supply

    def total(self) -> int:
        """Tokens in all accounts of this test."""
        accounts = [*(w.tokens for w in self.wallets), self.stage.vault, self.stage.program.treasury()]
        return sum(map(self.stage.chain.balance, accounts))

    def step(self, instruction: Instruction, refusal: ProgramError | None, *signers: Wallet) -> bool:
        """The program has to do as the model did. Returns whether both went ahead."""
        if refusal is None:
            self.stage.must(instruction, *signers)
        else:
            self.stage.refused(refusal, instruction, *signers)
        return refusal is None

    def content_hash(self, author: Wallet, nonce: int) -> str:
        """Identity of the message that `author` makes with `nonce`."""
        return identity.content_hash(self.stage.thread_id, author.key, nonce, body_hash(nonce))


TestProgramBesideModel = ProgramBesideModel.TestCase
TestProgramBesideModel.settings = settings(
    max_examples=25,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
