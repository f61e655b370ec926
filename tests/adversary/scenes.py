"""Every instruction where it would succeed, on a chain with a second thread, ready to be attacked again and again.

The fee payer (`sponsor`) is none of the instruction's accounts, so that each of those can be altered, the one that
pays for rent (`payer`) included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from solders.account import Account
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from programs import instructions
from programs.accounts import thread_size
from programs.interface import INSTRUCTIONS, AccountRole, InstructionSpec
from tests.program.altered import with_account
from tests.program.harness import MINIMUM_STAKE, SOL, START, WINDOW, Harness, Result, Wallet
from tests.program.stage import Stage

Overrides = Mapping[str, Account | None]
NEW_NONCE = 5  # of the thread or message that a scene is about to make
GONE = Account(0, b"", Pubkey.default())


@dataclass(repr=False)
class Scene:
    """One instruction that would succeed, its `signers` by address, and two threads (none before `initialize`).

    `other_message` is the address of a pending message elsewhere.
    """

    spec: InstructionSpec
    chain: Harness
    sponsor: Wallet
    instruction: Instruction
    signers: dict[str, Wallet | Keypair] = field(default_factory=dict)
    here: Stage | None = None
    elsewhere: Stage | None = None
    other_message: str = ""

    def __post_init__(self) -> None:
        self.payer = self.chain.wallet(tokens=0)
        self.stranger = self.chain.wallet()
        self.other_mint = self.chain.make_mint()
        self.know(self.payer, self.stranger)
        if self.spec.accounts[0].name == "payer":
            self.instruction = with_account(self.instruction, 0, self.payer.key)
        self.chain.known.update(str(meta.pubkey) for meta in self.instruction.accounts)

    def __repr__(self) -> str:
        return f"Scene({self.spec.name})"

    def know(self, *wallets: Wallet | Keypair) -> None:
        """Wallets that sign wherever an instruction asks them to."""
        for wallet in wallets:
            self.signers[str((wallet.keypair if isinstance(wallet, Wallet) else wallet).pubkey())] = wallet

    def place(self, role: str) -> int:
        """Where the account `role` stands."""
        return [r.name for r in self.spec.accounts].index(role)

    def address(self, role: str) -> str:
        """Which account the genuine instruction has as `role`."""
        return str(self.instruction.accounts[self.place(role)].pubkey)

    def account(self, role: str) -> Account:
        """That account as it stands. Raises LookupError where it is absent."""
        found = self.chain.account(self.address(role))
        if found is None:
            raise LookupError(f"no account as {role}")
        return found

    def role(self, name: str) -> AccountRole:
        """A role of the interface."""
        return self.spec.accounts[self.place(name)]

    def send(self, instruction: Instruction) -> Result:
        """Runs the instruction, signed by everybody it names as signer, at the sponsor's cost."""
        named = {str(meta.pubkey) for meta in instruction.accounts if meta.is_signer}
        return self.chain.send(instruction, self.sponsor, *(self.signers[key] for key in sorted(named)))

    def world(self) -> dict[str, object]:
        """Every account of the chain, byte for byte; the sponsor's lamports aside, who pays a fee for each attempt."""
        return {key: account for key, account in self.chain.world().items() if key != self.sponsor.key}

    def write(self, accounts: Overrides) -> dict[str, Account | None]:
        """Overwrites accounts, None to remove one. Returns what was there, to be written back."""
        before = {address: self.chain.account(address) for address in accounts}
        self.chain.known.update(accounts)
        for address, account in accounts.items():
            self.chain.svm.set_account(Pubkey.from_string(address), account or GONE)
        return before


def open_scene(name: str) -> Scene:
    """A new scene of the instruction `name`."""
    return SCENES[name](INSTRUCTIONS[name])


def _staged(spec: InstructionSpec, stage: Stage, instruction: Instruction, *signers: Wallet) -> Scene:
    elsewhere = Stage(stage.chain)
    elsewhere.sponsor = stage.sponsor
    other_message = elsewhere.message(elsewhere.submit(elsewhere.outsider)).address
    scene = Scene(spec, stage.chain, stage.sponsor, instruction, {}, stage, elsewhere, other_message)
    scene.know(*signers, stage.creator, stage.outsider, elsewhere.creator, elsewhere.outsider, stage.chain.admin)
    return scene


def _initialize(spec: InstructionSpec) -> Scene:
    chain = Harness(initialise=False)
    instruction = instructions.initialize(
        chain.program,
        payer=chain.admin.key,
        admin=chain.admin.key,
        mint=chain.mint,
        minimum_stake=MINIMUM_STAKE,
        approval_window=WINDOW,
    )
    scene = Scene(spec, chain, chain.wallet(tokens=0, lamports=10_000 * SOL), instruction)
    scene.know(chain.admin, chain.program_keypair)
    return scene


