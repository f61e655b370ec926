"""Killed between sending and confirmation, the command started again sends nothing twice and leaves nothing undone."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from solders.keypair import Keypair

from chorale.domain.approval import MessageStatus
from tests.chains import ROOT
from tests.keeper.field import SOL, Field
from tests.keeper.relay import Relay, open_relay
from tests.patience import PATIENCE


class Command:
    """`chorale keeper` processes that share a data directory and a keypair, on the chain behind a relay."""

    def __init__(self, land: Field, relay: Relay) -> None:
        self._keypair = land.folder / "payer.json"
        keypair = Keypair()
        self._keypair.write_text(json.dumps(list(bytes(keypair))))
        self._keypair.chmod(0o600)
        self.address = str(keypair.pubkey())
        self.environ = {name: value for name, value in os.environ.items() if not name.startswith("CHORALE_")} | {
            "CHORALE_DATA": str(land.folder / "data"),
            "CHORALE_CHAIN_URL": relay.url,
            "CHORALE_CHAIN_WS_URL": land.running.ws_url,
            "CHORALE_PROGRAM_ID": land.running.program_id,
            "CHORALE_KEEPER_KEYPAIR": str(self._keypair),
            "CHORALE_KEEPER_GRACE": "0",
        }

    @asynccontextmanager
    async def running(self, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """One process; killed at the end of the block where it still runs."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "chorale", "keeper", *arguments, cwd=ROOT, env=self.environ,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def once(self) -> tuple[int | None, str]:
        """Exit code and output of one pass."""
        async with self.running("--once") as process:
            out, err = await asyncio.wait_for(process.communicate(), 60)
            assert b"Traceback" not in err, err.decode()
            return process.returncode, out.decode()


@pytest.mark.parametrize("hold", ["answer", "request"])
@pytest.mark.faults
async def test_kill_between_send_and_confirmation(land: Field, hold: str) -> None:
    """Whether the node had the transaction or not."""
    ana, ben = await land.actor(), await land.actor()
    thread_id = await land.thread(ana)
    content_hash = await land.submit(ben, thread_id)
    address = land.address(thread_id, content_hash)
    await land.expire_all()
    (land.folder / "data").mkdir()
    async with open_relay(land.running.rpc_url) as relay:
        command = Command(land, relay)
        await land.running.fund(command.address, SOL, 0)
        relay.hold = hold
        async with command.running() as process:
            async with asyncio.timeout(PATIENCE):
                await relay.held.wait()
            process.kill()
        relay.hold = ""
        landed = hold == "answer"
        assert await land.landed_on(address) == 1 + landed
        assert len(relay.sent) == 1

        code, out = await command.once()
        assert "0 failed" in out
        if landed:
            assert (code, "refund: 1 confirmed" in out) == (0, True)
        else:
            # It may still land, so nothing is sent in its place until its blockhash is too old.
            assert "expire: 0 confirmed, 0 failed, 0 unknown, 0 refused, 1 skipped" in out
            assert len(relay.sent) == 1
            await land.running.rpc("chorale_advanceSlots", {"slots": 200})
            assert "expire: 1 confirmed" in (await command.once())[1]
            assert "refund: 1 confirmed" in (await command.once())[1]
        assert len(set(relay.sent)) == len(relay.sent) == (2 if landed else 3)
        assert await land.landed_on(address) == 3
        message = await land.message(thread_id, content_hash)
        assert (message.status, message.escrow_remaining) == (MessageStatus.EXPIRED, 0)


async def test_a_stopped_command_ends_well(land: Field, tmp_path: Path) -> None:
    """SIGTERM: it says what it has done, exit code 0."""
    async with open_relay(land.running.rpc_url) as relay:
        command = Command(land, relay)
        (land.folder / "data").mkdir()
        await land.running.fund(command.address, SOL, 0)
        async with command.running() as process:
            assert process.stdout is not None
            line = await asyncio.wait_for(process.stdout.readline(), 60)
            assert command.address in line.decode()
            process.terminate()
            out, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert process.returncode == 0
        assert f"0 lamports spent, {SOL} left" in out.decode()
