"""Who, which and how much: choices that lead into deep states, and past every rule now and then."""

from __future__ import annotations

from chorale.domain.accounts import StatusByte
from chorale.domain.model.values import Key, Message, Thread, TokenAccount
from tests.prove.pick import Pick, chance, one_of
from tests.prove.scene import Scene, ThreadRecord

WINDOW = 3_600
MINIMUM_STAKE = 3


def missing_voters(thread: Thread, message: Message) -> list[Key]:
    """Who has not voted yet."""
    voted = {vote.voter for vote in message.votes}
    return [seat.key for seat in thread.seats if seat.key != message.author and seat.key not in voted]


def holdouts(scene: Scene, record: ThreadRecord) -> list[Key]:
    """Co-authors whose leaving would leave nobody to vote on a message that waits."""
    thread = scene.thread(record)
    waiting = (scene.message(record, content_hash) for content_hash in record.messages)
    missing = [missing_voters(thread, message) for message in waiting if message.status is StatusByte.PENDING]
    return [voters[0] for voters in missing if len(voters) == 1]


def leaning(pick: Pick, message: Message) -> bool:
    """A vote: most messages are approved or denied by all, some divide."""
    kind = message.content_hash[0] % 8
    return kind < 4 if kind < 6 else not chance(pick, 50)


def overlooked(message: Message) -> bool:
    """Some messages nobody cares to vote on; their author may come to sit alone."""
    return message.content_hash[1] % 4 == 0


def thread_of(scene: Scene, pick: Pick) -> ThreadRecord:
    return one_of(pick, scene.threads)


def message_of(scene: Scene, pick: Pick, status: StatusByte, *, ripe: bool = False) -> tuple[ThreadRecord, str] | None:
    """Mostly a message with this status, still to be paid or decided, if there is one; sometimes any."""
    record = thread_of(scene, pick)
    if not chance(pick, 12):
        fitting = [(other, found) for other in scene.threads if (found := _fitting(scene, other, status, ripe))]
        if fitting:
            record, listed = one_of(pick, fitting)
            return record, one_of(pick, listed)
        if not chance(pick, 15):
            return None
    return (record, one_of(pick, record.messages)) if record.messages else None


def overdue(scene: Scene, pick: Pick) -> tuple[ThreadRecord, str] | None:
    """A message that waits in vain, where there is one; now and then none."""
    overdue = [
        (record, content_hash)
        for record in scene.threads
        for content_hash in record.messages
        if (message := scene.message(record, content_hash)).status is StatusByte.PENDING
        and message.expires_at <= scene.world.now
    ]
    return one_of(pick, overdue) if overdue and not chance(pick, 20) else None


def _fitting(scene: Scene, record: ThreadRecord, status: StatusByte, ripe: bool) -> list[str]:
    """Votes are gathered on few messages, or none would ever be decided."""
    messages = {content_hash: scene.message(record, content_hash) for content_hash in record.messages}
    found = [content_hash for content_hash, message in messages.items() if message.status is status]
    if status is not StatusByte.PENDING:
        return [content_hash for content_hash in found if messages[content_hash].escrow_remaining]
    now, thread = scene.world.now, scene.thread(record)
    is_open = [h for h in found if messages[h].expires_at > now]
    if ripe:
        return [h for h in is_open if not missing_voters(thread, messages[h])]
    return [h for h in is_open if not overlooked(messages[h])][:3]


def admin_of(scene: Scene, pick: Pick) -> Key:
    protocol = scene.protocol
    return protocol.admin if protocol and not chance(pick, 15) else one_of(pick, scene.wallets)


def payer_of(scene: Scene, pick: Pick) -> Key:
    return scene.broke if chance(pick, 6) else scene.sponsor


def window_of(pick: Pick) -> int:
    return one_of(pick, [WINDOW - 1, 2_592_001, 2_592_000]) if chance(pick, 20) else WINDOW


def expected_nonce(scene: Scene, author: Key, record: ThreadRecord | None = None) -> int:
    """The nonce that a spoiler expects somebody to use for their next thread, or for their next message in one."""
    if record is None:
        return 10**6 + sum(scene.thread(made).creator == author for made in scene.threads)
    return 10**6 + sum(scene.message(record, content_hash).author == author for content_hash in record.messages)


def nonce_of(scene: Scene, pick: Pick, record: ThreadRecord, author: Key) -> int:
    if chance(pick, 30):
        return expected_nonce(scene, author, record)
    return pick.below(20) if chance(pick, 10) else scene.nonce()


def destination_of(scene: Scene, pick: Pick, payee: Key) -> Key:
    return scene.home(payee) if not chance(pick, 25) else anybodys(scene, pick, payee)


def anybodys(scene: Scene, pick: Pick, wallet: Key) -> Key:
    """A place for tokens that may not be right."""
    places = [
        *[scene.second(wallet)] * 5,
        scene.foreign_account(wallet),
        scene.home(one_of(pick, scene.wallets)),
        scene.treasury,
        *(record.vault for record in scene.threads[:1]),
        wallet,
        *(key for key in scene.strange if isinstance(scene.value(key), TokenAccount)),
    ]
    return one_of(pick, places)
