"""Steps that call the program: who asks for what is chosen so that deep states are reached and every rule is met."""

from __future__ import annotations

from solders.instruction import Instruction

from chorale.domain.accounts import StatusByte
from chorale.domain.model.values import I64_MAX
from programs import instructions
from programs.wire import key_text
from tests.prove.choosing import (
    MINIMUM_STAKE,
    admin_of,
    anybodys,
    destination_of,
    expected_nonce,
    holdouts,
    leaning,
    message_of,
    missing_voters,
    nonce_of,
    overdue,
    payer_of,
    thread_of,
    window_of,
)
from tests.prove.pick import Pick, chance, one_of
from tests.prove.scene import Scene


def initialize(scene: Scene, pick: Pick) -> Instruction:
    """Mostly a good one; sometimes with parameters, a mint or a payer that will not do."""
    mint = one_of(pick, [scene.mint, scene.mint, scene.freezable, scene.freezable, scene.wallets[0]])
    return instructions.initialize(
        scene.program,
        payer=key_text(scene.broke if chance(pick, 10) else scene.sponsor),
        admin=key_text(scene.wallets[0]),
        mint=key_text(mint),
        minimum_stake=MINIMUM_STAKE,
        approval_window=window_of(pick),
        allow_freezable=not chance(pick, 60),
    )


def configure(scene: Scene, pick: Pick) -> Instruction:
    """By the admin or another, for the admin or another."""
    admin = admin_of(scene, pick)
    stake = MINIMUM_STAKE if not chance(pick, 30) else one_of(pick, [0, 1, 9])
    return instructions.configure(
        scene.program,
        admin=key_text(admin),
        new_admin=key_text(one_of(pick, scene.wallets) if chance(pick, 30) else admin),
        minimum_stake=stake,
        approval_window=window_of(pick),
    )


