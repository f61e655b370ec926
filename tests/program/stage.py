"""One thread on a harness, with the steps that its tests take, and the proof that a refusal changes nothing."""

from __future__ import annotations

from itertools import count

from solders.instruction import Instruction
from solders.keypair import Keypair

from chorale.domain.accounts import MessageAccount, ThreadAccount
from chorale.domain.program_errors import ProgramError
from programs import identity, instructions
from programs.accounts import THREAD_VECTOR
from programs.interface import INSTRUCTIONS
from programs.wire import key_bytes
from tests.program.altered import with_meta
from tests.program.harness import MINIMUM_STAKE, SOL, Harness, Result, Wallet

STAKE = MINIMUM_STAKE + 1
FAR_FUTURE = 2**62


class Stage:
    """A thread by `creator`, and an outsider. `sponsor` pays rent and fees, so wallets' balances stay comparable."""

    def __init__(self, chain: Harness | None = None) -> None:
        self.chain = chain or Harness()
        self.program = self.chain.program
        self.sponsor = self.chain.wallet(tokens=0, lamports=10_000 * SOL)
        self.creator = self.chain.wallet()
        self.outsider = self.chain.wallet()
        self.thread_id = identity.thread_id(self.creator.key, 0)
        self._nonces = count()
        self.must(self.create_instruction(), self.creator)

    @property
    def vault(self) -> str:
        """Address of the thread's vault."""
        return self.program.vault(self.program.thread(self.thread_id))

    @property
    def thread(self) -> ThreadAccount:
        """The thread as it is."""
        return self.chain.thread(self.thread_id)

    def message(self, content_hash: str) -> MessageAccount:
        """A message as it is."""
        return self.chain.message(self.thread_id, content_hash)

    def send(self, instruction: Instruction, *signers: Wallet | Keypair) -> Result:
        """Runs a transaction at the sponsor's cost."""
        return self.chain.send(instruction, self.sponsor, *signers)

    def must(self, instruction: Instruction, *signers: Wallet | Keypair) -> Result:
        """The same, and it has to succeed."""
        result = self.send(instruction, *signers)
        assert result.ok, (result.error, result.logs)
        return result

    def refused(self, error: ProgramError, instruction: Instruction, *signers: Wallet | Keypair) -> None:
        """Runs what the program has to refuse with `error`, leaving every account it names byte-identical."""
        before = self._comparable(instruction)
        result = self.send(instruction, *signers)
        assert result.code == error.value, (error, result.error, result.logs)
        assert self._comparable(instruction) == before

    def refused_without(self, role: str, instruction: Instruction, *signers: Wallet | Keypair) -> None:
        """The instruction with all of `signers` but the one in the place `role`: Unauthorized."""
        spec = next(s for s in INSTRUCTIONS.values() if s.discriminator == bytes(instruction.data)[:8])
        place = [r.name for r in spec.accounts].index(role)
        meta = instruction.accounts[place]
        present = [s for s in signers if (s.keypair if isinstance(s, Wallet) else s).pubkey() != meta.pubkey]
        assert len(present) < len(signers), f"{role} is no signer here"
        self.refused(ProgramError.UNAUTHORIZED, with_meta(instruction, place, is_signer=False), *present)

    def create_instruction(self, nonce: int = 0) -> Instruction:
        """create_thread by the creator."""
        return instructions.create_thread(
            self.program,
            payer=self.sponsor.key,
            creator=self.creator.key,
            mint=self.chain.mint,
            nonce=nonce,
            title_hash="11" * 32,
        )

    def post_instruction(self, author: Wallet, nonce: int) -> Instruction:
        """post_message."""
        return instructions.post_message(
            self.program,
            payer=self.sponsor.key,
            author=author.key,
            thread_id=self.thread_id,
            body_hash=body_hash(nonce),
            nonce=nonce,
        )

    def submit_instruction(
        self,
        author: Wallet,
        nonce: int,
        *,
        stake: int = STAKE,
        source: str | None = None,
        max_expires_at: int = FAR_FUTURE,
    ) -> Instruction:
        """submit_message."""
        return instructions.submit_message(
            self.program,
            payer=self.sponsor.key,
            author=author.key,
            source=source or author.tokens,
            thread_id=self.thread_id,
            body_hash=body_hash(nonce),
            nonce=nonce,
            stake=stake,
            max_expires_at=max_expires_at,
        )

    def vote_instruction(self, voter: Wallet, content_hash: str, approve: bool = True) -> Instruction:
        """cast_vote."""
        return instructions.cast_vote(
            self.program,
            payer=self.sponsor.key,
            voter=voter.key,
            thread_id=self.thread_id,
            content_hash=content_hash,
            approve=approve,
        )

    def resolve_instruction(self, content_hash: str) -> Instruction:
        """resolve."""
        return instructions.resolve(
            self.program, payer=self.sponsor.key, thread_id=self.thread_id, content_hash=content_hash
        )

    def expire_instruction(self, content_hash: str) -> Instruction:
        """expire."""
        return instructions.expire(self.program, thread_id=self.thread_id, content_hash=content_hash)

    def cancel_instruction(self, author: Wallet, content_hash: str) -> Instruction:
        """cancel."""
        return instructions.cancel(self.program, author=author.key, thread_id=self.thread_id, content_hash=content_hash)

    def refund_instruction(self, payee: Wallet, content_hash: str, to: str = "", signs: bool = False) -> Instruction:
        """refund into `to`, or into the associated account."""
        return instructions.refund(
            self.program,
            payee=payee.key,
            destination=to or payee.tokens,
            thread_id=self.thread_id,
            content_hash=content_hash,
            payee_signs=signs,
        )

    def claim_instruction(self, payee: Wallet, content_hash: str, to: str = "", signs: bool = False) -> Instruction:
        """claim into `to`, or into the associated account."""
        return instructions.claim(
            self.program,
            payee=payee.key,
            destination=to or payee.tokens,
            thread_id=self.thread_id,
            content_hash=content_hash,
            payee_signs=signs,
        )

    def divest_instruction(self, co_author: Wallet, min_payout: int = 0, to: str = "") -> Instruction:
        """divest."""
        return instructions.divest(
            self.program,
            co_author=co_author.key,
            destination=to or co_author.tokens,
            thread_id=self.thread_id,
            min_payout=min_payout,
        )

    def sweep_instruction(self) -> Instruction:
        """sweep."""
        return instructions.sweep(self.program, thread_id=self.thread_id)

    def submit(self, author: Wallet, stake: int = STAKE) -> str:
        """Submits a message. Returns its content hash."""
        nonce = next(self._nonces)
        self.must(self.submit_instruction(author, nonce, stake=stake), author)
        return identity.content_hash(self.thread_id, author.key, nonce, body_hash(nonce))

    def post(self, author: Wallet) -> str:
        """Posts a message. Returns its content hash."""
        nonce = next(self._nonces)
        self.must(self.post_instruction(author, nonce), author)
        return identity.content_hash(self.thread_id, author.key, nonce, body_hash(nonce))

    def vote(self, voter: Wallet, content_hash: str, approve: bool = True) -> Result:
        """Casts a vote."""
        return self.must(self.vote_instruction(voter, content_hash, approve), voter)

    def join(self, *present: Wallet) -> Wallet:
        """Makes a new co-author through a message that everybody `present` (the creator by default) approves."""
        author = self.chain.wallet()
        content_hash = self.submit(author)
        for voter in present or (self.creator,):
            self.vote(voter, content_hash)
        return author

    def crowd(self, size: int) -> list[Wallet]:
        """Fills the thread up to `size` co-authors by writing the account. Returns all, the creator first."""
        wallets = [self.creator, *(self.chain.wallet() for _ in range(size - 1))]
        address = self.program.thread(self.thread_id)
        seats = b"".join(key_bytes(wallet.key) + (1).to_bytes(8, "little") for wallet in wallets)
        data = self.chain.data(address)[:THREAD_VECTOR] + size.to_bytes(4, "little") + seats
        self.chain.put_account(address, self.program.program_id, data)
        return wallets

    def _comparable(self, instruction: Instruction) -> dict[str, object]:
        comparable: dict[str, object] = {}
        for key, account in self.chain.snapshot(instruction).items():
            # A refused transaction still costs the sponsor its fee.
            lamports = account.lamports if account and key != self.sponsor.key else 0
            comparable[key] = (lamports, account.data, account.owner) if account else None
        return comparable


def body_hash(nonce: int) -> str:
    """A body hash of its own for every nonce."""
    return nonce.to_bytes(32, "big").hex()
