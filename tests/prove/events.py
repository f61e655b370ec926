"""Steps that are no call of the program: time, deposits, lamports, frozen accounts, forgeries."""

from __future__ import annotations

from copy import copy

from chorale.domain.accounts import StatusByte
from chorale.domain.model import hashing
from chorale.domain.model.run import SYSTEM_PROGRAM, TOKEN_PROGRAM
from chorale.domain.model.values import I64_MAX, Key, Mint, Opaque, TokenAccount, Vote
from programs.wire import key_bytes
from tests.prove.choosing import WINDOW, expected_nonce, leaning, missing_voters
from tests.prove.codec import data_of
from tests.prove.pick import Pick, one_of
from tests.prove.scene import Scene, named_key


def wait(scene: Scene, pick: Pick) -> None:
    """A second, a while, or until a message that waits is just open, or just too late."""
    expiries = [
        message.expires_at
        for record in scene.threads
        for message in (scene.message(record, content_hash) for content_hash in record.messages[-5:])
        if message.status is StatusByte.PENDING
    ]
    now = scene.world.now
    edges = [edge for expiry in expiries[:4] for edge in (expiry - 1, expiry) if edge > now]
    scene.set_time(min(one_of(pick, [*[now + 1, now + 60, now + 600] * 4, now + WINDOW // 3, *edges]), I64_MAX))


def deposit(scene: Scene, pick: Pick) -> None:
    """Somebody sends tokens to a vault unasked."""
    giver, vault = one_of(pick, scene.wallets), one_of(pick, scene.threads).vault
    source, amount = scene.home(giver), 1 + pick.below(5)
    accounts = [scene.value(source), scene.value(vault)]
    frozen = any(isinstance(account, TokenAccount) and account.frozen for account in accounts)
    if not frozen and scene.world.tokens(source) >= amount:
        scene.transfer(source, vault, giver, amount)


def dust(scene: Scene, pick: Pick) -> None:
    """Somebody sends lamports to an address where a thread, a vault or a message may be made next, or to a thread."""
    creator = one_of(pick, scene.wallets)
    thread_id = hashing.thread_id(creator, expected_nonce(scene, creator)).hex()
    thread = scene.program.thread(thread_id)
    addresses = [key_bytes(thread), key_bytes(scene.program.vault(thread))]
    if scene.threads:
        record = one_of(pick, scene.threads)
        author = one_of(pick, scene.wallets)
        body = scene.wallets[0]
        nonce = expected_nonce(scene, author, record)
        content_hash = hashing.content_hash(bytes.fromhex(record.thread_id), author, nonce, body).hex()
        addresses = [*addresses, *[scene.message_key(record, content_hash)] * 3, record.address]
    address = one_of(pick, addresses)
    state = scene.world.states.get(address)
    amount = one_of(pick, [1, 10**6, 10**8])
    if state is None:
        scene.put(address, SYSTEM_PROGRAM, None, amount)
    else:
        scene.put(address, state.owner, state.value, state.lamports + amount)


def freeze(scene: Scene, pick: Pick) -> None:
    """The mint's authority freezes or thaws a token account."""
    wallet = one_of(pick, scene.wallets)
    accounts = [scene.home(wallet), scene.second(wallet), *(record.vault for record in scene.threads), scene.treasury]
    frozen = [key for key in accounts if isinstance(v := scene.value(key), TokenAccount) and v.frozen]
    thaw(scene, frozen) if frozen else thaw(scene, [one_of(pick, accounts)], frozen=True)


def thaw(scene: Scene, keys: list[Key], *, frozen: bool = False) -> None:
    """Thaws token accounts, or freezes them."""
    for key in keys:
        state = scene.world.states[key]
        if isinstance(state.value, TokenAccount):
            state.value.frozen = frozen
            scene.put(key, state.owner, state.value, state.lamports)


def forge(scene: Scene, pick: Pick) -> None:
    """An account appears that resembles a real one: elsewhere, of another owner, cut short, of another version."""
    record = one_of(pick, scene.threads)
    keys = [scene.protocol_key, record.address, record.vault]
    keys += [scene.message_key(record, content_hash) for content_hash in record.messages[-2:]]
    value = copy(scene.value(one_of(pick, keys)))
    data = data_of(value)
    program, forged = scene.world.program, named_key(f"forged {scene.nonce()}")
    ways = [
        (program, value),
        (TOKEN_PROGRAM if isinstance(value, TokenAccount) else program, value),
        (named_key("another program"), value),
        (program, Opaque(data[:-1] if isinstance(value, TokenAccount) else data[:200])),
        (program, Opaque(data[:8] + bytes([2]) + data[9:])),
        (program, Opaque(bytes(len(data)))),
    ]
    owner, what = one_of(pick, ways)
    # The token program's own accounts are never forged: only it writes them.
    if not isinstance(what, TokenAccount | Mint) or owner != TOKEN_PROGRAM:
        scene.put(forged, owner, what)
        scene.strange = [*scene.strange[-6:], forged]


def hurry(scene: Scene, pick: Pick) -> None:
    """All but one of those who are missing vote at once, as if step by step: large threads decide too rarely else."""
    waiting = [
        (record, content_hash)
        for record in scene.threads
        if record.sound
        for content_hash in record.messages
        if (message := scene.message(record, content_hash)).status is StatusByte.PENDING
        and len(missing_voters(scene.thread(record), message)) > 1
    ]
    if not waiting:
        return
    record, content_hash = one_of(pick, waiting)
    thread, message = scene.thread(record), scene.message(record, content_hash)
    voters = missing_voters(thread, message)[1:]
    if scene.world.now >= message.expires_at:
        return
    thread.sequence += len(voters)
    thread.activity_sequence, thread.activity_at = thread.sequence, scene.world.now
    message.sequence = thread.sequence
    cast = [Vote(voter, leaning(pick, message), False, scene.world.now) for voter in voters]
    message.votes = [*message.votes, *cast]
    message.room = max(message.room, len(message.votes))
    for key, beside in ((record.address, 0), (scene.message_key(record, content_hash), 40)):
        state = scene.world.states[key]
        assert state.value is not None
        rent = scene.world.rent_per_byte * (128 + state.value.size + beside)
        scene.put(key, state.owner, state.value, max(state.lamports, rent))