def withdraw_treasury(scene: Scene, pick: Pick) -> Instruction:
    """Nothing, a little, all or more than there is."""
    admin = admin_of(scene, pick)
    held = scene.world.tokens(scene.treasury)
    return instructions.withdraw_treasury(
        scene.program,
        admin=key_text(admin),
        destination=key_text(destination_of(scene, pick, admin)),
        amount=one_of(pick, [1, max(held, 1), max(held // 2, 1), 0, held + 1]),
    )


def create_thread(scene: Scene, pick: Pick) -> Instruction:
    """With a new nonce, or with one that was used."""
    creator = one_of(pick, scene.wallets)
    nonces = [scene.nonce(), scene.nonce(), expected_nonce(scene, creator), pick.below(4)]
    return instructions.create_thread(
        scene.program,
        payer=key_text(payer_of(scene, pick)),
        creator=key_text(creator),
        mint=key_text(scene.protocol_mint),
        nonce=one_of(pick, nonces),
        title_hash=scene.nonce().to_bytes(32, "big").hex(),
    )


def post_message(scene: Scene, pick: Pick) -> Instruction:
    """By somebody who sits there, or by anybody."""
    record = thread_of(scene, pick)
    seats = [seat.key for seat in scene.thread(record).seats]
    author = one_of(pick, scene.wallets) if chance(pick, 15) else one_of(pick, seats)
    return instructions.post_message(
        scene.program,
        payer=key_text(payer_of(scene, pick)),
        author=key_text(author),
        thread_id=record.thread_id,
        body_hash=scene.wallets[0].hex(),
        nonce=nonce_of(scene, pick, record, author),
    )


def submit_message(scene: Scene, pick: Pick) -> Instruction:
    """By an outsider or by anybody, for the least stake or for another, with limits that fit or not."""
    record = thread_of(scene, pick)
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
    sources = [home, home, home, home, home, home, scene.second(author), anybodys(scene, pick, author)]
    held = scene.world.tokens(home)
    stakes = [least, least + 1, least + 4, least + 7, least + 100, max(least - 1, 0), held, held + 1]
    expires_at = min(scene.world.now + window, I64_MAX)
    return instructions.submit_message(
        scene.program,
        payer=key_text(payer_of(scene, pick)),
        author=key_text(author),
        source=key_text(one_of(pick, sources)),
        thread_id=record.thread_id,
        body_hash=scene.wallets[0].hex(),
        nonce=nonce_of(scene, pick, record, author),
        stake=one_of(pick, stakes[:5]) if not chance(pick, 10) else one_of(pick, stakes[5:]),
        max_expires_at=one_of(pick, [*[I64_MAX] * 8, *[expires_at] * 3, expires_at - 1]),
    )


def cast_vote(scene: Scene, pick: Pick) -> Instruction | None:
    """Mostly one that is missing on a message that waits. A message's hash tells which way the votes lean."""
    chosen = message_of(scene, pick, StatusByte.PENDING)
    if chosen is None:
        return None
    record, content_hash = chosen
    message = scene.message(record, content_hash)
    missing = missing_voters(scene.thread(record), message)
    voter = one_of(pick, scene.wallets) if chance(pick, 12) or not missing else one_of(pick, missing)
    return instructions.cast_vote(
        scene.program,
        payer=key_text(payer_of(scene, pick)),
        voter=key_text(voter),
        thread_id=record.thread_id,
        content_hash=content_hash,
        approve=leaning(pick, message),
    )


def resolve(scene: Scene, pick: Pick) -> Instruction | None:
    """A message that waits, preferably one that nobody is missing on."""
    chosen = message_of(scene, pick, StatusByte.PENDING, ripe=True)
    if chosen is None:
        return None
    record, content_hash = chosen
    payer = key_text(payer_of(scene, pick))
    return instructions.resolve(scene.program, payer=payer, thread_id=record.thread_id, content_hash=content_hash)


def expire(scene: Scene, pick: Pick) -> Instruction | None:
    """A message that waits, too long or not."""
    chosen = overdue(scene, pick) or message_of(scene, pick, StatusByte.PENDING)
    if chosen is None:
        return None
    return instructions.expire(scene.program, thread_id=chosen[0].thread_id, content_hash=chosen[1])


def cancel(scene: Scene, pick: Pick) -> Instruction | None:
    """By the author, or by anybody."""
    chosen = message_of(scene, pick, StatusByte.PENDING)
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
    chosen = message_of(scene, pick, one_of(pick, [StatusByte.EXPIRED, StatusByte.CANCELLED]))
    if chosen is None:
        return None
    record, content_hash = chosen
    payee = scene.message(record, content_hash).author
    payee = one_of(pick, scene.wallets) if chance(pick, 10) else payee
    return instructions.refund(
        scene.program,
        payee=key_text(payee),
        destination=key_text(destination_of(scene, pick, payee)),
        thread_id=record.thread_id,
        content_hash=content_hash,
        payee_signs=chance(pick, 50),
    )


def claim(scene: Scene, pick: Pick) -> Instruction | None:
    """To one who has voted, or to anybody."""
    chosen = message_of(scene, pick, StatusByte.DENIED)
    if chosen is None:
        return None
    record, content_hash = chosen
    voters = [vote.voter for vote in scene.message(record, content_hash).votes]
    payee = one_of(pick, scene.wallets) if chance(pick, 10) or not voters else one_of(pick, voters)
    return instructions.claim(
        scene.program,
        payee=key_text(payee),
        destination=key_text(destination_of(scene, pick, payee)),
        thread_id=record.thread_id,
        content_hash=content_hash,
        payee_signs=chance(pick, 50),
    )


def divest(scene: Scene, pick: Pick) -> Instruction:
    """By one whom others wait for, by anyone who sits there, or by anybody; for what there is or for more."""
    record = thread_of(scene, pick)
    thread = scene.thread(record)
    seats = [seat.key for seat in thread.seats]
    waited_for = holdouts(scene, record)
    anybody = scene.wallets if chance(pick, 15) else seats
    who = one_of(pick, waited_for if waited_for and not chance(pick, 50) else anybody)
    payout = thread.token_balance // len(seats)
    return instructions.divest(
        scene.program,
        co_author=key_text(who),
        destination=key_text(destination_of(scene, pick, who)),
        thread_id=record.thread_id,
        min_payout=one_of(pick, [0, 0, payout, payout + 1]),
    )


def sweep(scene: Scene, pick: Pick) -> Instruction:
    """Any thread, whether it owes something or not."""
    return instructions.sweep(scene.program, thread_id=thread_of(scene, pick).thread_id)
