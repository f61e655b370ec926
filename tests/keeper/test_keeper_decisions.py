"""What the keeper holds for due is what the compiled program takes, and nothing else is, whatever happened before."""

from __future__ import annotations

from itertools import count

from hypothesis import event, given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from chorale.domain.accounts import MessageAccount
from chorale.domain.approval import MessageStatus
from chorale.domain.chain import AccountData
from chorale.keeping.duties import Due, Duty, may_be_decided, message_due, thread_due
from chorale.keeping.payment import fee_of, unsigned
from datasources.solana.signer import FileSigner
from programs import identity, scans
from programs.accounts import AccountMalformed
from programs.addresses import SYSTEM_PROGRAM, TOKEN_PROGRAM
from programs.scans import escrow_in, pending_head, thread_dues
from programs.token_accounts import Payability, payability
from tests.program.harness import WINDOW, Harness
from tests.program.stage import STAKE, Stage, body_hash

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["vote"] * 9 + ["submit", "submit", "divest", "divest", "cancel", "resolve", "later", "keep"]),
        st.integers(0, 4),
        st.integers(0, 2),
        st.booleans(),
    ),
    max_size=30,
)


class Play:
    """A thread of the first three of five wallets, with a message by the fourth; what is refused is passed over."""

    def __init__(self) -> None:
        self.stage = Stage(Harness(approval_window=WINDOW))
        seated = [self.stage.creator]
        for _ in range(2):
            seated.append(self.stage.join(*seated))
        self.wallets = [*seated, *(self.stage.chain.wallet() for _ in range(2))]
        self.hashes: list[str] = []
        self.nonces = count(100)
        self.signer = FileSigner(self.stage.sponsor.keypair)
        self.try_step("submit", 3, 0, True)

    def try_step(self, step: str, who: int, which: int, flag: bool) -> None:
        """One step."""
        stage, wallet = self.stage, self.wallets[who]
        if step == "submit":
            nonce = next(self.nonces)
            if stage.send(stage.submit_instruction(wallet, nonce, stake=STAKE + nonce), wallet).ok:
                self.hashes.append(identity.content_hash(stage.thread_id, wallet.key, nonce, body_hash(nonce)))
        elif step == "later":
            stage.chain.advance(WINDOW // 2)
        elif step == "divest":
            stage.send(stage.divest_instruction(wallet), wallet)
        elif self.hashes:
            content_hash = self.hashes[which % len(self.hashes)]
            if step == "vote":
                stage.send(stage.vote_instruction(wallet, content_hash, flag), wallet)
            elif step == "cancel":
                stage.send(stage.cancel_instruction(wallet, content_hash), wallet)
            elif step == "resolve":
                stage.send(stage.resolve_instruction(content_hash))
            elif (due := self.due(content_hash)) is not None:
                assert self.send(due)

    def message(self, content_hash: str) -> MessageAccount:
        """A message as it is."""
        return self.stage.message(content_hash)

    def due(self, content_hash: str) -> Due | None:
        """What is held for due."""
        return message_due(self.message(content_hash), self.stage.thread, self.stage.chain.now)

    def send(self, due: Due) -> bool:
        """Whether the program takes the keeper's own transaction for it, and something changes."""
        svm, thread = self.stage.chain.svm, self.stage.program.thread(self.stage.thread_id)
        svm.expire_blockhash()
        transaction = unsigned(
            due,
            addresses=self.stage.program,
            mint=self.stage.chain.mint,
            payer=self.signer.address,
            blockhash=str(svm.latest_blockhash()),
            price=7,
        )
        before = self.stage.chain.data(thread)
        answer = svm.send_transaction(VersionedTransaction.from_bytes(self.signer.sign(transaction)))
        return not hasattr(answer, "err") and self.stage.chain.data(thread) != before


@settings(max_examples=50, deadline=None)
@given(STEPS, st.integers(0, 2))
def test_due_is_what_the_program_takes(steps: list[tuple[str, int, int, bool]], windows: int) -> None:
    play = Play()
    for step in steps:
        play.try_step(*step)
    play.stage.chain.advance(windows * WINDOW // 2)
    for content_hash in play.hashes:
        message, due = play.message(content_hash), play.due(content_hash)
        for duty in (Duty.EXPIRE, Duty.RESOLVE, Duty.REFUND):
            if due is None or due.duty is not duty:
                assert not play.send(Due(duty, message.address, message.thread, message.author)), duty
        event(f"due: {due.duty.value if due else message.status.value}")
        if due is not None:
            if due.duty is Duty.RESOLVE:
                assert may_be_decided(len(message.votes), len(play.stage.thread.co_authors))
            assert due.amount == (message.escrow_remaining if due.duty is Duty.REFUND else 0)
            assert play.send(due)
    thread = play.stage.thread
    sweep = thread_due(thread.address, thread.treasury_due, 1)
    assert (sweep is not None) == play.send(Due(Duty.SWEEP, thread.address, thread.address))
    if sweep is not None:
        assert sweep.amount == thread.treasury_due


@settings(max_examples=15, deadline=None)
@given(STEPS)
def test_slices_say_what_whole_accounts_say(steps: list[tuple[str, int, int, bool]]) -> None:
    """The bytes that a look asks for decode to the same values, and hold what its filters name."""
    play = Play()
    for step in steps:
        play.try_step(*step)
    program, chain = play.stage.program, play.stage.chain
    address = program.thread(play.stage.thread_id)
    thread, data = play.stage.thread, chain.data(address)
    dues = thread_dues(address, _part(data, scans.DUES_PART))
    assert dues == (address, thread.treasury_due, thread.pending_count, thread.sequence)
    for content_hash in play.hashes:
        message = play.message(content_hash)
        data = chain.data(message.address)
        head = pending_head(message.address, _part(data, scans.PENDING_PART))
        assert head == (message.address, message.thread, message.expires_at, len(message.votes))
        assert escrow_in(message.address, _part(data, scans.ESCROW_PART)) == message.escrow_remaining
        for status in scans.StatusByte:
            holds = all(_holds(data, *each, size) for each, size in zip(scans.with_status(status), (9, 1), strict=True))
            assert holds == (status.status is message.status)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**63))
