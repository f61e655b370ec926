"""Kinds of worlds. Each begins without a protocol; once there is one, its first threads are brought where rules end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chorale.domain.model import hashing
from chorale.domain.model.values import I64_MAX, U32_MAX, U64_MAX, Key, Seat, Thread
from programs import instructions
from programs.wire import key_text
from tests.program.harness import START
from tests.prove import calls, events
from tests.prove.audit import FILLER, filler
from tests.prove.choosing import WINDOW, holdouts
from tests.prove.pick import Pick, one_of
from tests.prove.scene import Scene, ThreadRecord

CALL_WEIGHTS = (
    (calls.cast_vote, 36),
    (calls.submit_message, 16),
    (calls.post_message, 7),
    (calls.resolve, 7),
    (calls.claim, 8),
    (calls.refund, 6),
    (calls.expire, 5),
    (calls.cancel, 4),
    (calls.divest, 5),
    (calls.sweep, 4),
    (calls.create_thread, 2),
    (calls.withdraw_treasury, 4),
    (calls.configure, 3),
    (calls.initialize, 1),
)
EVENT_WEIGHTS = ((events.wait, 40), (events.deposit, 20), (events.dust, 15), (events.freeze, 12), (events.forge, 13))


@dataclass(frozen=True)
class Profile:
    """A kind of world: how many wallets, what is prepared, which events happen beside calls."""

    name: str
    wallets: int
    prepare: Callable[[Scene, Pick], None]
    events: tuple[tuple[Callable[[Scene, Pick], None], int], ...] = EVENT_WEIGHTS


def _few(scene: Scene, pick: Pick) -> None:
    """A new thread, and one of four."""
    _open_thread(scene, scene.wallets[0])
    _seated(scene, 4)


def _crowd(scene: Scene, pick: Pick) -> None:
    """A full thread, one with a seat left, and one of eight."""
    for seats in (64, 63, 8):
        _seated(scene, seats)


def _forest(scene: Scene, pick: Pick) -> None:
    """A tree with two leaves left, and one before a new level."""
    for filled in (2**20 - 2, 2 ** (1 + pick.below(19)) - 1):
        record = _seated(scene, 2)
        thread = scene.thread(record)
        record.filled = thread.published_count = thread.message_count = filled
        thread.frontier = [filler()[level] if filled >> level & 1 else bytes(32) for level in range(20)]
        thread.content_root = hashing.root_of(lambda _: hashing.leaf(FILLER), filled, filled, filler())
        _rewrite(scene, record, thread)


def _brink(scene: Scene, pick: Pick) -> None:
    """Counters shortly before their end, a vault that is short, and a protocol that has been changed often."""
    for room in (10, 25, 50):
        record = _open_thread(scene, scene.wallets[0])
        thread = scene.thread(record)
        record.sound = False
        thread.sequence = thread.activity_sequence = U64_MAX - room
        _rewrite(scene, record, thread)
    record = _open_thread(scene, scene.wallets[1])
    thread = scene.thread(record)
    thread.message_count = U32_MAX - 3
    _rewrite(scene, record, thread)
    record = _open_thread(scene, scene.wallets[2])
    thread = scene.thread(record)
    record.sound, thread.token_balance = False, 10**6
    _rewrite(scene, record, thread)
    _seated(scene, 4)
    _seated(scene, 3)
    protocol = scene.protocol
    assert protocol is not None
    protocol.sequence = U64_MAX - 4
    scene.put(scene.protocol_key, scene.world.program, protocol)


def _leap(scene: Scene, pick: Pick) -> None:
    """The clock jumps to where a window would end after the end of time, or back."""
    end = I64_MAX - WINDOW // 2
    scene.set_time(scene.world.now - end + START if scene.world.now > end else end + 1)


def _exhaust(scene: Scene, pick: Pick) -> None:
    """A thread's sequence comes to its end, for good: whatever its messages wait for. Some holdouts have just left."""
    records = [record for record in scene.threads if record.sound and record.messages]
    awaited = [record for record in records if holdouts(scene, record) and len(scene.thread(record).seats) > 1]
    if records:
        record = one_of(pick, awaited or records)
        thread = scene.thread(record)
        gone = holdouts(scene, record)[:1] if awaited else []
        thread.seats = [seat for seat in thread.seats if seat.key not in gone]
        record.sound, thread.sequence = False, U64_MAX - (0 if gone else pick.below(2))
        _rewrite(scene, record, thread)


PROFILES = (
    Profile("few", 7, _few, ((events.hurry, 30), *EVENT_WEIGHTS)),
    Profile("crowd", 67, _crowd, ((events.hurry, 80), *EVENT_WEIGHTS)),
    Profile("forest", 5, _forest),
    Profile("brink", 7, _brink, ((_leap, 8), (_exhaust, 25), (events.hurry, 25), *EVENT_WEIGHTS)),
)


def profile_of(number: int) -> Profile:
    """Which kind the world with this number is: every other one is of the first."""
    return PROFILES[0] if number % 2 == 0 else PROFILES[1 + number // 2 % 3]


def _open_thread(scene: Scene, creator: Key) -> ThreadRecord:
    scene.execute(
        instructions.create_thread(
            scene.program,
            payer=key_text(scene.sponsor),
            creator=key_text(creator),
            mint=key_text(scene.protocol_mint),
            nonce=scene.nonce(),
            title_hash=FILLER.hex(),
        )
    )
    return scene.threads[-1]


def _seated(scene: Scene, seats: int) -> ThreadRecord:
    """A thread where so many wallets sit."""
    record = _open_thread(scene, scene.wallets[0])
    thread = scene.thread(record)
    thread.seats = [Seat(wallet, 1) for wallet in scene.wallets[:seats]]
    thread.room = seats
    _rewrite(scene, record, thread)
    return record


def _rewrite(scene: Scene, record: ThreadRecord, thread: Thread) -> None:
    state = scene.world.states[record.address]
    rent = scene.world.rent_per_byte * (128 + thread.size)
    scene.put(record.address, state.owner, thread, max(state.lamports, rent))
