"""The compiled program and the Python client agree: bytes, addresses, hashes, events, errors and the tree."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from solders.instruction import Instruction

from chorale.domain.accounts import NO_LEAF, CoAuthor, StatusByte, Vote
from chorale.domain.approval import MessageStatus
from chorale.domain.program_errors import ProgramError
from programs import identity, instructions, merkle
from programs.accounts import message_size
from programs.problems import program_error_in_logs, program_error_of
from programs.wire import key_bytes
from tests.program.anchor import assert_decoded_alike
from tests.program.harness import MINIMUM_STAKE, START, TOKENS, WINDOW, Harness, Wallet

SALT = "5a" * 32


@pytest.fixture
def chain() -> Harness:
    """A chain with an initialised protocol."""
    return Harness()


class Room:
    """A thread on a chain, with the steps that a test takes in it. `published` holds the hashes in leaf order."""

    def __init__(self, chain: Harness) -> None:
        self.chain = chain
        self.ana, self.ben, self.eve = chain.wallet(), chain.wallet(), chain.wallet()
        self.thread_id = identity.thread_id(self.ana.key, 1)
        self.address = chain.program.thread(self.thread_id)
        self.vault = chain.program.vault(self.address)
        self.published: list[str] = []
        self.title_hash = identity.title_hash(SALT, "Tides")
        self.created = chain.send(
            instructions.create_thread(
                chain.program,
                payer=self.ana.key,
                creator=self.ana.key,
                mint=chain.mint,
                nonce=1,
                title_hash=self.title_hash,
            ),
            self.ana,
        )
        assert self.created.ok, self.created.logs

    def post(self, author: Wallet, nonce: int) -> str:
        """Posts and returns the content hash."""
        body_hash = identity.body_hash(SALT, f"post {nonce}")
        result = self.chain.send(
            instructions.post_message(
                self.chain.program,
                payer=author.key,
                author=author.key,
                thread_id=self.thread_id,
                body_hash=body_hash,
                nonce=nonce,
            ),
            author,
        )
        assert result.ok, result.logs
        content_hash = identity.content_hash(self.thread_id, author.key, nonce, body_hash)
        self.published.append(content_hash)
        return content_hash

    def submit(self, author: Wallet, nonce: int = 1, stake: int = MINIMUM_STAKE) -> str:
        """Submits and returns the content hash."""
        body_hash = identity.body_hash(SALT, f"submission {nonce}")
        result = self.chain.send(
            instructions.submit_message(
                self.chain.program,
                payer=author.key,
                author=author.key,
                source=author.tokens,
                thread_id=self.thread_id,
                body_hash=body_hash,
                nonce=nonce,
                stake=stake,
                max_expires_at=self.chain.now + WINDOW,
            ),
            author,
        )
        assert result.ok, result.logs
        return identity.content_hash(self.thread_id, author.key, nonce, body_hash)

    def ballot(self, voter: Wallet, content_hash: str, approve: bool) -> Instruction:
        """A vote, not sent yet."""
        return instructions.cast_vote(
            self.chain.program,
            payer=voter.key,
            voter=voter.key,
            thread_id=self.thread_id,
            content_hash=content_hash,
            approve=approve,
        )


@pytest.fixture
def room(chain: Harness) -> Room:
    """A fresh thread of Ana's."""
    return Room(chain)


def accounts_of(room: Room, *content_hashes: str) -> Iterator[tuple[str, bytes]]:
    """Address and bytes of the protocol, the thread and the messages."""
    program = room.chain.program
    for address in (
        program.protocol(),
        room.address,
        *(program.message(room.address, item) for item in content_hashes),
    ):
        yield address, room.chain.data(address)


def test_a_thread_is_made_as_derived(room: Room) -> None:
    """The program takes the client's addresses and hashes, and writes the account that the client reads."""
    thread = room.chain.thread(room.thread_id)
    assert (thread.thread_id, thread.creator, thread.nonce) == (room.thread_id, room.ana.key, 1)
    assert (thread.title_hash, thread.created_at, thread.activity_at) == (room.title_hash, START, START)
    assert (thread.sequence, thread.activity_sequence) == (1, 1)
    assert thread.co_authors == (CoAuthor(room.ana.key, 1),)
    assert (thread.content_root, thread.frontier) == (merkle.EMPTY[20], merkle.EMPTY_FRONTIER)
    (event,) = room.created.events
    assert (event.name, event.thread, event.sequence, event.ordinal) == ("ThreadCreated", room.address, 1, 0)
    assert event.fields == {"creator": room.ana.key, "title_hash": room.title_hash, "created_at": START}
    vault = room.chain.data(room.vault)
    assert (vault[:32], vault[32:64]) == (key_bytes(room.chain.mint), key_bytes(room.address))


