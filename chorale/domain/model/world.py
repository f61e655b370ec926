"""A chain in small: accounts by address, a clock, and instructions that either happen whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from typing import NamedTuple

from chorale.domain.model import administration, deciding, paying, writing
from chorale.domain.model.hashing import digest
from chorale.domain.model.run import SYSTEM_PROGRAM, Place, Refusal, Refused, Run
from chorale.domain.model.tokens import transfer
from chorale.domain.model.values import Key, State, TokenAccount
from chorale.domain.program_errors import ProgramError

FEE_PER_SIGNATURE = 5_000  # lamports

_INSTRUCTIONS: tuple[Callable[[Run], str], ...] = (
    administration.initialize,
    administration.configure,
    administration.withdraw_treasury,
    writing.create_thread,
    writing.post_message,
    writing.submit_message,
    deciding.cast_vote,
    deciding.resolve,
    deciding.expire,
    deciding.cancel,
    paying.refund,
    paying.claim,
    paying.divest,
    paying.sweep,
)
INSTRUCTIONS = {digest(f"global:{handler.__name__}".encode())[:8]: handler for handler in _INSTRUCTIONS}

Outcome = str | Refusal
"""How an instruction ended: words for the kind of success, or what it was refused with."""


class Meta(NamedTuple):
    """One entry of an account list."""

    key: Key
    signer: bool
    writable: bool


class Call(NamedTuple):
    """One transaction with one instruction."""

    data: bytes
    metas: tuple[Meta, ...]
    fee_payer: Key


@dataclass(slots=True)
class World:
    """`states` holds the accounts that exist, `now` is the clock."""

    program: Key
    rent_per_byte: int
    now: int = 0
    states: dict[Key, State] = field(default_factory=dict)

    def execute(self, call: Call) -> Outcome:
        """Takes the fee, runs the instruction, and keeps what it did if it went through."""
        # One account's flags hold for all its places.
        signers = {meta.key for meta in call.metas if meta.signer} | {call.fee_payer}
        writable = {meta.key for meta in call.metas if meta.writable} | {call.fee_payer}
        self.states[call.fee_payer].lamports -= FEE_PER_SIGNATURE * len(signers)

        keys = dict.fromkeys(meta.key for meta in call.metas)
        copies = {key: self._copied(key) for key in keys}
        places = [Place(meta.key, meta.key in signers, meta.key in writable, copies[meta.key]) for meta in call.metas]
        handler = INSTRUCTIONS.get(call.data[:8])
        if handler is None:
            return ProgramError.INVALID_INSTRUCTION_DATA
        try:
            outcome = handler(Run(self.program, self.now, self.rent_per_byte, places, call.data[8:]))
        except Refused as refused:
            return refused.refusal
        self.states.update((key, state) for key, state in copies.items() if state.lamports)
        return outcome

    def transfer(self, source: Key, destination: Key, amount: int) -> None:
        """Somebody moves tokens without this program. Raises Refused as the token program would refuse."""
        giver, taker = (Place(key, False, True, self.states[key]) for key in (source, destination))
        transfer(giver, taker, amount)

    def tokens(self, key: Key) -> int:
        """Base units in a token account, 0 where there is none."""
        state = self.states.get(key)
        return state.value.amount if state and isinstance(state.value, TokenAccount) else 0

    def _copied(self, key: Key) -> State:
        state = self.states.get(key)
        return State(state.lamports, state.owner, copy(state.value)) if state else State(0, SYSTEM_PROGRAM)
