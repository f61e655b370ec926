"""Steps that call the program: who asks for what is chosen so that deep states are reached and every rule is met."""

from __future__ import annotations

from solders.instruction import Instruction

from chorale.domain.accounts import StatusByte
from chorale.domain.model.values import I64_MAX, Key, Message, Thread, TokenAccount
from programs import instructions
from programs.wire import key_text
from tests.prove.pick import Pick, chance, one_of
from tests.prove.scene import Scene, ThreadRecord

WINDOW = 3_600
MINIMUM_STAKE = 3


def initialize(scene: Scene, pick: Pick) -> Instruction:
    """Mostly a good one; sometimes with parameters, a mint or a payer that will not do."""
    mint = one_of(pick, [scene.mint, scene.mint, scene.freezable, scene.freezable, scene.wallets[0]])
    return instructions.initialize(
        scene.program,
        payer=key_text(scene.broke if chance(pick, 10) else scene.sponsor),
        admin=key_text(scene.wallets[0]),
        mint=key_text(mint),
        minimum_stake=MINIMUM_STAKE,
        approval_window=_window(pick),
        allow_freezable=not chance(pick, 60),
    )


def configure(scene: Scene, pick: Pick) -> Instruction:
    """By the admin or another, for the admin or another."""
    admin = _admin(scene, pick)
    stake = MINIMUM_STAKE if not chance(pick, 30) else one_of(pick, [0, 1, 9])
    return instructions.configure(
        scene.program,
        admin=key_text(admin),
        new_admin=key_text(one_of(pick, scene.wallets) if chance(pick, 30) else admin),
        minimum_stake=stake,
        approval_window=_window(pick),
    )