def test_an_approved_message_is_published(room: Room) -> None:
    """Submit, vote: stake, seat, leaf and events stand as the rules say, and the tree has the client's root."""
    chain = room.chain
    content_hash = room.submit(room.ben, stake=2_500)
    pending = chain.message(room.thread_id, content_hash)
    assert (pending.status, pending.stake, pending.leaf_index) == (MessageStatus.PENDING, 2_500, NO_LEAF)
    assert (pending.submitted_at, pending.expires_at, pending.votes) == (START, START + WINDOW, ())
    assert (chain.balance(room.ben.tokens), chain.balance(room.vault)) == (TOKENS - 2_500, 2_500)

    chain.advance(60)
    result = chain.send(room.ballot(room.ana, content_hash, True), room.ana)
    assert result.ok, result.logs
    assert [event.name for event in result.events] == ["VoteCast", "MessageDecided", "CoAuthorJoined"]
    assert [event.ordinal for event in result.events] == [0, 1, 2]
    assert {event.sequence for event in result.events} == {3}
    assert result.events[1].fields == {
        "content_hash": content_hash,
        "status": StatusByte.PUBLISHED.value,
        "leaf_index": 0,
        "share": 0,
    }

    message, thread = chain.message(room.thread_id, content_hash), chain.thread(room.thread_id)
    assert (message.status, message.leaf_index, message.decided_at) == (MessageStatus.PUBLISHED, 0, START + 60)
    assert message.votes == (Vote(room.ana.key, True, False, START + 60),)
    assert (thread.token_balance, thread.stakes_total, thread.published_count) == (2_500, 0, 1)
    assert thread.co_authors == (CoAuthor(room.ana.key, 1), CoAuthor(room.ben.key, 3))
    assert thread.content_root == merkle.root_of([content_hash])


def test_the_tree_follows_the_published_hashes(room: Room) -> None:
    """After every publication frontier and root are the ones of the client's own fold, and each leaf has its proof."""
    for nonce in range(1, 10):
        room.post(room.ana, nonce)
        thread = room.chain.thread(room.thread_id)
        frontier, count, root = merkle.fold(room.published)
        assert (thread.frontier, thread.published_count, thread.content_root) == (frontier, count, root)
    for index, content_hash in enumerate(room.published):
        assert room.chain.message(room.thread_id, content_hash).leaf_index == index
        path = merkle.path_of(room.published, index)
        assert merkle.verify_path(content_hash, index, path, thread.content_root, thread.published_count)


def test_a_denied_stake_is_claimed_and_the_rest_swept(room: Room) -> None:
    """Denial, claim and sweep move exactly what the accounts and events say."""
    chain = room.chain
    program = chain.program
    for nonce, author in ((1, room.ben), (2, room.eve)):
        accepted = room.submit(author, nonce)
        voters = [room.ana] if author is room.ben else [room.ana, room.ben]
        for voter in voters:
            assert chain.send(room.ballot(voter, accepted, True), voter).ok
    outsider = chain.wallet()
    content_hash = room.submit(outsider, 3, stake=1_003)
    for voter in (room.ana, room.ben, room.eve):
        result = chain.send(room.ballot(voter, content_hash, False), voter)
        assert result.ok, result.logs
    decided = chain.message(room.thread_id, content_hash)
    assert (decided.status, decided.share, decided.escrow_remaining) == (MessageStatus.DENIED, 334, 1_002)
    assert chain.thread(room.thread_id).treasury_due == 1

    before = chain.balance(room.ben.tokens)
    claim = instructions.claim(
        program,
        payee=room.ben.key,
        destination=room.ben.tokens,
        thread_id=room.thread_id,
        content_hash=content_hash,
    )
    claimed = chain.send(claim, outsider)
    assert claimed.ok, claimed.logs
    assert chain.balance(room.ben.tokens) == before + 334
    assert claimed.events[0].fields == {"content_hash": content_hash, "voter": room.ben.key, "amount": 334}
    again = chain.send(claim, outsider)
    assert program_error_of(again.error) is ProgramError.ALREADY_CLAIMED
    assert program_error_in_logs(again.logs, program.program_id) is ProgramError.ALREADY_CLAIMED

    swept = chain.send(instructions.sweep(program, thread_id=room.thread_id), outsider)
    assert swept.ok, swept.logs
    assert (swept.events[0].name, swept.events[0].fields) == ("Swept", {"amount": 1})
    assert chain.balance(program.treasury()) == 1


def test_a_stake_comes_back_after_cancel_and_after_expiry(room: Room) -> None:
    """Cancelled and expired messages refund the whole stake, once."""
    chain = room.chain
    cancelled, expired = room.submit(room.ben, 1), room.submit(room.ben, 2)
    target = {"thread_id": room.thread_id, "content_hash": cancelled}
    assert chain.send(instructions.cancel(chain.program, author=room.ben.key, **target), room.ben).ok
    chain.advance(WINDOW)
    result = chain.send(instructions.expire(chain.program, thread_id=room.thread_id, content_hash=expired), room.eve)
    assert [event.name for event in result.events] == ["MessageExpired"]
    for content_hash in (cancelled, expired):
        refund = instructions.refund(
            chain.program,
            payee=room.ben.key,
            destination=room.ben.tokens,
            thread_id=room.thread_id,
            content_hash=content_hash,
        )
        paid = chain.send(refund, room.eve)
        assert paid.ok, paid.logs
        assert paid.events[0].fields == {"content_hash": content_hash, "amount": MINIMUM_STAKE}
        assert chain.send(refund, room.eve).code == ProgramError.NOTHING_OWED
    assert chain.balance(room.ben.tokens) == TOKENS


