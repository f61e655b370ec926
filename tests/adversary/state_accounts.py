"""Attacks on the program's own accounts: those that are there, and the addresses where new ones are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256

from solders.account import Account
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chorale.domain.program_errors import ProgramError
from programs import identity
from programs.accounts import (
    CO_AUTHOR_SIZE,
    MESSAGE_THREAD,
    MESSAGE_VECTOR,
    PROTOCOL_SIZE,
    THREAD_VECTOR,
    VOTE_SIZE,
)
from programs.addresses import SYSTEM_PROGRAM, TOKEN_PROGRAM
from programs.instruction_codec import decode_instruction
from programs.interface import MAX_CO_AUTHORS, AccountRole, InstructionSpec
from programs.wire import hash_bytes, key_bytes
from tests.adversary.attack import Arrange, Attack, Refusal, Strike, Threat
from tests.adversary.scenes import NEW_NONCE, Scene
from tests.program.altered import with_account, with_meta

INVALID = ProgramError.INVALID_ACCOUNT
VECTOR = {"thread": THREAD_VECTOR, "message": MESSAGE_VECTOR}
_ITEM = {"thread": CO_AUTHOR_SIZE, "message": VOTE_SIZE}
_SIZES = {"protocol": PROTOCOL_SIZE, "thread": THREAD_VECTOR + 4, "message": MESSAGE_VECTOR + 4}
_NOBODY = str(Keypair().pubkey())
_BUMP, _VAULT_BUMP = 9, 10


def on_state(spec: InstructionSpec, role: AccountRole) -> Iterator[Attack]:
    """An account of the program has to be the one, with its header, at its address, whole."""

    def attack(threat: Threat, detail: str, arrange: Arrange, expected: Refusal = INVALID) -> Attack:
        return Attack(spec.name, role.name, threat, detail, expected, arrange)

    def bytes_at(offset: int, value: bytes) -> Arrange:
        def change(data: bytes) -> bytes:
            return data[:offset] + value + data[offset + len(value) :]

        return rewritten(role.name, change)

    yield attack(Threat.ABSENT, "", moved(role.name, None))
    yield attack(Threat.ABSENT, "removed", removed(role.name))
    for who, owner in (("nobody's", _NOBODY), ("a wallet", SYSTEM_PROGRAM), ("the token program's", TOKEN_PROGRAM)):
        yield attack(Threat.OTHER_OWNER, who, owned_by(role.name, owner))
    for other in ("protocol", "thread", "message"):
        if other != role.name:
            yield attack(Threat.OTHER_TYPE, f"a genuine {other}", _genuine(role.name, other))
    yield attack(Threat.FORGED, "a copy", moved(role.name, "copy"))
    for detail, arrange in lookalikes(role.name):
        yield attack(Threat.FORGED, detail, arrange)
    if role.name == "thread":
        # A caller who forges the thread derives everything below it from the forgery.
        yield attack(Threat.FORGED, "a copy with all that hangs on it", _forged_thread)
        yield attack(Threat.ELSEWHERE, "another thread", _other_thread, _OTHER_THREAD.get(spec.name, INVALID))
    if role.name == "message":
        yield attack(Threat.ELSEWHERE, "moved to another thread", _transplanted)
    if role.writable:
        yield attack(Threat.READ_ONLY, "", read_only(role.name))
    for offset in range(8):
        yield attack(Threat.HEADER, f"discriminator {offset}", bytes_at(offset, b"\xaa"))
    for version in (0, 2, 255):
        yield attack(Threat.HEADER, f"version {version}", bytes_at(8, bytes([version])))
    yield attack(Threat.HEADER, "bump", rewritten(role.name, lambda d: d[:_BUMP] + bytes([d[_BUMP] ^ 1]) + d[10:]))
    size = _SIZES[role.name]
    for length in (0, 8, 10, size - 1):
        yield attack(Threat.TRUNCATED, f"{length} bytes", cut(role.name, length))
    if role.name in VECTOR:
        yield attack(Threat.TRUNCATED, "its last item", rewritten(role.name, lambda d: _used(d, role.name)[:-1]))
        for count in (MAX_CO_AUTHORS, MAX_CO_AUTHORS + 1, 2**31, 2**32 - 1):
            yield attack(Threat.OVERSIZE, str(count), bytes_at(VECTOR[role.name], count.to_bytes(4, "little")))
        yield attack(Threat.OVERSIZE, "by one", rewritten(role.name, lambda d: _one_too_many(d, role.name)))


def on_new(spec: InstructionSpec, role: AccountRole) -> Iterator[Attack]:
    """An account is made once, at its canonical address, where nothing but lamports may be."""

    def attack(threat: Threat, detail: str, arrange: Arrange) -> Attack:
        return Attack(spec.name, role.name, threat, detail, INVALID, arrange)

    def holding(owner: str, data: bytes) -> Arrange:
        def arrange(scene: Scene) -> Strike:
            account = Account(10**9, data, Pubkey.from_string(owner or scene.chain.program.program_id))
            return Strike(scene.instruction, {scene.address(role.name): account})

        return arrange

    yield attack(Threat.REINITIALISED, "by the instruction itself", _made_before(role.name))
    yield attack(Threat.REINITIALISED, "empty", holding("", b""))
    yield attack(Threat.OTHER_OWNER, "another program's, empty", holding(TOKEN_PROGRAM, b""))
    yield attack(Threat.OTHER_TYPE, "a wallet with data", holding(SYSTEM_PROGRAM, b"\0"))
    yield attack(Threat.FORGED, "another address", moved(role.name, None))
    yield attack(Threat.FORGED, "not the canonical bump", _lower_bump(role.name))
    for detail, arrange in lookalikes(role.name):
        yield attack(Threat.FORGED, detail, arrange)
    yield attack(Threat.READ_ONLY, "", read_only(role.name))
    if spec.name != "initialize":
        yield attack(Threat.ELSEWHERE, "of another thread", _new_elsewhere(role.name))


_OTHER_THREAD: dict[str, Refusal] = {
    # Whoever posts elsewhere is an outsider there; all others name a message or a vault that gives them away.
    "post_message": ProgramError.NOT_A_CO_AUTHOR,
}


def moved(role: str, copy: str | None) -> Arrange:
    """A fresh address in the role's place, with nothing there or with a copy of what it stands for."""

    def arrange(scene: Scene) -> Strike:
        address = str(Keypair().pubkey())
        account = scene.account(role) if copy else None
        return Strike(with_account(scene.instruction, scene.place(role), address), {address: account})

    return arrange


