"""What was acknowledged survives `kill -9`, and nothing goes backwards: accounts, slot, clock, history, replays."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import stat
from pathlib import Path

import httpx
import pytest
import websockets
from solders.keypair import Keypair

from tests.contract.localnet.harness import PROGRAM_SO, SOL, Localnet, launch, pay, refused, running
from tests.patience import PATIENCE

pytestmark = pytest.mark.faults


@pytest.fixture(autouse=True)
def _needs_runtime() -> None:
    pytest.importorskip("solders.litesvm", reason="solders carries no LiteSVM on this platform")


def kill(chain: Localnet) -> None:
    chain.process.send_signal(signal.SIGKILL)
    chain.process.wait(PATIENCE)


def test_kill_in_the_middle_of_the_traffic(tmp_path: Path) -> None:
    """Across kills amid transfers: acknowledged ones stay, slot and time rise, identity keeps, replays are refused."""
    slot = time = acknowledged = received = 0
    identities, recipient, replay = set(), Keypair().pubkey(), ""
    for round_ in range(4):
        with running(tmp_path) as chain:
            identities.add((chain.genesis_hash, chain.program_id, chain.mint, str(chain.admin.pubkey())))
            assert chain.call("getSlot") > slot
            assert chain.call("getBlockTime", chain.call("getSlot")) >= time
            assert chain.balance(recipient) == received
            if replay:
                assert chain.error("sendTransaction", replay, {"encoding": "base64"})["data"]["err"] in (
                    "AlreadyProcessed",
                    "BlockhashNotFound",
                )
            payer = chain.funded(100 * SOL)
            for _ in range(10 + round_):
                replay = chain.signed([pay(payer, recipient, SOL + acknowledged)], payer)
                received += SOL + acknowledged
                sent = chain.send(replay)
                acknowledged += 1
            chain.call("chorale_advanceClock", 86_400)
            slot, now = chain.call("getSlot"), chain.call("getSlot")
            time = chain.call("getBlockTime", now)
            kill(chain)
            with pytest.raises(httpx.HTTPError):
                chain.call("getSlot")
    assert len(identities) == 1
    with running(tmp_path) as chain:
        assert chain.call("getTransaction", sent)["blockTime"] <= chain.call("getBlockTime", chain.call("getSlot"))
        assert len(chain.call("getSignaturesForAddress", str(recipient))) == acknowledged


def test_blockhashes_outlive_a_kill(tmp_path: Path) -> None:
    """A transaction signed before the kill lands after it."""
    with running(tmp_path) as chain:
        payer, recipient = chain.funded(), Keypair().pubkey()
        transaction = chain.signed([pay(payer, recipient, SOL)], payer)
        kill(chain)
    with running(tmp_path) as chain:
        chain.send(transaction)
        assert chain.balance(recipient) == SOL


def test_failed_commit_ends_the_process_unanswered(tmp_path: Path) -> None:
    """Where the ledger cannot be written, the process is gone before it answers; all that was answered is kept."""
    with running(tmp_path, largest_file=1_500_000) as chain:
        wallets = []
        with pytest.raises(httpx.HTTPError):
            for _ in range(5_000):
                wallets.append(chain.funded(SOL))
        assert chain.process.wait(PATIENCE) == 70
    assert wallets
    with running(tmp_path) as chain:
        balances = [chain.balance(wallet.pubkey()) for wallet in wallets]
        assert balances == [SOL] * len(wallets)


async def test_stop_is_clean(tmp_path: Path) -> None:
    """SIGTERM ends the process soon and quietly, tells open sockets, and folds the write-ahead log in."""
    with running(tmp_path) as chain:
        chain.funded()
        async with websockets.connect(chain.ws_url) as socket:
            await socket.send(
                '{"jsonrpc":"2.0","id":1,"method":"accountSubscribe","params":["SysvarC1ock11111111111111111111111111111111"]}'
            )
            await socket.recv()
            chain.process.terminate()
            with pytest.raises(websockets.ConnectionClosed):
                await asyncio.wait_for(socket.recv(), PATIENCE)
        assert await asyncio.to_thread(chain.process.wait, PATIENCE) == 0
    assert not (tmp_path / "localnet" / "ledger.sqlite3-wal").exists()
    with sqlite3.connect(tmp_path / "localnet" / "ledger.sqlite3") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_keys_are_private(tmp_path: Path) -> None:
    """Keypairs are solana-keygen files that only their owner may read."""
    with running(tmp_path) as chain:
        folder = tmp_path / "localnet" / "keys"
        names = {path.name for path in folder.iterdir()}
        assert names == {"admin.json", "faucet.json", "identity.json", "mint.json", "program.json"}
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
        assert str(Keypair.from_json((folder / "program.json").read_text()).pubkey()) == chain.program_id


def test_second_process_is_refused(tmp_path: Path) -> None:
    """A data directory has one owner; the refusal names the setting."""
    with running(tmp_path):
        said = refused(tmp_path)
        assert said.startswith("DataInUseError") and "CHORALE_DATA" in said


def test_port_in_use_is_refused(tmp_path: Path) -> None:
    """A port that is taken, or whose neighbour is, is refused with the setting that moves it."""
    with running(tmp_path / "one") as chain:
        port = int(chain.rpc_url.rsplit(":", 1)[1])
        for taken in (port, port - 1):
            said = refused(tmp_path / "two", port=taken)
            assert said.startswith("PortInUseError") and "CHORALE_CHAIN_RPC_PORT" in said
    assert "65536" in refused(tmp_path / "two", port=65_535)


def test_lost_key_is_refused(tmp_path: Path) -> None:
    """A chain whose keypair has gone or been exchanged does not start on another one."""
    with running(tmp_path):
        pass
    key = tmp_path / "localnet" / "keys" / "mint.json"
    held = key.read_bytes()
    key.unlink()
    assert "mint.json is missing" in refused(tmp_path)
    key.write_text(Keypair().to_json())
    assert "mint.json is not the one" in refused(tmp_path)
    key.write_text("[1, 2]")
    assert "mint.json cannot be read" in refused(tmp_path)
    key.write_bytes(held)
    with running(tmp_path):
        pass


def test_program_that_cannot_load_is_refused(tmp_path: Path) -> None:
    """A missing or foreign program file ends the start with the cure."""
    said = refused(tmp_path, program=tmp_path / "none.so")
    assert said.startswith("ProgramError") and "programs/build" in said
    foreign = tmp_path / "foreign.so"
    foreign.write_bytes(b"\x7fELF" + os.urandom(500))
    assert refused(tmp_path, program=foreign).startswith("ProgramError")
    with running(tmp_path):
        pass


def test_platform_without_the_runtime_is_refused(tmp_path: Path) -> None:
    """Where solders comes without LiteSVM the start names the alternative, and touches nothing."""
    said = refused(tmp_path, before="sys.modules['solders.litesvm'] = None")
    assert said.startswith("RuntimeUnavailableError") and "CHORALE_CHAIN_URL=http://" in said
    assert not any(tmp_path.iterdir())


KILL_AT_COMMIT = """
import contextlib, os, signal
from datasources.solana.localnet.store import Store

committing, left = Store.transaction, [{commits}]

@contextlib.contextmanager
def counted(store):
    with committing(store):
        yield
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)

Store.transaction = counted
"""


def test_start_killed_half_way_is_completed(tmp_path: Path) -> None:
    """At whichever of its commits the first start is killed, the starts after it end up with one whole chain."""
    program = PROGRAM_SO if PROGRAM_SO.exists() else None
    kills = 0
    for commits in (0, 1, 2, 0, 1, 0):  # each start finds the work of the one before
        process = launch(tmp_path, program=program, before=KILL_AT_COMMIT.format(commits=commits))
        assert process.stdout is not None
        if not process.stdout.readline():
            kills += 1
        process.kill()
        process.communicate(timeout=10)
    assert kills >= 3
    with running(tmp_path, program=program) as chain:
        assert chain.call("getTokenSupply", chain.mint)["value"]["decimals"] == 6
        chain.funded()
        chain.send(chain.signed([pay(chain.admin, Keypair().pubkey(), SOL)], chain.admin))
        owned = chain.call("getProgramAccounts", chain.program_id, {"encoding": "base64"})
        assert len(owned) == (1 if program else 0)
