"""LiteSVM with the compiled program, made for many steps: keys without keypairs, accounts compared as they are."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from solders.account import Account
from solders.clock import Clock
from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import Message
from solders.pubkey import Pubkey
from solders.rpc.responses import RpcSimulateTransactionResult
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from chorale.domain.model.values import Key, State
from tests.program.harness import OTHER_BUILD, PROGRAM_FILE
from tests.prove.codec import data_of

Image = tuple[int, bytes, bytes]
"""Lamports, owner and bytes of an account."""

_NO_BLOCKHASH = Hash.default()


class Chain:
    """One chain with the program at `program`: the committed build, or the one that CHORALE_TEST_PROGRAM names.

    The runtime's check of signatures is off: who signs is what the instruction's list says, as the program sees it.
    """

    def __init__(self, program: Key) -> None:
        litesvm = pytest.importorskip("solders.litesvm", reason="LiteSVM is absent from this platform's solders")
        program_file = Path(os.environ.get(OTHER_BUILD) or PROGRAM_FILE)
        self.svm = litesvm.LiteSVM().with_sigverify(False).with_blockhash_check(False).with_transaction_history(0)
        self.svm.add_program(Pubkey(program), program_file.read_bytes())
        self._clock = self.svm.get_clock()

    @property
    def rent_per_byte(self) -> int:
        """Lamports that keep one byte on chain for ever."""
        rent = self.svm.get_rent()
        return int(rent.lamports_per_byte_year * rent.exemption_threshold)

    def execute(self, instruction: Instruction, fee_payer: Key) -> Any:
        """Runs one transaction. None on success, the custom error number, or whatever else the runtime says."""
        message = Message.new_with_blockhash([instruction], Pubkey(fee_payer), _NO_BLOCKHASH)
        unsigned = [Signature.default()] * message.header.num_required_signatures
        answer = self.svm.send_transaction(VersionedTransaction.populate(message, unsigned))
        if not hasattr(answer, "err"):
            return None
        error = json.loads(RpcSimulateTransactionResult(err=answer.err()).to_json())["err"]
        match error:
            case {"InstructionError": [_, {"Custom": code}]}:
                return code
        return error

    def put(self, key: Key, state: State) -> None:
        """Writes an account out of nothing."""
        self.svm.set_account(Pubkey(key), Account(state.lamports, data_of(state.value), Pubkey(state.owner)))

    def image(self, key: Key) -> Image | None:
        """An account as it is on chain; None where there is none."""
        account = self.svm.get_account(Pubkey(key))
        return (account.lamports, bytes(account.owner), account.data) if account and account.lamports else None

    def set_time(self, now: int) -> None:
        """Sets the clock, unix s."""
        clock = self._clock
        self.svm.set_clock(
            Clock(clock.slot, clock.epoch_start_timestamp, clock.epoch, clock.leader_schedule_epoch, now)
        )


def image_of(state: State | None) -> Image | None:
    """The same account as the model has it."""
    return (state.lamports, state.owner, data_of(state.value)) if state and state.lamports else None
