"""The ledger's own parts: a clock that only goes forwards, the ring of blockhashes, and a runtime that forgets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

pytest.importorskip("solders.litesvm", reason="solders carries no LiteSVM on this platform")

from datasources.solana.localnet import vm
from datasources.solana.localnet.blockhashes import MAX_AGE, Blockhashes
from datasources.solana.localnet.clock import ChainClock
from datasources.solana.localnet.error_texts import error_text
from datasources.solana.localnet.genesis import open_ledger
from datasources.solana.localnet.keys import LocalnetKeys, localnet_folder
from datasources.solana.localnet.ledger import Ledger, Refusal
from datasources.solana.localnet.store import Store
from tests.contract.localnet.harness import PROGRAM_SO, SOL, pay


class Wall:
    """A wall clock that tests set."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "ledger.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[tuple[Ledger, LocalnetKeys]]:
    localnet_folder(tmp_path).mkdir()
    ledger, keys = open_ledger(tmp_path, None)
    yield ledger, keys
    ledger.store.close()


def test_clock_never_goes_back(store: Store) -> None:
    """Slots and time rise with the wall clock, stand where it steps back, and never restart below what was told."""
    wall = Wall()
    clock = ChainClock(store, wall)
    first = clock.slot
    wall.now += 4
    assert clock.slot == first + 10
    told, time = clock.slot, clock.unix_time
    wall.now -= 100
    assert (clock.slot, clock.unix_time) == (told, time)
    with store.transaction():
        store.put_value("unix_time", time)  # as every transaction does
    again = ChainClock(store, wall)
    assert again.slot > told and again.unix_time >= time
    wall.now += 0.4
    assert again.slot == ChainClock(store, wall).slot - 10  # a restart skips what the one before had reserved


def test_clock_offset_is_kept(store: Store) -> None:
    """Time moved ahead stays ahead after a restart, and one slot has one time."""
    wall = Wall()
    clock = ChainClock(store, wall)
    slot, time = clock.slot, clock.unix_time
    assert clock.advance(604_800) == time + 604_800 and clock.slot == slot + 1
    wall.now += 0.1
    assert clock.unix_time == time + 604_800
    assert ChainClock(store, wall).unix_time == time + 604_800


def test_ring_of_blockhashes() -> None:
    """A blockhash is known from its own slot through 150 more, whatever leaps the slot makes in between."""
    ring = Blockhashes(b"seed")
    old = ring.of(100)
    assert ring.slot_of(old, 99) is None
    assert ring.slot_of(old, 100) == 100
    assert ring.slot_of(old, 100 + MAX_AGE) == 100
    assert ring.slot_of(old, 101 + MAX_AGE) is None
    assert ring.slot_of(ring.of(5_000), 5_100) == 5_000
    assert Blockhashes(b"other").of(100) != old


def test_runtime_forgets_and_remembers(opened: tuple[Ledger, LocalnetKeys], monkeypatch: pytest.MonkeyPatch) -> None:
    """The runtime drops its cache again and again; balances and programs are there all the same."""
    monkeypatch.setattr(vm, "CACHED_ACCOUNTS", 20)
    ledger, keys = opened
    wallets = [Keypair() for _ in range(40)]
    for round_ in range(2):
        for wallet in wallets:
            message = Message.new_with_blockhash(
                [pay(keys.admin, wallet.pubkey(), SOL + round_)], keys.admin.pubkey(), ledger.latest_blockhash()[0]
            )
            ledger.send(VersionedTransaction(message, [keys.admin]), keep_failed=False)
    for wallet in wallets:
        account = ledger.account(wallet.pubkey())
        assert account is not None and account.lamports == 2 * SOL + 1
    assert ledger.account(keys.mint.pubkey()) is not None


def test_refused_transaction_leaves_the_runtime_as_it_was(opened: tuple[Ledger, LocalnetKeys]) -> None:
    """After a refusal the payer can spend to the last lamport: nothing was charged in memory either."""
    ledger, keys = opened
    nobody = Keypair().pubkey()
    before = ledger.account(keys.admin.pubkey())
    assert before is not None
    for lamports, works in ((before.lamports, False), (before.lamports - 5_000, True)):
        message = Message.new_with_blockhash(
            [pay(keys.admin, nobody, lamports)], keys.admin.pubkey(), ledger.latest_blockhash()[0]
        )
        transaction = VersionedTransaction(message, [keys.admin])
        if works:
            ledger.send(transaction, keep_failed=False)
        else:
            with pytest.raises(Refusal):
                ledger.send(transaction, keep_failed=False)
    assert ledger.account(keys.admin.pubkey()) is None
    received = ledger.account(nobody)
    assert received is not None and received.lamports == before.lamports - 5_000


def test_program_is_upgraded_in_place(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A changed `.so` replaces the program at the same address; an unchanged one is left alone; state stays."""
    if not PROGRAM_SO.exists():
        pytest.skip("programs/chorale.so is not built")
    localnet_folder(tmp_path).mkdir()
    changed = tmp_path / "changed.so"
    changed.write_bytes(PROGRAM_SO.read_bytes() + bytes(8))
    said = []
    for path in (PROGRAM_SO, PROGRAM_SO, changed):
        caplog.clear()
        with caplog.at_level("INFO", "chorale.localnet"):
            ledger, keys = open_ledger(tmp_path, path)
        said.append([record.message.split(" ")[0] for record in caplog.records])
        program = ledger.account(keys.program.pubkey())
        assert program is not None and program.executable and program.data == path.read_bytes()
        protocol = Pubkey.find_program_address([b"protocol"], keys.program.pubkey())[0]
        assert ledger.account(protocol) is not None
        ledger.store.close()
    assert said == [["Loaded"], [], ["Upgraded"]]


@pytest.mark.parametrize(
    ("err", "text"),
    [
        ("BlockhashNotFound", "Blockhash not found"),
        ({"InstructionError": [2, {"Custom": 6001}]}, "Error processing Instruction 2: custom program error: 0x1771"),
        ({"InstructionError": [0, "MissingAccount"]}, "Error processing Instruction 0: An account required"),
        ({"InsufficientFundsForRent": {"account_index": 3}}, "Transaction results in an account (3)"),
        ({"DuplicateInstruction": 1}, "Transaction contains a duplicate instruction (1)"),
        ({"InstructionError": [0, {"BorshIoError": "x"}]}, "Error processing Instruction 0: Failed to serialize"),
        ("SomethingNew", "SomethingNew"),
    ],
)
def test_error_texts(err: object, text: str) -> None:
    """Errors read as on a cluster; unknown ones show their name."""
    assert error_text(err).startswith(text)
