"""The program's rules once more, in plain Python: what the compiled program has to agree with, step by step.

Wallets and messages are small integers. Every step returns None, or the ProgramError with which the program refuses.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from chorale.domain.approval import MessageStatus as Status
from chorale.domain.program_errors import ProgramError as Refusal


@dataclass
class ModelMessage:
    """A message: `votes` by wallet in the order cast, `claimed` who has had their share."""

    author: int
    stake: int
    expires_at: int
    status: Status = Status.PENDING
    votes: dict[int, bool] = field(default_factory=dict)
    claimed: set[int] = field(default_factory=set)
    share: int = 0
    escrow: int = 0
    sequence: int = 0


@dataclass
class Model:
    """One thread made by wallet 0, the wallets' tokens, and the treasury. Times in unix s."""

    balances: list[int]
    now: int
    minimum_stake: int
    window: int
    co_authors: list[int] = field(default_factory=lambda: [0])
    messages: list[ModelMessage] = field(default_factory=list)
    published: list[int] = field(default_factory=list)
    token_balance: int = 0
    treasury_due: int = 0
    vault: int = 0
    treasury: int = 0
    sequence: int = 1
    activity_sequence: int = 1

    @property
    def stakes_total(self) -> int:
        """Sum over the pending messages."""
        return sum(m.stake for m in self.messages if m.status is Status.PENDING)

    @property
    def escrow_total(self) -> int:
        """Sum of what messages owe."""
        return sum(m.escrow for m in self.messages)

    @property
    def pending_count(self) -> int:
        """Messages that wait."""
        return sum(m.status is Status.PENDING for m in self.messages)

    def post(self, author: int) -> Refusal | None:
        """post_message."""
        if author not in self.co_authors:
            return Refusal.NOT_A_CO_AUTHOR
        self._touch(active=True)
        self.published.append(len(self.messages))
        self.messages.append(ModelMessage(author, 0, 0, Status.PUBLISHED, sequence=self.sequence))
        return None

    def submit(self, author: int, stake: int) -> Refusal | None:
        """submit_message."""
        if author in self.co_authors:
            return Refusal.ALREADY_A_CO_AUTHOR
        if stake < self.minimum_stake:
            return Refusal.STAKE_TOO_LOW
        self._touch(active=True)
        self._pay(author, -stake)
        self.messages.append(ModelMessage(author, stake, self.now + self.window, sequence=self.sequence))
        return None

    def vote(self, voter: int, index: int, approve: bool) -> Refusal | None:
        """cast_vote."""
        message = self.messages[index]
        if voter == message.author:
            return Refusal.OWN_MESSAGE
        if voter not in self.co_authors:
            return Refusal.NOT_A_CO_AUTHOR
        refusal = self._not_open(message)
        if refusal is None and voter in message.votes:
            refusal = Refusal.ALREADY_VOTED
        if refusal is None:
            self._touch(message, active=True)
            message.votes[voter] = approve
            self._decide(index, self._verdict(message))
        return refusal

    def resolve(self, index: int) -> Refusal | None:
        """resolve."""
        message = self.messages[index]
        refusal = self._not_open(message)
        verdict = self._verdict(message)
        if refusal is None and verdict is not Status.PENDING:
            self._touch(message, active=True)
            self._decide(index, verdict)
        return refusal

    def expire(self, index: int) -> Refusal | None:
        """expire."""
        message = self.messages[index]
        if message.status is not Status.PENDING:
            return Refusal.NOT_PENDING
        if self.now < message.expires_at:
            return Refusal.WINDOW_OPEN
        self._touch(message, active=True)
        self._decide(index, Status.EXPIRED)
        return None

    def cancel(self, author: int, index: int) -> Refusal | None:
        """cancel."""
        message = self.messages[index]
        if author != message.author:
            return Refusal.UNAUTHORIZED
        refusal = self._not_open(message)
        if refusal is None and message.votes:
            refusal = Refusal.HAS_VOTES
        if refusal is None:
            self._touch(message, active=True)
            self._decide(index, Status.CANCELLED)
        return refusal

    def refund(self, payee: int, index: int) -> Refusal | None:
        """refund."""
        message = self.messages[index]
        if payee != message.author:
            return Refusal.UNAUTHORIZED
        if message.status not in (Status.EXPIRED, Status.CANCELLED) or not message.escrow:
            return Refusal.NOTHING_OWED
        self._touch(message)
        self._pay(payee, message.escrow)
        message.escrow = 0
        return None

    def claim(self, payee: int, index: int) -> Refusal | None:
        """claim."""
        message = self.messages[index]
        if message.status is not Status.DENIED:
            return Refusal.NOTHING_OWED
        if payee not in message.votes:
            return Refusal.NOT_A_DENIER
        if payee in message.claimed:
            return Refusal.ALREADY_CLAIMED
        if not message.share:
            return Refusal.NOTHING_OWED
        self._touch(message)
        self._pay(payee, message.share)
        message.escrow -= message.share
        message.claimed.add(payee)
        return None

    def divest(self, co_author: int, min_payout: int) -> Refusal | None:
        """divest."""
        if co_author not in self.co_authors:
            return Refusal.NOT_A_CO_AUTHOR
        payout = self.token_balance // len(self.co_authors)
        if payout < min_payout:
            return Refusal.PAYOUT_TOO_LOW
        self._touch()
        self.token_balance -= payout
        self._pay(co_author, payout)
        if len(self.co_authors) > 1:
            self.co_authors.remove(co_author)
        return None

    def deposit(self, amount: int) -> None:
        """Somebody sends tokens to the vault unasked."""
        self.vault += amount

    def sweep(self) -> Refusal | None:
        """sweep."""
        owned = self.token_balance + self.stakes_total + self.escrow_total
        amount = self.vault - owned
        if not amount:
            return Refusal.NOTHING_OWED
        self._touch()
        self.vault, self.treasury, self.treasury_due = owned, self.treasury + amount, 0
        return None

    def _touch(self, message: ModelMessage | None = None, *, active: bool = False) -> None:
        self.sequence += 1
        if active:
            self.activity_sequence = self.sequence
        if message is not None:
            message.sequence = self.sequence

    def _pay(self, wallet: int, amount: int) -> None:
        self.vault -= amount
        self.balances[wallet] += amount

    def _not_open(self, message: ModelMessage) -> Refusal | None:
        if message.status is not Status.PENDING:
            return Refusal.NOT_PENDING
        return Refusal.WINDOW_CLOSED if self.now >= message.expires_at else None

    def _verdict(self, message: ModelMessage) -> Status:
        if any(c != message.author and c not in message.votes for c in self.co_authors):
            return Status.PENDING
        cast = set(message.votes.values())
        return {
            frozenset(): Status.EXPIRED,
            frozenset({True}): Status.PUBLISHED,
            frozenset({False}): Status.DENIED,
        }.get(frozenset(cast), Status.SPLIT)

    def _decide(self, index: int, status: Status) -> None:
        message = self.messages[index]
        message.status = status
        match status:
            case Status.PUBLISHED:
                self.token_balance += message.stake
                self.published.append(index)
                if message.author not in self.co_authors:
                    self.co_authors.append(message.author)
            case Status.DENIED:
                message.share = message.stake // len(message.votes)
                message.escrow = message.share * len(message.votes)
                self.treasury_due += message.stake - message.escrow
            case Status.SPLIT:
                self.treasury_due += message.stake
            case Status.EXPIRED | Status.CANCELLED:
                message.escrow = message.stake
            case _:
                pass
