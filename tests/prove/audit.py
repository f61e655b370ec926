"""The invariants of the program, on the model's values: these are compared with the chain's bytes beside this."""

from __future__ import annotations

from functools import lru_cache

from chorale.domain.accounts import NO_LEAF, StatusByte
from chorale.domain.model import hashing
from chorale.domain.model.run import TOKEN_PROGRAM
from chorale.domain.model.values import MAX_CO_AUTHORS, TREE_DEPTH, Message, Thread, TokenAccount
from chorale.domain.model.world import Outcome
from programs.merkle import verify_path
from tests.prove.scene import Difference, Scene, ThreadRecord

FILLER = b"\x5a" * 32  # content hash of every leaf that a thread's tree is filled with beforehand
PROOFS = 4  # latest published messages of a thread whose proofs are made when its root has changed


def holds(condition: bool, what: str) -> None:
    """Raises Difference unless an invariant holds."""
    if not condition:
        raise Difference(f"broken invariant: {what}")


@lru_cache(maxsize=1)
def filler() -> list[bytes]:
    """Subtrees of leaves that are all the filler, level by level."""
    return hashing.doubled(hashing.leaf(FILLER))


class Audit:
    """Remembers what must never change: the sum of all tokens, decisions, and what vaults hold beyond their due."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.supply: int | None = None
        self._decided: dict[str, tuple[StatusByte, int, int]] = {}
        self._surplus: dict[str, int] = {}
        self._proved: dict[str, bytes] = {}

    def step(self, name: str, outcome: Outcome) -> None:
        """What a call may have broken: the sum of tokens, and the threads that it named."""
        self.tokens(restart=name == "initialize" and isinstance(outcome, str))
        for record in self.scene.threads:
            if record.address in self.scene.touched:
                self.thread(record)
                self.vault(record, swept=name == "sweep" and isinstance(outcome, str))

    def rebase(self) -> None:
        """Vaults were paid unasked, or written beforehand: what they hold beyond their due is another sum now."""
        self._surplus.clear()
        for record in self.scene.threads:
            self.vault(record)

    def tokens(self, *, restart: bool = False) -> None:
        """The sum over all token accounts never changes."""
        total = 0
        for state in self.scene.world.states.values():
            if isinstance(state.value, TokenAccount) and state.owner == TOKEN_PROGRAM:
                total += state.value.amount
        if self.supply is None or restart:
            self.supply = total
        holds(total == self.supply, f"all token accounts together hold {total}, not {self.supply}")

    def vault(self, record: ThreadRecord, *, swept: bool = False) -> None:
        """A vault holds what is owned, and beyond that only what was deposited unasked, until the next sweep."""
        thread = self.scene.thread(record)
        surplus = self.scene.world.tokens(record.vault) - thread.owned
        holds(surplus >= 0 or not record.sound, "a vault holds less than is owned")
        before = 0 if swept else self._surplus.setdefault(record.thread_id, surplus)
        holds(surplus == before, f"a vault holds {surplus} beyond what is owned, not {before}")
        self._surplus[record.thread_id] = surplus

    def thread(self, record: ThreadRecord) -> None:
        """Seats, totals and counters of a thread, and what its messages say."""
        thread = self.scene.thread(record)
        keys = {seat.key for seat in thread.seats}
        holds(1 <= len(thread.seats) <= MAX_CO_AUTHORS, f"{len(thread.seats)} co-authors")
        holds(len(keys) == len(thread.seats), "a co-author sits twice")
        stakes = escrow = pending = published = 0
        for content_hash in record.messages:
            message = self.scene.message(record, content_hash)
            self._message(content_hash, message, thread)
            waits = message.status is StatusByte.PENDING
            stakes += message.stake if waits else 0
            pending += waits
            published += message.status is StatusByte.PUBLISHED
            escrow += message.escrow_remaining
        holds((stakes, escrow) == (thread.stakes_total, thread.escrow_total), "totals are not the sums over messages")
        holds(pending == thread.pending_count, "pending_count is not the number of messages that wait")
        holds(published + record.filled == thread.published_count, "published_count is not the number of leaves")

    def full(self) -> None:
        """Everything: all accounts on chain, all threads, their roots and proofs."""
        self.scene.compare()
        self.tokens()
        for record in self.scene.threads:
            self.thread(record)
            self.vault(record)
            if self._proved.get(record.thread_id) != self.scene.thread(record).content_root:
                self._tree(record)
                self._proved[record.thread_id] = self.scene.thread(record).content_root

    def _message(self, content_hash: str, message: Message, thread: Thread) -> None:
        voters = {vote.voter for vote in message.votes}
        holds(len(voters) == len(message.votes), "somebody has voted twice")
        holds(message.author not in voters, "an author has voted on their own message")
        in_time = all(vote.cast_at < message.expires_at for vote in message.votes)
        holds(in_time, "a vote was cast when the window had passed")
        holds(message.sequence <= thread.sequence, "a message is younger than its thread")
        if message.status is not StatusByte.PENDING:
            decision = (message.status, message.leaf_index, message.decided_at)
            holds(self._decided.setdefault(content_hash, decision) == decision, "a decision has changed")
            holds((message.leaf_index == NO_LEAF) != (message.status is StatusByte.PUBLISHED), "a leaf without message")
            claimed = sum(vote.claimed for vote in message.votes)
            if message.status is StatusByte.DENIED:
                owed = message.share * (len(message.votes) - claimed)
                holds(message.escrow_remaining == owed, "escrow is not the sum of unclaimed shares")

    def _tree(self, record: ThreadRecord) -> None:
        """The root is that of the published hashes in order; they have proofs, and nothing else has."""
        thread = self.scene.thread(record)
        messages = {content_hash: self.scene.message(record, content_hash) for content_hash in record.messages}
        leaves = {m.leaf_index: hashing.leaf(m.content_hash) for m in messages.values() if m.leaf_index != NO_LEAF}
        holds(len(leaves) == thread.published_count - record.filled, "two messages have one leaf")
        root = hashing.root_of(leaves.__getitem__, thread.published_count, record.filled, filler())
        holds(root == thread.content_root, "the content root is not that of the published hashes")
        unpublished = [m for m in messages.values() if m.leaf_index == NO_LEAF][:1]
        for index in sorted(leaves)[-PROOFS:]:
            path = self._path(record, index, leaves)
            for message in (*(m for m in messages.values() if m.leaf_index == index), *unpublished):
                content_hash, count = message.content_hash.hex(), thread.published_count
                proved = verify_path(content_hash, index, path, root.hex(), count)
                holds(proved == (message.leaf_index == index), "a proof is wrong")

    def _path(self, record: ThreadRecord, index: int, leaves: dict[int, bytes]) -> list[str]:
        count = self.scene.thread(record).published_count
        nodes = (
            hashing.node_of(leaves.__getitem__, count, level, (index >> level) ^ 1, record.filled, filler())
            for level in range(TREE_DEPTH)
        )
        return [node.hex() for node in nodes]
