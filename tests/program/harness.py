"""A LiteSVM with the compiled program, a mint and funded wallets: what the program's tests drive.

chain = Harness()                        # program loaded, protocol initialised
ana, ben = chain.wallet(), chain.wallet()
result = chain.send(instructions.create_thread(chain.program, payer=ana.key, …), ana)
assert result.ok, result.logs
chain.thread(thread_id)
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from solders.account import Account
from solders.clock import Clock
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.rpc.responses import RpcSimulateTransactionResult
from solders.transaction import Transaction
from solders.transaction_status import TransactionErrorFieldless

from chorale.domain.accounts import MessageAccount, ProtocolAccount, ThreadAccount
from chorale.domain.events import ProgramEvent
from programs import instructions
from programs.accounts import decode_message, decode_protocol, decode_thread
from programs.addresses import TOKEN_PROGRAM, ProgramAddresses
from programs.events import events_in

PROGRAM_FILE = Path(__file__).resolve().parents[2] / "programs" / "chorale.so"
# Names another build that chains are to run instead (tests/mutants).
OTHER_BUILD = "CHORALE_TEST_PROGRAM"
START = 1_800_000_000  # unix s: where every harness's clock begins
SOL = 1_000_000_000
WINDOW = 604_800
MINIMUM_STAKE = 1_000
TOKENS = 1_000_000

_MINT = struct.Struct("<I32sQBBI32s")
_TOKEN = struct.Struct("<32s32sQI32sBIQQI32s")


@dataclass(frozen=True)
class Wallet:
    """A keypair with SOL, and the address of its associated token account."""

    keypair: Keypair
    tokens: str

    @property
    def key(self) -> str:
        """Public key, base58."""
        return str(self.keypair.pubkey())


@dataclass(frozen=True)
class Result:
    """Outcome of one transaction. `error` is the RPC's err JSON, None on success; `code` the custom error number."""

    error: Any
    code: int | None
    logs: tuple[str, ...]
    units: int
    events: tuple[ProgramEvent, ...]

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return self.error is None


