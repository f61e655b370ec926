"""A chain and its model side by side: who and what there is, and the one way in which a step is taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from chorale.domain.model.run import SYSTEM_PROGRAM, TOKEN_PROGRAM
from chorale.domain.model.tokens import associated
from chorale.domain.model.values import Key, Message, Mint, Opaque, Protocol, State, Thread, TokenAccount, Value
from chorale.domain.model.world import INSTRUCTIONS, Call, Meta, Outcome, World
from programs.addresses import ProgramAddresses
from programs.wire import key_bytes, key_text
from tests.program.harness import SOL, START
from tests.prove.chain import Chain, Image, image_of
from tests.prove.words import first_difference, shown, words

TOKENS = 1_000_000
SUPPLY = 10**15
UNKNOWN = "(unknown)"


class Difference(AssertionError):
    """The compiled program and the model do not agree."""


@dataclass(slots=True)
class ThreadRecord:
    """A thread that was made: its id in hex, its accounts, the content hashes of its messages in hex, their accounts.

    `filled` leaves of its tree were there before its messages; `sound` tells that its state came about by the rules.
    """

    thread_id: str
    address: Key
    vault: Key
    messages: list[str] = field(default_factory=list)
    message_keys: dict[str, Key] = field(default_factory=dict)
    filled: int = 0
    sound: bool = True


def named_key(name: str) -> Key:
    """A key of its own for every name."""
    return sha256(name.encode()).digest()


class Scene:
    """Wallets with two token accounts each, three mints, a program that is not initialised yet, and a sponsor."""

    def __init__(self, wallets: int, watch: Callable[[str, Outcome], None] = lambda *_: None) -> None:
        program = named_key("program")
        self.watch = watch
        self.chain = Chain(program)
        self.world = World(program, self.chain.rent_per_byte)
        self.program = ProgramAddresses(key_text(program))
        self.set_time(START)
        self.sponsor, self.broke = named_key("sponsor"), named_key("broke")
        self.mint, self.freezable, self.foreign = (named_key(f"mint {name}") for name in "abc")
        self.protocol_mint = self.mint
        self.wallets = [named_key(f"wallet {number}") for number in range(wallets)]
        self.strange: list[Key] = [named_key("nobody")]
        self.programs = {program, SYSTEM_PROGRAM, TOKEN_PROGRAM}
        self.threads: list[ThreadRecord] = []
        self.steps: list[str] = []
        self.touched: set[Key] = set()
        self.described = False
        self.next_nonce = 3
        self._images: dict[Key, Image | None] = {}
        self._furnish()

    @property
    def protocol_key(self) -> Key:
        """Address of the `Protocol` account."""
        return key_bytes(self.program.protocol())

    @property
    def treasury(self) -> Key:
        """Address of the treasury."""
        return key_bytes(self.program.treasury())

    @property
    def protocol(self) -> Protocol | None:
        """The parameters, once there are any."""
        value = self.value(self.protocol_key)
        return value if isinstance(value, Protocol) else None

    def value(self, key: Key) -> Value | None:
        """What the model has at an address."""
        state = self.world.states.get(key)
        return state.value if state else None

    def thread(self, record: ThreadRecord) -> Thread:
        """A thread as it is."""
        value = self.value(record.address)
        assert isinstance(value, Thread)
        return value

    def message(self, record: ThreadRecord, content_hash: str) -> Message:
        """A message as it is."""
        value = self.value(record.message_keys[content_hash])
        assert isinstance(value, Message)
        return value

    def message_key(self, record: ThreadRecord, content_hash: str) -> Key:
        """Address of a message's account."""
        return key_bytes(self.program.message(key_text(record.address), content_hash))

    def home(self, wallet: Key) -> Key:
        """A wallet's associated token account."""
        return associated(wallet, self.protocol_mint)

    def second(self, wallet: Key) -> Key:
        """A wallet's other token account for the same mint."""
        return named_key(f"second {self.protocol_mint.hex()} {wallet.hex()}")

    def foreign_account(self, wallet: Key) -> Key:
        """A wallet's token account for a mint that the protocol does not know."""
        return associated(wallet, self.foreign)

    def nonce(self) -> int:
        """A number that was not given before."""
        self.next_nonce += 1
        return self.next_nonce - 1

    def put(self, key: Key, owner: Key, value: Value | None, lamports: int | None = None) -> None:
        """Writes an account on both sides, with its rent unless `lamports` are given."""
        rent = self.world.rent_per_byte * (128 + value.size) if value else 0
        state = State(rent if lamports is None else lamports, owner, value)
        self.world.states[key] = state
        self.chain.put(key, state)
        self._images[key] = image_of(state)

    def set_time(self, now: int) -> None:
        """Moves the clock on both sides, unix s."""
        self.world.now = now
        self.chain.set_time(now)

    def execute(self, instruction: Instruction) -> Outcome:
        """Takes one step on both sides. Raises Difference unless outcome, error and all accounts named agree."""
        metas = tuple(Meta(bytes(meta.pubkey), meta.is_signer, meta.is_writable) for meta in instruction.accounts)
        call = Call(bytes(instruction.data), metas, self.sponsor)
        outcome = self.world.execute(call)
        handler = INSTRUCTIONS.get(call.data[:8])
        name = handler.__name__ if handler else UNKNOWN
        known = self.described and name != UNKNOWN
        self.steps.append(f"{name}{words(self, instruction) if known else ''}: {shown(outcome)}")
        answer = self.chain.execute(instruction, self.sponsor)
        expected = None if isinstance(outcome, str) else outcome.value
        if answer != expected:
            raise Difference(f"{name}: the model says {shown(outcome)}, the program {answer or 'success'}")
        touched = {meta.key for meta in metas} - self.programs | {self.sponsor}
        if isinstance(outcome, str):
            for key in touched:
                self._images[key] = image_of(self.world.states.get(key))
        else:
            self._images[self.sponsor] = image_of(self.world.states[self.sponsor])
        self.compare(touched)
        self.touched = touched
        if isinstance(outcome, str):
            self._note(name, [meta.key for meta in metas])
        self.watch(name, outcome)
        return outcome

    def transfer(self, source: Key, destination: Key, holder: Key, amount: int) -> None:
        """Somebody moves tokens with the token program alone."""
        metas = [
            AccountMeta(Pubkey(source), False, True),
            AccountMeta(Pubkey(destination), False, True),
            AccountMeta(Pubkey(holder), True, False),
        ]
        data = bytes([3]) + amount.to_bytes(8, "little")
        answer = self.chain.execute(Instruction(Pubkey(TOKEN_PROGRAM), data, metas), self.sponsor)
        if answer is not None:
            raise Difference(f"a transfer between token accounts fails with {answer}")
        self.world.states[self.sponsor].lamports -= 2 * 5_000
        self.world.transfer(source, destination, amount)
        for key in (source, destination, self.sponsor):
            self._images[key] = image_of(self.world.states[key])

    def compare(self, keys: set[Key] | None = None) -> None:
        """Raises Difference unless these accounts (all that there are by default) are equal on both sides."""
        for key in self._images if keys is None else keys:
            expected, found = self._images.get(key), self.chain.image(key)
            if expected != found:
                value = self.value(key)
                raise Difference(f"{type(value).__name__} {key_text(key)}: {first_difference(expected, found)}")

    def _note(self, name: str, keys: list[Key]) -> None:
        """Remembers what a call has made."""
        if name == "initialize":
            self.protocol_mint = keys[5]
            self._give_tokens()
        elif name == "create_thread":
            thread = self.value(keys[3])
            assert isinstance(thread, Thread)
            self.threads.append(ThreadRecord(thread.thread_id.hex(), keys[3], keys[4]))
        elif name in ("post_message", "submit_message"):
            thread_key, message_key = keys[2:4] if name == "post_message" else keys[3:5]
            message = self.value(message_key)
            assert isinstance(message, Message)
            record = next(record for record in self.threads if record.address == thread_key)
            content_hash = message.content_hash.hex()
            record.messages.append(content_hash)
            record.message_keys[content_hash] = message_key

    def _furnish(self) -> None:
        self.put(self.sponsor, SYSTEM_PROGRAM, None, 10**9 * SOL)
        self.put(self.mint, TOKEN_PROGRAM, Mint(SUPPLY))
        self.put(self.freezable, TOKEN_PROGRAM, Mint(SUPPLY, freezable=True))
        self.put(self.foreign, TOKEN_PROGRAM, Mint(SUPPLY))
        self.put(self.strange[0], SYSTEM_PROGRAM, Opaque(b"bytes of no program"))
        for wallet in self.wallets:
            self.put(wallet, SYSTEM_PROGRAM, None, SOL)
        for key in self.programs:
            # There, and nothing that the program reads.
            self.world.states[key] = State(1, named_key("loader"), Opaque(b""))

    def _give_tokens(self) -> None:
        """Every wallet has its token accounts, for the mint that the protocol took."""
        for wallet in self.wallets:
            self.put(self.home(wallet), TOKEN_PROGRAM, TokenAccount(self.protocol_mint, wallet, TOKENS))
            self.put(self.second(wallet), TOKEN_PROGRAM, TokenAccount(self.protocol_mint, wallet, TOKENS))
            self.put(self.foreign_account(wallet), TOKEN_PROGRAM, TokenAccount(self.foreign, wallet, TOKENS))
