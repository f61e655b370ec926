"""The instructions of one thread of the scenario by the names of its people; `sponsor` pays for all of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from solders.instruction import Instruction

from programs import identity, instructions
from tests.chains import APPROVAL_WINDOW, MINIMUM_STAKE
from tests.program.scenario.people import ADDRESSES, ADMIN, MINT, key, keypair, tokens_of
from tests.program.scenario.port import Chain
from tests.program.scenario.transcript import Play
from tests.program.stage import FAR_FUTURE, body_hash

STAKE = MINIMUM_STAKE + 1


def new_play(chain: Chain, *names: str, window: int = APPROVAL_WINDOW, apart: frozenset[str] = frozenset()) -> Play:
    """A play at the cost of the first of these people, with everybody's addresses named."""
    known = {key(name): name for name in names} | {tokens_of(name): f"tokens of {name}" for name in names}
    known |= {
        str(ADMIN.pubkey()): "admin",
        str(MINT.pubkey()): "mint",
        ADDRESSES.protocol(): "protocol",
        ADDRESSES.treasury(): "treasury",
        tokens_of("admin"): "tokens of admin",
    }
    return Play(chain, ADDRESSES, keypair(names[0]), window, known, apart)


@dataclass
class Moves:
    """A thread by `creator` (their thread number `nonce`). Messages have names of their own: their authors choose
    nonces by them."""

    play: Play
    creator: str
    sponsor: str
    nonce: int = 0
    messages: dict[str, str] = field(default_factory=dict)

    @property
    def thread_id(self) -> str:
        """The thread's id."""
        return identity.thread_id(key(self.creator), self.nonce)

    @property
    def vault(self) -> str:
        """The thread's vault."""
        return ADDRESSES.vault(ADDRESSES.thread(self.thread_id))

    def name_accounts(self, title: str) -> None:
        """Says in the transcript what the thread's accounts are called."""
        self.play.names |= {
            ADDRESSES.thread(self.thread_id): title,
            self.vault: f"vault of {title}",
            self.thread_id: f"id of {title}",
        }

    def create(self) -> Instruction:
        """create_thread."""
        return instructions.create_thread(
            ADDRESSES,
            payer=key(self.sponsor),
            creator=key(self.creator),
            mint=str(MINT.pubkey()),
            nonce=self.nonce,
            title_hash="11" * 32,
        )

    def post(self, author: str, message: str) -> Instruction:
        """post_message."""
        nonce = self._number(author, message)
        return instructions.post_message(
            ADDRESSES,
            payer=key(self.sponsor),
            author=key(author),
            thread_id=self.thread_id,
            body_hash=body_hash(nonce),
            nonce=nonce,
        )

    def submit(
        self, author: str, message: str, *, stake: int = STAKE, source: str = "", max_expires_at: int = FAR_FUTURE
    ) -> Instruction:
        """submit_message, from the author's associated account or that of `source`."""
        nonce = self._number(author, message)
        return instructions.submit_message(
            ADDRESSES,
            payer=key(self.sponsor),
            author=key(author),
            source=tokens_of(source or author),
            thread_id=self.thread_id,
            body_hash=body_hash(nonce),
            nonce=nonce,
            stake=stake,
            max_expires_at=max_expires_at,
        )

    def vote(self, voter: str, message: str, *, approve: bool = True) -> Instruction:
        """cast_vote."""
        return instructions.cast_vote(
            ADDRESSES,
            payer=key(self.sponsor),
            voter=key(voter),
            thread_id=self.thread_id,
            content_hash=self.messages[message],
            approve=approve,
        )

    def resolve(self, message: str) -> Instruction:
        """resolve."""
        return instructions.resolve(
            ADDRESSES, payer=key(self.sponsor), thread_id=self.thread_id, content_hash=self.messages[message]
        )

    def expire(self, message: str) -> Instruction:
        """expire."""
        return instructions.expire(ADDRESSES, thread_id=self.thread_id, content_hash=self.messages[message])

    def cancel(self, author: str, message: str) -> Instruction:
        """cancel."""
        return instructions.cancel(
            ADDRESSES, author=key(author), thread_id=self.thread_id, content_hash=self.messages[message]
        )

    def refund(self, payee: str, message: str, *, to: str = "", signs: bool = False) -> Instruction:
        """refund into `to`, or into the associated account."""
        return instructions.refund(
            ADDRESSES,
            payee=key(payee),
            destination=to or tokens_of(payee),
            thread_id=self.thread_id,
            content_hash=self.messages[message],
            payee_signs=signs,
        )

    def claim(self, payee: str, message: str, *, to: str = "", signs: bool = False) -> Instruction:
        """claim into `to`, or into the associated account."""
        return instructions.claim(
            ADDRESSES,
            payee=key(payee),
            destination=to or tokens_of(payee),
            thread_id=self.thread_id,
            content_hash=self.messages[message],
            payee_signs=signs,
        )

    def divest(self, co_author: str, min_payout: int = 0) -> Instruction:
        """divest into the associated account."""
        return instructions.divest(
            ADDRESSES,
            co_author=key(co_author),
            destination=tokens_of(co_author),
            thread_id=self.thread_id,
            min_payout=min_payout,
        )

    def sweep(self) -> Instruction:
        """sweep."""
        return instructions.sweep(ADDRESSES, thread_id=self.thread_id)

    def _number(self, author: str, message: str) -> int:
        nonce = int.from_bytes(message.encode()[:7], "little")
        content_hash = identity.content_hash(self.thread_id, key(author), nonce, body_hash(nonce))
        self.messages[message] = content_hash
        address = ADDRESSES.message(ADDRESSES.thread(self.thread_id), content_hash)
        self.play.names |= {address: message, content_hash: f"hash of {message}"}
        return nonce