class Harness:
    """One chain of one's own. `program` builds addresses, `admin` is the protocol's admin, `mint` its mint."""

    def __init__(
        self,
        *,
        initialise: bool = True,
        minimum_stake: int = MINIMUM_STAKE,
        approval_window: int = WINDOW,
        program_file: Path | None = None,
        new_keypair: Callable[[], Keypair] = Keypair,
    ) -> None:
        litesvm = pytest.importorskip("solders.litesvm", reason="LiteSVM is absent from this platform's solders")
        program_file = program_file or Path(os.environ.get(OTHER_BUILD) or PROGRAM_FILE)
        if not program_file.exists():
            pytest.skip(f"{program_file.name} is not built: run programs/build")
        self.svm = litesvm.LiteSVM()
        self.known: set[str] = set()  # every address that was ever written or named here
        self.new_keypair = new_keypair
        self.program_keypair = new_keypair()
        self.program = ProgramAddresses(str(self.program_keypair.pubkey()))
        self.svm.add_program(self.program_keypair.pubkey(), program_file.read_bytes())
        self.set_time(START)
        self.mint = self.make_mint()
        self.admin = self.wallet()
        if initialise:
            result = self.send(
                instructions.initialize(
                    self.program,
                    payer=self.admin.key,
                    admin=self.admin.key,
                    mint=self.mint,
                    minimum_stake=minimum_stake,
                    approval_window=approval_window,
                ),
                self.admin,
                self.program_keypair,
            )
            assert result.ok, (result.error, result.logs)

    def send(self, instruction: Instruction | Iterable[Instruction], *signers: Wallet | Keypair) -> Result:
        """Runs one transaction signed by `signers`; the first pays. Identical transactions may be repeated."""
        listed = [instruction] if isinstance(instruction, Instruction) else list(instruction)
        keypairs = [signer.keypair if isinstance(signer, Wallet) else signer for signer in signers]
        self.known.update(str(meta.pubkey) for item in listed for meta in item.accounts)
        self.svm.expire_blockhash()
        message = Message.new_with_blockhash(listed, keypairs[0].pubkey(), self.svm.latest_blockhash())
        answer = self.svm.send_transaction(Transaction(keypairs, message, self.svm.latest_blockhash()))
        failed = hasattr(answer, "err")
        meta = answer.meta() if failed else answer
        error = _json(answer.err()) if failed else None
        logs = tuple(meta.logs())
        events, _ = events_in(logs, self.program.program_id)
        return Result(error, _custom_code(error), logs, meta.compute_units_consumed(), events)

    def wallet(self, tokens: int = TOKENS, lamports: int = 100 * SOL) -> Wallet:
        """A new wallet with SOL and `tokens` in its associated token account."""
        keypair = self.new_keypair()
        self.known.add(str(keypair.pubkey()))
        if lamports:
            self.svm.airdrop(keypair.pubkey(), lamports)
        address = self.program.associated_token_account(str(keypair.pubkey()), self.mint)
        self.put_token_account(address, str(keypair.pubkey()), tokens)
        return Wallet(keypair, address)

    def make_mint(self, *, freeze_authority: str | None = None) -> str:
        """A new mint of the SPL Token program with six decimals."""
        address = self.new_keypair().pubkey()
        freeze = bytes(Pubkey.from_string(freeze_authority)) if freeze_authority else bytes(32)
        data = _MINT.pack(1, bytes(Pubkey.new_unique()), 10**18, 6, 1, 1 if freeze_authority else 0, freeze)
        self.put_account(str(address), TOKEN_PROGRAM, data)
        return str(address)

    def put_token_account(
        self,
        address: str,
        owner: str,
        amount: int,
        *,
        mint: str | None = None,
        delegate: str | None = None,
        frozen: bool = False,
    ) -> str:
        """Writes an SPL token account out of nothing; a `delegate` may move all of `amount`."""
        data = _TOKEN.pack(
            bytes(Pubkey.from_string(mint or self.mint)),
            bytes(Pubkey.from_string(owner)),
            amount,
            1 if delegate else 0,
            bytes(Pubkey.from_string(delegate)) if delegate else bytes(32),
            2 if frozen else 1,
            0,
            0,
            amount if delegate else 0,
            0,
            bytes(32),
        )
        self.put_account(address, TOKEN_PROGRAM, data)
        return address

    def put_account(self, address: str, owner: str, data: bytes, lamports: int | None = None) -> None:
        """Writes any account, rent-exempt unless `lamports` are given."""
        self.known.add(address)
        rent = self.svm.minimum_balance_for_rent_exemption(len(data)) if lamports is None else lamports
        self.svm.set_account(Pubkey.from_string(address), Account(rent, data, Pubkey.from_string(owner)))

    def account(self, address: str) -> Account | None:
        """An account as the chain stores it; None where absent or closed."""
        account: Account | None = self.svm.get_account(Pubkey.from_string(address))
        return account if account is not None and account.lamports else None

    def data(self, address: str) -> bytes:
        """An account's bytes. Raises LookupError where it is absent."""
        account = self.account(address)
        if account is None:
            raise LookupError(f"no account at {address}")
        return account.data

    def balance(self, token_account: str) -> int:
        """Amount in a token account, 0 where it is absent."""
        account = self.account(token_account)
        return int.from_bytes(account.data[64:72], "little") if account else 0

    def protocol(self) -> ProtocolAccount:
        """The `Protocol` account."""
        address = self.program.protocol()
        return decode_protocol(address, self.data(address))

    def thread(self, thread_id: str) -> ThreadAccount:
        """A `Thread` account by thread id."""
        address = self.program.thread(thread_id)
        return decode_thread(address, self.data(address))

    def message(self, thread_id: str, content_hash: str) -> MessageAccount:
        """A `Message` account by thread id and content hash."""
        address = self.program.message(self.program.thread(thread_id), content_hash)
        return decode_message(address, self.data(address))

    @property
    def now(self) -> int:
        """The chain's clock, unix s."""
        return int(self.svm.get_clock().unix_timestamp)

    def set_time(self, unix_seconds: int) -> None:
        """Sets the chain's clock."""
        clock = self.svm.get_clock()
        self.svm.set_clock(
            Clock(clock.slot, clock.epoch_start_timestamp, clock.epoch, clock.leader_schedule_epoch, unix_seconds)
        )

    def advance(self, seconds: int) -> None:
        """Moves the chain's clock forward."""
        self.set_time(self.now + seconds)

    def snapshot(self, *instruction: Instruction) -> dict[str, Account | None]:
        """Every account that `instruction` names, for proving that a refusal changed nothing.

        Leave the fee payer's lamports aside when comparing: a refused transaction still pays its fee.
        """
        keys = {str(meta.pubkey) for item in instruction for meta in item.accounts}
        return {key: self.account(key) for key in sorted(keys)}

    def world(self) -> dict[str, Account | None]:
        """Every account that was ever written or named on this chain."""
        return {key: self.account(key) for key in sorted(self.known)}


def _json(error: TransactionErrorFieldless | Any) -> Any:
    return json.loads(RpcSimulateTransactionResult(err=error).to_json())["err"]


def _custom_code(error: Any) -> int | None:
    if isinstance(error, dict) and "InstructionError" in error:
        detail = error["InstructionError"][1]
        if isinstance(detail, dict):
            code = detail.get("Custom")
            return code if isinstance(code, int) else None
    return None