def lookalikes(role: str) -> Iterator[tuple[str, Arrange]]:
    """A copy at addresses that differ from the genuine one in a single bit, within each 8 bytes that are compared."""
    for place in (0, 7, 8, 16, 24, 31):

        def arrange(scene: Scene, place: int = place) -> Strike:
            raw = bytearray(key_bytes(scene.address(role)))
            raw[place] ^= 1
            address = str(Pubkey.from_bytes(bytes(raw)))
            copy = scene.chain.account(scene.address(role))
            return Strike(with_account(scene.instruction, scene.place(role), address), {address: copy})

        yield f"unlike in byte {place}", arrange


def removed(role: str) -> Arrange:
    """The address is right, and nothing is there."""
    return lambda scene: Strike(scene.instruction, {scene.address(role): None})


def owned_by(role: str, owner: str) -> Arrange:
    """The address and the bytes are right, the owner is not."""

    def arrange(scene: Scene) -> Strike:
        account = scene.account(role)
        changed = Account(account.lamports, account.data, Pubkey.from_string(owner))
        return Strike(scene.instruction, {scene.address(role): changed})

    return arrange


def read_only(role: str) -> Arrange:
    """The account is the right one, but not writable."""
    return lambda scene: Strike(with_meta(scene.instruction, scene.place(role), is_writable=False))


def rewritten(role: str, change: Callable[[bytes], bytes]) -> Arrange:
    """The address and the owner are right, the bytes are changed."""

    def arrange(scene: Scene) -> Strike:
        account = scene.account(role)
        return Strike(scene.instruction, {scene.address(role): with_bytes(account, change(account.data))})

    return arrange


def cut(role: str, length: int) -> Arrange:
    """The account with `length` bytes of data; zeroes stand behind where that is more."""
    return rewritten(role, lambda data: data.ljust(length, b"\0")[:length])


def with_bytes(account: Account, data: bytes) -> Account:
    """The account with other data."""
    return Account(account.lamports, data, account.owner)


def _count(data: bytes, role: str) -> int:
    return int.from_bytes(data[VECTOR[role] : VECTOR[role] + 4], "little")


def _used(data: bytes, role: str) -> bytes:
    return data[: VECTOR[role] + 4 + _ITEM[role] * _count(data, role)]


def _one_too_many(data: bytes, role: str) -> bytes:
    room = (len(data) - VECTOR[role] - 4) // _ITEM[role]
    return data[: VECTOR[role]] + (room + 1).to_bytes(4, "little") + data[VECTOR[role] + 4 :]


def _genuine(role: str, other: str) -> Arrange:
    def arrange(scene: Scene) -> Strike:
        assert scene.here and scene.elsewhere
        program = scene.chain.program
        address = {
            "protocol": program.protocol(),
            "thread": program.thread(scene.here.thread_id),
            "message": scene.other_message,
        }[other]
        return Strike(with_account(scene.instruction, scene.place(role), address))

    return arrange


