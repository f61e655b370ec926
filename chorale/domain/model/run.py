"""One instruction in progress: its accounts as copies, its arguments, and the checks that instructions share."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from chorale.domain.model.hashing import address_at, derived
from chorale.domain.model.values import U64_MAX, Key, Message, Protocol, State, Thread, Value
from chorale.domain.program_errors import ProgramError

SYSTEM_PROGRAM = bytes(32)
TOKEN_PROGRAM = bytes.fromhex("06ddf6e1d765a193d9cbe146ceeb79ac1cb485ed5f5b37913a8cf5857eff00a9")
ACCOUNT_OVERHEAD = 128  # bytes that every account's rent is charged beside its data


class CalledProgramError(IntEnum):
    """Refusals of the token and system programs, which the program passes on."""

    INSUFFICIENT_FUNDS = 1
    ACCOUNT_FROZEN = 17


Refusal = ProgramError | CalledProgramError


class Refused(Exception):
    """The instruction fails with `refusal`, and nothing of it remains."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.name)
        self.refusal = refusal


def demand(condition: bool, refusal: Refusal) -> None:
    """Raises Refused unless `condition` holds."""
    if not condition:
        raise Refused(refusal)


@dataclass(slots=True)
class Place:
    """An account as an instruction sees it. The same account in two places has one state."""

    key: Key
    signer: bool
    writable: bool
    state: State


@dataclass(slots=True)
class Run:
    """`arguments` are the bytes behind the discriminator; `rent_per_byte` is in lamports."""

    program: Key
    now: int
    rent_per_byte: int
    places: list[Place]
    arguments: bytes

    def accounts(self, count: int) -> list[Place]:
        """The account list, which has to have this length."""
        demand(len(self.places) == count, ProgramError.INVALID_ACCOUNT)
        return self.places

    def arguments_as(self, layout: str) -> tuple[int | bytes, ...]:
        """All arguments, little endian; `?` takes a byte that is 0 or 1."""
        form = struct.Struct("<" + layout.replace("?", "B"))
        demand(len(self.arguments) == form.size, ProgramError.INVALID_INSTRUCTION_DATA)
        values: tuple[int | bytes, ...] = form.unpack(self.arguments)
        if layout.endswith("?"):
            demand(values[-1] in (0, 1), ProgramError.INVALID_INSTRUCTION_DATA)
        return values

    def signed(self, place: Place) -> None:
        """A required signature."""
        demand(place.signer, ProgramError.UNAUTHORIZED)

    def writable(self, place: Place) -> None:
        """An account that will be written."""
        demand(place.writable, ProgramError.INVALID_ACCOUNT)

    def payer(self, place: Place) -> None:
        """Who pays for rent."""
        self.signed(place)
        self.writable(place)

    def is_at(self, place: Place, address: Key) -> None:
        """The one address that is allowed."""
        demand(place.key == address, ProgramError.INVALID_ACCOUNT)

    def is_derived(self, place: Place, bump: int, *seeds: bytes) -> None:
        """The address of these seeds with the bump that was found when the account was made."""
        self.is_at(place, address_at(self.program, seeds, bump))

    def protocol(self, place: Place) -> Protocol:
        """The `Protocol` account."""
        value = place.state.value
        if not isinstance(value, Protocol) or place.state.owner != self.program:
            raise Refused(ProgramError.INVALID_ACCOUNT)
        self.is_derived(place, value.bump, b"protocol")
        return value

    def thread(self, place: Place) -> Thread:
        """A `Thread` account, about to be written."""
        self.writable(place)
        value = place.state.value
        if not isinstance(value, Thread) or place.state.owner != self.program:
            raise Refused(ProgramError.INVALID_ACCOUNT)
        self.is_derived(place, value.bump, b"thread", value.thread_id)
        return value

    def message(self, place: Place, thread: Place) -> Message:
        """A `Message` account of `thread`, about to be written."""
        self.writable(place)
        value = place.state.value
        if not isinstance(value, Message) or place.state.owner != self.program:
            raise Refused(ProgramError.INVALID_ACCOUNT)
        demand(value.thread == thread.key, ProgramError.INVALID_ACCOUNT)
        self.is_derived(place, value.bump, b"message", value.thread, value.content_hash)
        return value

    def vacant(self, place: Place, *seeds: bytes) -> int:
        """An account still to be made at the canonical address of these seeds. Returns the bump."""
        self.writable(place)
        demand(place.state.owner == SYSTEM_PROGRAM and place.state.value is None, ProgramError.INVALID_ACCOUNT)
        address, bump = derived(self.program, *seeds)
        self.is_at(place, address)
        return bump

    def rent(self, size: int) -> int:
        """Lamports that keep an account of `size` bytes on chain for ever."""
        return self.rent_per_byte * (ACCOUNT_OVERHEAD + size)

    def fund(self, payer: Place, place: Place, lamports: int) -> None:
        """Tops an account up to `lamports`; the payer pays what is missing."""
        missing = lamports - place.state.lamports
        if missing > 0:
            demand(payer.state.lamports >= missing, CalledProgramError.INSUFFICIENT_FUNDS)
            payer.state.lamports -= missing
            place.state.lamports += missing

    def make(self, payer: Place, place: Place, owner: Key, value: Value, beside: int = 0) -> None:
        """Makes an account with its rent and `beside` lamports more. What was there already counts."""
        self.fund(payer, place, self.rent(value.size) + beside)
        place.state.owner, place.state.value = owner, value


def counted(total: int, change: int, most: int = U64_MAX) -> int:
    """A total or counter after a change. Raises Refused where it leaves its range."""
    demand(0 <= total + change <= most, ProgramError.MATH_OVERFLOW)
    return total + change


def touched(account: Thread | Protocol) -> int:
    """Counts a change. Returns the new sequence."""
    account.sequence = counted(account.sequence, 1)
    return account.sequence


def touched_active(thread: Thread, now: int) -> int:
    """Counts a change that lifts the thread in the order of activity. Returns the new sequence."""
    thread.activity_sequence = touched(thread)
    thread.activity_at = now
    return thread.sequence