def withdraw_treasury(scene: Scene, pick: Pick) -> Instruction:
    """Nothing, a little, all or more than there is."""
    admin = _admin(scene, pick)
    held = scene.world.tokens(scene.treasury)
    return instructions.withdraw_treasury(
        scene.program,
        admin=key_text(admin),
        destination=key_text(_destination(scene, pick, admin)),
        amount=one_of(pick, [1, max(held, 1), max(held // 2, 1), 0, held + 1]),
    )


def create_thread(scene: Scene, pick: Pick) -> Instruction:
    """With a new nonce, or with one that was used."""
    creator = one_of(pick, scene.wallets)
    nonces = [scene.nonce(), scene.nonce(), expected_nonce(scene, creator), pick.below(4)]
    return instructions.create_thread(
        scene.program,
        payer=key_text(_payer(scene, pick)),
        creator=key_text(creator),
        mint=key_text(scene.protocol_mint),
        nonce=one_of(pick, nonces),
        title_hash=scene.nonce().to_bytes(32, "big").hex(),
    )


def post_message(scene: Scene, pick: Pick) -> Instruction:
    """By somebody who sits there, or by anybody."""
    record = _thread(scene, pick)
    seats = [seat.key for seat in scene.thread(record).seats]
    author = one_of(pick, scene.wallets) if chance(pick, 15) else one_of(pick, seats)
    return instructions.post_message(
        scene.program,
        payer=key_text(_payer(scene, pick)),
        author=key_text(author),
        thread_id=record.thread_id,
        body_hash=scene.wallets[0].hex(),
        nonce=_message_nonce(scene, pick, record, author),
    )


def submit_message(scene: Scene, pick: Pick) -> Instruction:
    """By an outsider or by anybody, for the least stake or for another, with limits that fit or not."""
    record = _thread(scene, pick)
    thread = scene.thread(record)
    outside = [wallet for wallet in scene.wallets if not thread.seats_key(wallet)]
    waiting = [m.author for h in record.messages if (m := scene.message(record, h)).status is StatusByte.PENDING]
    if waiting and chance(pick, 30):
        author = one_of(pick, waiting)
    else:
        author = one_of(pick, scene.wallets) if chance(pick, 15) or not outside else one_of(pick, outside)
    protocol = scene.protocol
    least, window = (protocol.minimum_stake, protocol.approval_window) if protocol else (1, 1)
    home = scene.home(author)
    sources = [home, home, home, home, home, home, scene.second(author), _anybodys(scene, pick, author)]
    held = scene.world.tokens(home)
    stakes = [least, least + 1, least + 4, least + 7, least + 100, max(least - 1, 0), held, held + 1]
    expires_at = min(scene.world.now + window, I64_MAX)
    return instructions.submit_message(
        scene.program,
        payer=key_text(_payer(scene, pick)),
        author=key_text(author),
        source=key_text(one_of(pick, sources)),
        thread_id=record.thread_id,
        body_hash=scene.wallets[0].hex(),
        nonce=_message_nonce(scene, pick, record, author),
        stake=one_of(pick, stakes[:5]) if not chance(pick, 10) else one_of(pick, stakes[5:]),
        max_expires_at=one_of(pick, [*[I64_MAX] * 8, *[expires_at] * 3, expires_at - 1]),
    )


def cast_vote(scene: Scene, pick: Pick) -> Instruction | None:
    """Mostly one that is missing on a message that waits. A message's hash tells which way the votes lean."""
    chosen = _message(scene, pick, StatusByte.PENDING)
    if chosen is None:
        return None
    record, content_hash = chosen
    message = scene.message(record, content_hash)
    missing = missing_voters(scene.thread(record), message)
    voter = one_of(pick, scene.wallets) if chance(pick, 12) or not missing else one_of(pick, missing)
    return instructions.cast_vote(
        scene.program,
        payer=key_text(_payer(scene, pick)),
        voter=key_text(voter),
        thread_id=record.thread_id,
        content_hash=content_hash,
        approve=leaning(pick, message),
    )


def resolve(scene: Scene, pick: Pick) -> Instruction | None:
    """A message that waits, preferably one that nobody is missing on."""
    chosen = _message(scene, pick, StatusByte.PENDING, ripe=True)
    if chosen is None:
        return None
    record, content_hash = chosen
    payer = key_text(_payer(scene, pick))
    return instructions.resolve(scene.program, payer=payer, thread_id=record.thread_id, content_hash=content_hash)


def expire(scene: Scene, pick: Pick) -> Instruction | None:
    """A message that waits, too long or not."""
    chosen = _overdue(scene, pick) or _message(scene, pick, StatusByte.PENDING)
    if chosen is None:
        return None
    return instructions.expire(scene.program, thread_id=chosen[0].thread_id, content_hash=chosen[1])


def cancel(scene: Scene, pick: Pick) -> Instruction | None:
    """By the author, or by anybody."""
    chosen = _message(scene, pick, StatusByte.PENDING)
    if chosen is None:
        return None
    record, content_hash = chosen
    author = scene.message(record, content_hash).author
    author = one_of(pick, scene.wallets) if chance(pick, 15) else author
    return instructions.cancel(
        scene.program, author=key_text(author), thread_id=record.thread_id, content_hash=content_hash
    )


def refund(scene: Scene, pick: Pick) -> Instruction | None:
    """To the author, or to anybody."""
    chosen = _message(scene, pick, one_of(pick, [StatusByte.EXPIRED, StatusByte.CANCELLED]))
    if chosen is None:
        return None
    record, content_hash = chosen
    payee = scene.message(record, content_hash).author
    payee = one_of(pick, scene.wallets) if chance(pick, 10) else payee
    return instructions.refund(
        scene.program,
        payee=key_text(payee),
        destination=key_text(_destination(scene, pick, payee)),
        thread_id=record.thread_id,
        content_hash=content_hash,
        payee_signs=chance(pick, 50),
    )


def claim(scene: Scene, pick: Pick) -> Instruction | None:
    """To one who has voted, or to anybody."""
    chosen = _message(scene, pick, StatusByte.DENIED)
    if chosen is None:
        return None
    record, content_hash = chosen
    voters = [vote.voter for vote in scene.message(record, content_hash).votes]
    payee = one_of(pick, scene.wallets) if chance(pick, 10) or not voters else one_of(pick, voters)
    return instructions.claim(
        scene.program,
        payee=key_text(payee),
        destination=key_text(_destination(scene, pick, payee)),
        thread_id=record.thread_id,
        content_hash=content_hash,
        payee_signs=chance(pick, 50),
    )


def divest(scene: Scene, pick: Pick) -> Instruction:
    """By one whom others wait for, by anyone who sits there, or by anybody; for what there is or for more."""
    record = _thread(scene, pick)
    thread = scene.thread(record)
    seats = [seat.key for seat in thread.seats]
    waited_for = holdouts(scene, record)
    anybody = scene.wallets if chance(pick, 15) else seats
    who = one_of(pick, waited_for if waited_for and not chance(pick, 50) else anybody)
    payout = thread.token_balance // len(seats)
    return instructions.divest(
        scene.program,
        co_author=key_text(who),
        destination=key_text(_destination(scene, pick, who)),
        thread_id=record.thread_id,
        min_payout=one_of(pick, [0, 0, payout, payout + 1]),
    )


def sweep(scene: Scene, pick: Pick) -> Instruction:
    """Any thread, whether it owes something or not."""
    return instructions.sweep(scene.program, thread_id=_thread(scene, pick).thread_id)


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


def _thread(scene: Scene, pick: Pick) -> ThreadRecord:
    return one_of(pick, scene.threads)


def _message(scene: Scene, pick: Pick, status: StatusByte, *, ripe: bool = False) -> tuple[ThreadRecord, str] | None:
    """Mostly a message with this status, still to be paid or decided, if there is one; sometimes any."""
    record = _thread(scene, pick)
    if not chance(pick, 12):
        fitting = [(other, found) for other in scene.threads if (found := _fitting(scene, other, status, ripe))]
        if fitting:
            record, listed = one_of(pick, fitting)
            return record, one_of(pick, listed)
        if not chance(pick, 15):
            return None
    return (record, one_of(pick, record.messages)) if record.messages else None


def _overdue(scene: Scene, pick: Pick) -> tuple[ThreadRecord, str] | None:
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


def _admin(scene: Scene, pick: Pick) -> Key:
    protocol = scene.protocol
    return protocol.admin if protocol and not chance(pick, 15) else one_of(pick, scene.wallets)


def _payer(scene: Scene, pick: Pick) -> Key:
    return scene.broke if chance(pick, 6) else scene.sponsor


def _window(pick: Pick) -> int:
    return one_of(pick, [WINDOW - 1, 2_592_001, 2_592_000]) if chance(pick, 20) else WINDOW


def expected_nonce(scene: Scene, author: Key, record: ThreadRecord | None = None) -> int:
    """The nonce that a spoiler expects somebody to use for their next thread, or for their next message in one."""
    if record is None:
        return 10**6 + sum(scene.thread(made).creator == author for made in scene.threads)
    return 10**6 + sum(scene.message(record, content_hash).author == author for content_hash in record.messages)


def _message_nonce(scene: Scene, pick: Pick, record: ThreadRecord, author: Key) -> int:
    if chance(pick, 30):
        return expected_nonce(scene, author, record)
    return pick.below(20) if chance(pick, 10) else scene.nonce()


def _destination(scene: Scene, pick: Pick, payee: Key) -> Key:
    return scene.home(payee) if not chance(pick, 25) else _anybodys(scene, pick, payee)


def _anybodys(scene: Scene, pick: Pick, wallet: Key) -> Key:
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


CALLS = (
    initialize,
    configure,
    withdraw_treasury,
    create_thread,
    post_message,
    submit_message,
    cast_vote,
    resolve,
    expire,
    cancel,
    refund,
    claim,
    divest,
    sweep,
)