def _other_thread(scene: Scene) -> Strike:
    assert scene.elsewhere
    address = scene.chain.program.thread(scene.elsewhere.thread_id)
    return Strike(with_account(scene.instruction, scene.place("thread"), address))


def _message_under(scene: Scene, thread: str) -> tuple[str, Account]:
    """The scene's message as it would stand in the thread at `thread`."""
    message = scene.account("message")
    content_hash = message.data[75:107].hex()
    address, bump = scene.chain.program.message_and_bump(thread, content_hash)
    data = message.data[:_BUMP] + bytes([bump]) + key_bytes(thread) + message.data[MESSAGE_THREAD + 32 :]
    return address, with_bytes(message, data)


def _transplanted(scene: Scene) -> Strike:
    assert scene.elsewhere
    address, message = _message_under(scene, scene.chain.program.thread(scene.elsewhere.thread_id))
    return Strike(with_account(scene.instruction, scene.place("message"), address), {address: message})


def _forged_thread(scene: Scene) -> Strike:
    program, forged = scene.chain.program, str(Keypair().pubkey())
    thread = scene.account("thread")
    vault, vault_bump = Pubkey.find_program_address(
        [b"vault", key_bytes(forged)], Pubkey.from_string(program.program_id)
    )
    data = thread.data[:_VAULT_BUMP] + bytes([vault_bump]) + thread.data[_VAULT_BUMP + 1 :]
    overrides: dict[str, Account | None] = {forged: with_bytes(thread, data)}
    altered = with_account(scene.instruction, scene.place("thread"), forged)
    roles = [role.name for role in scene.spec.accounts]
    if "vault" in roles:
        genuine = scene.account("vault")
        overrides[str(vault)] = with_bytes(genuine, genuine.data[:32] + key_bytes(forged) + genuine.data[64:])
        altered = with_account(altered, scene.place("vault"), str(vault))
    if "message" in roles:
        if scene.chain.account(scene.address("message")):
            address, message = _message_under(scene, forged)
            overrides[address] = message
        else:
            address = program.message(forged, new_content_hash(scene))
        altered = with_account(altered, scene.place("message"), address)
    return Strike(altered, overrides)


def new_content_hash(scene: Scene) -> str:
    """Content hash of the message that the scene's post or submission makes."""
    assert scene.here
    decoded = decode_instruction(bytes(scene.instruction.data), [str(m.pubkey) for m in scene.instruction.accounts])
    nonce, body_hash = decoded.args["nonce"], decoded.args["body_hash"]
    assert isinstance(nonce, int) and isinstance(body_hash, str)
    return identity.content_hash(scene.here.thread_id, decoded.accounts["author"], nonce, body_hash)


def _made_before(role: str) -> Arrange:
    def arrange(scene: Scene) -> Strike:
        before = scene.chain.world()
        assert scene.send(scene.instruction).ok
        made = scene.account(role)
        scene.write(before)
        return Strike(scene.instruction, {scene.address(role): made})

    return arrange


def _seeds(scene: Scene, role: str) -> list[bytes]:
    if scene.spec.name == "initialize":
        return [role.encode()]
    thread = key_bytes(scene.address("thread"))
    match role:
        case "thread":
            return [b"thread", hash_bytes(identity.thread_id(scene.address("creator"), NEW_NONCE))]
        case "vault":
            return [b"vault", thread]
        case _:
            return [b"message", thread, hash_bytes(new_content_hash(scene))]


def _lower_bump(role: str) -> Arrange:
    """The next address that the seeds have below the canonical one."""

    def arrange(scene: Scene) -> Strike:
        seeds, program = _seeds(scene, role), Pubkey.from_string(scene.chain.program.program_id)
        canonical, bump = Pubkey.find_program_address(seeds, program)
        assert str(canonical) == scene.address(role)
        for lower in range(bump - 1, -1, -1):
            parts = (*seeds, bytes([lower]), bytes(program), b"ProgramDerivedAddress")
            address = Pubkey.from_bytes(sha256(b"".join(parts)).digest())
            if not address.is_on_curve():
                return Strike(with_account(scene.instruction, scene.place(role), str(address)))
        raise AssertionError("the seeds have one address only")

    return arrange


def _new_elsewhere(role: str) -> Arrange:
    def arrange(scene: Scene) -> Strike:
        assert scene.elsewhere
        program = scene.chain.program
        if role == "message":
            thread = program.thread(scene.elsewhere.thread_id)
            address = program.message(thread, new_content_hash(scene))
        else:
            thread = program.thread(identity.thread_id(scene.address("creator"), NEW_NONCE + 1))
            address = thread if role == "thread" else program.vault(thread)
        return Strike(with_account(scene.instruction, scene.place(role), address))

    return arrange