def test_leaving_and_resolving(room: Room) -> None:
    """A co-author who leaves takes a share, and what waited for their vote alone is decided by resolve."""
    chain = room.chain
    joined = room.submit(room.ben, 1)
    assert chain.send(room.ballot(room.ana, joined, True), room.ana).ok
    waiting = room.submit(room.eve, 2)
    assert chain.send(room.ballot(room.ana, waiting, True), room.ana).ok
    left = chain.send(
        instructions.divest(
            chain.program,
            co_author=room.ben.key,
            destination=room.ben.tokens,
            thread_id=room.thread_id,
            min_payout=MINIMUM_STAKE // 2,
        ),
        room.ben,
    )
    assert left.ok, left.logs
    assert left.events[0].fields == {"key": room.ben.key, "amount": MINIMUM_STAKE // 2}
    resolve = instructions.resolve(chain.program, payer=room.ben.key, thread_id=room.thread_id, content_hash=waiting)
    resolved = chain.send(resolve, room.ben)
    assert [event.name for event in resolved.events] == ["MessageDecided", "CoAuthorJoined"], resolved.logs
    assert chain.message(room.thread_id, waiting).status is MessageStatus.PUBLISHED


def test_the_admin_configures_and_withdraws(room: Room) -> None:
    """Admin instructions take the client's bytes and emit the events that the client reads."""
    chain = room.chain
    successor = chain.wallet()
    configured = chain.send(
        instructions.configure(
            chain.program,
            admin=chain.admin.key,
            new_admin=successor.key,
            minimum_stake=7,
            approval_window=3_600,
        ),
        chain.admin,
        successor,
    )
    assert configured.ok, configured.logs
    protocol = chain.protocol()
    assert (protocol.admin, protocol.minimum_stake, protocol.approval_window) == (successor.key, 7, 3_600)
    (event,) = configured.events
    assert (event.name, event.thread, event.sequence) == ("Configured", chain.program.protocol(), protocol.sequence)
    chain.put_token_account(chain.program.treasury(), chain.program.protocol(), 50)
    withdrawn = chain.send(
        instructions.withdraw_treasury(chain.program, admin=successor.key, destination=successor.tokens, amount=20),
        successor,
    )
    assert withdrawn.ok, withdrawn.logs
    assert withdrawn.events[0].fields == {"amount": 20, "destination": successor.tokens}
    assert chain.balance(chain.program.treasury()) == 30


def test_both_decoders_read_what_the_program_wrote(room: Room) -> None:
    """anchorpy, over the IDL, finds in real accounts and logs what the fast decoders find."""
    posted, pending = room.post(room.ana, 1), room.submit(room.ben, 2)
    voted = room.chain.send(room.ballot(room.ana, pending, False), room.ana)
    for address, data in accounts_of(room, posted, pending):
        assert_decoded_alike(address, data)
    assert [event.name for event in voted.events] == ["VoteCast", "MessageDecided"]


def test_a_message_is_made_with_room_for_its_voters(room: Room) -> None:
    """The sizes that rent is reckoned with are the ones that the program allocates."""
    address = room.chain.program.message(room.address, room.submit(room.ben))
    assert len(room.chain.data(address)) == message_size(1)
    posted = room.chain.program.message(room.address, room.post(room.ana, 9))
    assert len(room.chain.data(posted)) == message_size(0)


def test_the_program_refuses_what_the_decoder_refuses(room: Room) -> None:
    """Unknown instructions, trailing bytes and booleans over 1 are InvalidInstructionData."""
    vote = room.ballot(room.ana, room.submit(room.ben), True)
    for data in (b"", b"12345678", vote.data + b"\x00", vote.data[:-1], vote.data[:-1] + b"\x02"):
        result = room.chain.send(Instruction(vote.program_id, data, vote.accounts), room.ana)
        assert program_error_of(result.error) is ProgramError.INVALID_INSTRUCTION_DATA, data


def test_only_the_programs_keypair_initialises() -> None:
    """Without the program's own signature, nobody sets a deployment up."""
    chain = Harness(initialise=False)
    instruction = instructions.initialize(
        chain.program,
        payer=chain.admin.key,
        admin=chain.admin.key,
        mint=chain.mint,
        minimum_stake=1,
        approval_window=3_600,
    )
    unsigned = [
        type(meta)(meta.pubkey, meta.is_signer and index != 2, meta.is_writable)
        for index, meta in enumerate(instruction.accounts)
    ]
    refused = chain.send(Instruction(instruction.program_id, instruction.data, unsigned), chain.admin)
    assert program_error_of(refused.error) is ProgramError.UNAUTHORIZED
    assert chain.account(chain.program.protocol()) is None
    assert chain.send(instruction, chain.admin, chain.program_keypair).ok
    assert not chain.send(instruction, chain.admin, chain.program_keypair).ok