def test_a_sweep_is_worth_its_minimum(owed: int, minimum: int) -> None:
    due = thread_due("1" * 32, owed, minimum)
    assert (due is not None) == (owed > 0 and owed >= minimum)


@given(st.integers(0, 10**7))
def test_the_fee_rounds_up(price: int) -> None:
    for duty in Duty:
        fee = fee_of(duty, price)
        assert fee >= 5_000
        assert (fee == 5_000) == (price == 0)


def test_where_a_stake_can_be_paid() -> None:
    """The associated account must be there, initialised for this mint and owner, and not frozen."""
    chain = Harness()
    wallet, other = chain.wallet(), chain.wallet()

    def found(address: str) -> Payability:
        account = AccountData(address, TOKEN_PROGRAM, 1, chain.data(address))
        return payability(account, wallet.key, chain.mint)

    assert found(wallet.tokens) is Payability.PAYABLE
    assert payability(None, wallet.key, chain.mint) is Payability.MISSING
    assert payability(AccountData(wallet.tokens, SYSTEM_PROGRAM, 1, b""), wallet.key, chain.mint) is Payability.MISSING
    assert payability(AccountData(wallet.tokens, TOKEN_PROGRAM, 1, b""), wallet.key, chain.mint) is Payability.FOREIGN
    assert found(other.tokens) is Payability.FOREIGN
    chain.put_token_account(wallet.tokens, wallet.key, 1, mint=chain.make_mint())
    assert found(wallet.tokens) is Payability.FOREIGN
    chain.put_token_account(wallet.tokens, wallet.key, 1, frozen=True)
    assert found(wallet.tokens) is Payability.FROZEN


def test_a_slice_that_is_cut_is_refused() -> None:
    for decode, part in (
        (pending_head, scans.PENDING_PART),
        (thread_dues, scans.DUES_PART),
        (escrow_in, scans.ESCROW_PART),
    ):
        for size in (0, part[1] - 1, part[1] + 1):
            try:
                decode("1" * 32, bytes(size))
            except AccountMalformed:
                continue
            raise AssertionError((decode, size))


def test_the_program_still_decides_what_is_pending() -> None:
    """A message is due for nothing while its window is open and a vote is missing."""
    play = Play()
    assert play.message(play.hashes[0]).status is MessageStatus.PENDING
    assert play.due(play.hashes[0]) is None


def _part(data: bytes, part: tuple[int, int]) -> bytes:
    return data[part[0] : part[0] + part[1]]


def _holds(data: bytes, offset: int, text: str, size: int) -> bool:
    padded = bytes(Pubkey.from_string("1" * (32 - size) + text))  # in base58 a leading "1" is a zero byte
    return data[offset : offset + size] == padded[32 - size :]