def _configure(spec: InstructionSpec) -> Scene:
    stage = Stage()
    admin, new = stage.chain.admin, stage.chain.wallet()
    instruction = instructions.configure(
        stage.program, admin=admin.key, new_admin=new.key, minimum_stake=5, approval_window=3_600
    )
    return _staged(spec, stage, instruction, admin, new)


def _withdraw_treasury(spec: InstructionSpec) -> Scene:
    stage = Stage()
    admin = stage.chain.admin
    stage.chain.put_token_account(stage.program.treasury(), stage.program.protocol(), 50)
    instruction = instructions.withdraw_treasury(stage.program, admin=admin.key, destination=admin.tokens, amount=7)
    return _staged(spec, stage, instruction, admin)


def _create_thread(spec: InstructionSpec) -> Scene:
    stage = Stage()
    return _staged(spec, stage, stage.create_instruction(nonce=NEW_NONCE), stage.creator)


def _post_message(spec: InstructionSpec) -> Scene:
    stage = Stage()
    return _staged(spec, stage, stage.post_instruction(stage.creator, NEW_NONCE), stage.creator)


def _submit_message(spec: InstructionSpec) -> Scene:
    stage = Stage()
    return _staged(spec, stage, stage.submit_instruction(stage.outsider, NEW_NONCE), stage.outsider)


def _cast_vote(spec: InstructionSpec) -> Scene:
    """The last of two votes, beyond the room that the message was made with: it publishes, and somebody joins."""
    stage = Stage()
    joining, content_hash = stage.submit(author := stage.chain.wallet()), stage.submit(stage.outsider)
    stage.vote(stage.creator, joining)
    stage.vote(author, content_hash)
    return _staged(spec, stage, stage.vote_instruction(stage.creator, content_hash), stage.creator, author)


def _resolve(spec: InstructionSpec) -> Scene:
    """Who was missing has left. Neither room nor rent for the author's seat is there, so the payer pays for it."""
    stage = Stage()
    second = stage.join()
    content_hash = stage.submit(stage.outsider)
    stage.vote(stage.creator, content_hash)
    stage.must(stage.divest_instruction(second), second)
    thread, message = stage.program.thread(stage.thread_id), stage.message(content_hash).address
    stage.chain.put_account(thread, stage.program.program_id, stage.chain.data(thread)[: thread_size(1)])
    stage.chain.put_account(message, stage.program.program_id, stage.chain.data(message))
    return _staged(spec, stage, stage.resolve_instruction(content_hash), second)


def _expire(spec: InstructionSpec) -> Scene:
    stage = Stage()
    content_hash = stage.submit(stage.outsider)
    stage.chain.set_time(START + WINDOW)
    return _staged(spec, stage, stage.expire_instruction(content_hash), stage.outsider)


def _cancel(spec: InstructionSpec) -> Scene:
    stage = Stage()
    return _staged(spec, stage, stage.cancel_instruction(stage.outsider, stage.submit(stage.outsider)), stage.outsider)


def _refund(spec: InstructionSpec) -> Scene:
    stage = Stage()
    content_hash = stage.submit(stage.outsider)
    stage.must(stage.cancel_instruction(stage.outsider, content_hash), stage.outsider)
    return _staged(spec, stage, stage.refund_instruction(stage.outsider, content_hash), stage.outsider)


def _claim(spec: InstructionSpec) -> Scene:
    stage = Stage()
    content_hash = stage.submit(stage.outsider)
    stage.vote(stage.creator, content_hash, approve=False)
    return _staged(spec, stage, stage.claim_instruction(stage.creator, content_hash), stage.creator)


def _divest(spec: InstructionSpec) -> Scene:
    stage = Stage()
    second = stage.join()
    return _staged(spec, stage, stage.divest_instruction(second), second)


def _sweep(spec: InstructionSpec) -> Scene:
    """A split stake is owed, and somebody has sent tokens unasked."""
    stage = Stage()
    second = stage.join()
    content_hash = stage.submit(stage.outsider)
    stage.vote(second, content_hash)
    stage.vote(stage.creator, content_hash, approve=False)
    held = stage.chain.balance(stage.vault)
    stage.chain.put_token_account(stage.vault, stage.program.thread(stage.thread_id), held + 9)
    return _staged(spec, stage, stage.sweep_instruction(), second)


SCENES: dict[str, Callable[[InstructionSpec], Scene]] = {
    "initialize": _initialize,
    "configure": _configure,
    "withdraw_treasury": _withdraw_treasury,
    "create_thread": _create_thread,
    "post_message": _post_message,
    "submit_message": _submit_message,
    "cast_vote": _cast_vote,
    "resolve": _resolve,
    "expire": _expire,
    "cancel": _cancel,
    "refund": _refund,
    "claim": _claim,
    "divest": _divest,
    "sweep": _sweep,
}
