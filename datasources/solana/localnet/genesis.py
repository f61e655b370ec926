"""Opening a chain: what the first start makes (identity, purse, mint, program, protocol), each step done only once.

Every step looks at the chain first, so a start that was killed half way is completed by the next.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import fields
from pathlib import Path

from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account
from solders.transaction import VersionedTransaction

from datasources.solana.localnet.clock import ChainClock
from datasources.solana.localnet.error_texts import error_text
from datasources.solana.localnet.errors import BrokenDataError, ProgramError
from datasources.solana.localnet.keys import LocalnetKeys, load_keys, localnet_folder, make_keys
from datasources.solana.localnet.ledger import Ledger, Refusal
from datasources.solana.localnet.model import StoredAccount
from datasources.solana.localnet.store import Store
from datasources.solana.localnet.token_json import MINT_BYTES, TOKEN_PROGRAM
from programs.addresses import ProgramAddresses
from programs.instructions import initialize

LAMPORTS_PER_SOL = 1_000_000_000
MINT_DECIMALS = 6
MINIMUM_STAKE = 1_000_000
APPROVAL_WINDOW = 7 * 86_400
_FAUCET_SOL = 500_000_000
_ADMIN_SOL = 10_000
_INITIALIZE_MINT_2 = 20
_SYSTEM = bytes(32)
_LOADER = bytes(Pubkey.from_string("BPFLoader2111111111111111111111111111111111"))
_log = logging.getLogger("chorale.localnet")


def open_ledger(data: Path, program_so: Path | None) -> tuple[Ledger, LocalnetKeys]:
    """The chain in `data`, made whole. Raises StartupError; the caller owns the data directory and closes the store."""
    store = Store(localnet_folder(data) / "ledger.sqlite3")
    try:
        return _open(store, data, program_so)
    except BaseException:
        store.close()
        raise


def _open(store: Store, data: Path, program_so: Path | None) -> tuple[Ledger, LocalnetKeys]:
    known = store.value("genesis_hash")
    keys = load_keys(data) if known else make_keys(data)
    if not known:
        with store.transaction():
            store.put_value("genesis_hash", secrets.token_bytes(32))
            store.put_value("blockhash_seed", secrets.token_bytes(32))
            for field in fields(keys):
                store.put_value(f"key_{field.name}", str(getattr(keys, field.name).pubkey()))
    for field in fields(keys):
        if store.value(f"key_{field.name}") != str(getattr(keys, field.name).pubkey()):
            raise BrokenDataError(f"The keypair {field.name}.json is not the one this chain was made with.", data)
    genesis_hash, seed = store.value("genesis_hash"), store.value("blockhash_seed")
    assert isinstance(genesis_hash, bytes) and isinstance(seed, bytes)
    identity = str(keys.identity.pubkey())
    ledger = Ledger(store, ChainClock(store), Hash.from_bytes(genesis_hash), identity, keys.faucet, seed)
    _fund(ledger, keys)
    _make_mint(ledger, keys)
    if program_so is not None:
        _load_program(ledger, keys.program.pubkey(), program_so)
        _initialize(ledger, keys)
    return ledger, keys


def _fund(ledger: Ledger, keys: LocalnetKeys) -> None:
    if ledger.account(keys.faucet.pubkey()) is None:
        sol = ((keys.faucet, _FAUCET_SOL), (keys.admin, _ADMIN_SOL))
        ledger.install([(key.pubkey(), StoredAccount(each * LAMPORTS_PER_SOL, b"", _SYSTEM)) for key, each in sol])


def _make_mint(ledger: Ledger, keys: LocalnetKeys) -> None:
    mint, admin, token_program = keys.mint.pubkey(), keys.admin.pubkey(), Pubkey.from_bytes(TOKEN_PROGRAM)
    if ledger.account(mint) is not None:
        return
    rent = ledger.vm.rent_exempt_minimum(MINT_BYTES)
    space = CreateAccountParams(from_pubkey=admin, to_pubkey=mint, lamports=rent, space=MINT_BYTES, owner=token_program)
    no_freeze_authority = b"\x00"
    settings = bytes([_INITIALIZE_MINT_2, MINT_DECIMALS]) + bytes(admin) + no_freeze_authority
    steps = [create_account(space), Instruction(token_program, settings, [AccountMeta(mint, False, True)])]
    _run(ledger, steps, [keys.admin, keys.mint], "make the mint")


def _load_program(ledger: Ledger, program_id: Pubkey, path: Path) -> None:
    try:
        code = path.read_bytes()
    except OSError as error:
        raise ProgramError(
            f"The program {path} cannot be read: {error.strerror}. Build it with programs/build."
        ) from error
    present = ledger.account(program_id)
    if present is not None and present.data == code:
        return
    program = StoredAccount(ledger.vm.rent_exempt_minimum(len(code)), code, _LOADER, executable=True)
    try:
        ledger.install([(program_id, program)])
    except BaseException as error:  # the runtime's Rust code panics on a file that is no sBPF v0 program
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        raise ProgramError(f"The program {path} does not load: {error}. Build it with programs/build.") from error
    _log.info("%s program %s from %s", "Loaded" if present is None else "Upgraded", program_id, path)


def _initialize(ledger: Ledger, keys: LocalnetKeys) -> None:
    program = ProgramAddresses(str(keys.program.pubkey()))
    if ledger.account(Pubkey.from_string(program.protocol())) is not None:
        return
    admin = str(keys.admin.pubkey())
    step = initialize(
        program,
        payer=admin,
        admin=admin,
        mint=str(keys.mint.pubkey()),
        minimum_stake=MINIMUM_STAKE,
        approval_window=APPROVAL_WINDOW,
        allow_freezable=False,
    )
    _run(ledger, [step], [keys.admin, keys.program], "initialize the protocol")


def _run(ledger: Ledger, steps: list[Instruction], signers: list[Keypair], purpose: str) -> None:
    message = Message.new_with_blockhash(steps, signers[0].pubkey(), ledger.latest_blockhash()[0])
    try:
        ledger.send(VersionedTransaction(message, signers), keep_failed=False)
    except Refusal as refusal:
        logs = "\n  ".join(refusal.logs)
        raise ProgramError(f"The chain could not {purpose}: {error_text(refusal.err)}\n  {logs}") from refusal
