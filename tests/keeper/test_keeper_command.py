"""`chorale keeper`: one pass, a dry run, and refusals that name the cure, never a secret."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from solders.keypair import Keypair

from chorale.domain.errors import StartupError
from chorale.setting_values import SettingError
from chorale.settings import Settings
from datasources.solana.signer import open_signer
from tests.cli.commands import chorale, refused
from tests.keeper.field import SOL, Field


def written(path: Path, keypair: Keypair, mode: int = 0o600) -> Path:
    """A keypair file."""
    path.write_text(json.dumps(list(bytes(keypair))))
    path.chmod(mode)
    return path


def cluster(land: Field, **more: str) -> dict[str, str]:
    """The chain as a cluster, with a data directory that knows nothing of it."""
    return {
        "CHORALE_CHAIN_URL": land.running.rpc_url,
        "CHORALE_CHAIN_WS_URL": land.running.ws_url,
        "CHORALE_PROGRAM_ID": land.running.program_id,
    } | more


async def test_dry_run_then_once(land: Field, tmp_path: Path) -> None:
    """The dry run needs no keypair and sends nothing; a pass does what it named; a second one the refund."""
    ana, ben = await land.actor(), await land.actor()
    thread_id = await land.thread(ana)
    address = land.address(thread_id, await land.submit(ben, thread_id))
    data = tmp_path / "data"
    data.mkdir()
    code, out, err = await asyncio.to_thread(chorale, "keeper", "--dry-run", data=data, **cluster(land))
    assert (code, err) == (0, "")
    assert out.startswith("0 due, 1 pending; the next window ends in 604")
    await land.expire_all()
    code, out, _ = await asyncio.to_thread(chorale, "keeper", "--dry-run", data=data, **cluster(land))
    thread = land.running.addresses.thread(thread_id)
    assert (code, out) == (0, f"expire {address} thread={thread}\n1 due, 1 pending.\n")
    assert await land.landed_on(address) == 1

    keypair = Keypair()
    await land.running.fund(str(keypair.pubkey()), SOL, 0)
    payer = {"CHORALE_KEEPER_KEYPAIR": str(written(tmp_path / "payer.json", keypair, 0o640))}
    code, out, err = await asyncio.to_thread(chorale, "keeper", "--once", data=data, **cluster(land, **payer))
    assert code == 0
    assert "expire: 1 confirmed" in out
    assert f"5000 lamports spent, {SOL - 5000} left in {keypair.pubkey()}" in out
    assert f"keeper did=expire account={address} signature=" in err
    assert "chmod 600" in err
    assert str(list(bytes(keypair))[:4])[1:-1] not in out + err
    code, out, _ = await asyncio.to_thread(chorale, "keeper", "--dry-run", data=data, **cluster(land))
    assert f"refund {address} thread={thread} amount=1000000" in out


async def test_the_embedded_chains_own_keypair(land: Field) -> None:
    """Beside a running embedded chain nothing need be set: keypair and lamports come from there."""
    data = land.folder / "chain"
    port = land.running.rpc_url.rsplit(":", 1)[1]
    code, out, err = await asyncio.to_thread(chorale, "keeper", "--once", data=data, CHORALE_CHAIN_RPC_PORT=port)
    assert (code, "0 lamports spent" in out) == (0, True), err
    path = data / "localnet" / "keys" / "keeper.json"
    assert path.stat().st_mode & 0o777 == 0o600
    again = await asyncio.to_thread(chorale, "keeper", "--once", data=data, CHORALE_CHAIN_RPC_PORT=port)
    assert again[1] == out


async def test_refusals(land: Field, tmp_path: Path) -> None:
    """No keypair, none at its place, a penniless one; program not deployed; nobody there; no chain at all."""
    payer = {"CHORALE_KEEPER_KEYPAIR": str(tmp_path / "none.json")}

    async def line(*arguments: str, **environ: str) -> str:
        return await asyncio.to_thread(refused, "keeper", *arguments, data=tmp_path / "data", **environ)

    assert "CHORALE_KEEPER_KEYPAIR" in await line(**cluster(land))
    assert "solana-keygen new" in await line(**cluster(land, **payer))
    poor = Keypair()
    written(tmp_path / "none.json", poor)
    assert str(poor.pubkey()) in await line(**cluster(land, **payer))
    elsewhere = str(Keypair().pubkey())
    assert elsewhere in await line("--dry-run", **cluster(land, CHORALE_PROGRAM_ID=elsewhere))
    away = await line("--dry-run", **cluster(land, CHORALE_CHAIN_URL="http://127.0.0.1:1/?key=secret"))
    assert "CHORALE_CHAIN_URL" in away
    assert "secret" not in away
    assert "chorale serve" in await line("--once")


@pytest.mark.parametrize("content", ["", "[1, 2, 3]", "{}", "[" + "300," * 63 + "1]", json.dumps([7] * 64)])
def test_a_file_that_is_no_keypair(tmp_path: Path, content: str) -> None:
    """It may be another secret, so nothing of it is repeated."""
    path = tmp_path / "payer.json"
    path.write_text(content)
    with pytest.raises(StartupError) as caught:
        open_signer(path)
    assert "64 numbers" in str(caught.value)
    assert "7, 7" not in str(caught.value)


def test_a_signer_does_not_show_its_secret(tmp_path: Path) -> None:
    keypair = Keypair()
    signer = open_signer(written(tmp_path / "payer.json", keypair))
    assert signer.address == str(keypair.pubkey())
    for shown in (repr(signer), str(signer)):
        assert str(keypair) not in shown
        assert keypair.secret().hex() not in shown


def test_a_server_that_keeps_on_a_cluster_needs_a_keypair() -> None:
    there = {"CHORALE_CHAIN_URL": "http://127.0.0.1:1", "CHORALE_PROGRAM_ID": "1" * 32}
    with pytest.raises(SettingError, match="CHORALE_KEEPER_KEYPAIR"):
        Settings.from_env(there | {"CHORALE_KEEPER": "1"})
    assert not Settings.from_env(there).keeps
    assert Settings.from_env({}).keeps
    assert not Settings.from_env({"CHORALE_KEEPER": "0"}).keeps
    assert Settings.from_env(there | {"CHORALE_KEEPER": "1", "CHORALE_KEEPER_KEYPAIR": "payer.json"}).keeps


@pytest.mark.parametrize("name", ["KEEPER", "KEEPER_GRACE", "KEEPER_BUDGET", "KEEPER_FEE", "KEEPER_SWEEP"])
@pytest.mark.parametrize("value", ["-1", "1.5", "9223372036854775808"])
def test_wrong_values(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"CHORALE_{name}="):
        Settings.from_env({f"CHORALE_{name}": value})


def test_a_folder_is_no_keypair(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="CHORALE_KEEPER_KEYPAIR"):
        Settings.from_env({"CHORALE_KEEPER_KEYPAIR": str(tmp_path)})
