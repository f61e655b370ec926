"""Real chains for tests, each with the program, a mint and a purse: what a test may ask of one, and the embedded one.

`tests.validator` has Agave's. Both are context managers for session-scoped fixtures; the process ends with the block.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import Transaction

from programs.addresses import TOKEN_PROGRAM, ProgramAddresses
from programs.associated import create_associated_account
from tests.patience import PATIENCE
from tests.processes import end

ROOT = Path(__file__).resolve().parents[1]
PROGRAM_SO = ROOT / "programs" / "chorale.so"
MINIMUM_STAKE = 1_000_000
APPROVAL_WINDOW = 604_800
CLOCK = "SysvarC1ock11111111111111111111111111111111"
_UNIX_TIMESTAMP = slice(32, 40)

_LOCALNET = """
import asyncio
import sys
from pathlib import Path
from dataclasses import asdict
import json
import uvloop  # as the command line does
from datasources.solana.localnet import LocalnetOptions, run_localnet

def ready(info):
    print(json.dumps(asdict(info)), flush=True)

with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    options = LocalnetOptions(data=Path(sys.argv[1]), port=0, program_so=Path(sys.argv[2]), ready=ready)
    runner.run(run_localnet(options))
"""


@dataclass(frozen=True)
class RunningChain:
    """A chain with the program initialised; `admin` is also the mint's authority and has lamports to give. Messages
    expire after `window` seconds."""

    name: str
    rpc_url: str
    ws_url: str
    program_id: str
    mint: str
    admin: Keypair
    window: int = APPROVAL_WINDOW

    @property
    def addresses(self) -> ProgramAddresses:
        """Addresses under this deployment."""
        return ProgramAddresses(self.program_id)

    async def rpc(self, method: str, *params: Any) -> Any:
        """One JSON-RPC result, by a client that is not the server's. Fails the test on an error answer."""
        async with httpx.AsyncClient(timeout=20, trust_env=False, verify=False) as http:  # no TLS, no CAs to read
            response = await http.post(self.rpc_url, json=request(method, params))
        answer = orjson.loads(response.content)
        assert "error" not in answer, answer
        return answer["result"]

    async def sign(self, parts: Sequence[Instruction], signers: Sequence[Keypair]) -> bytes:
        """A signed transaction on the latest blockhash; the first signer pays."""
        latest = await self.rpc("getLatestBlockhash", {"commitment": "confirmed"})
        return signed(parts, signers, latest["value"]["blockhash"])

    async def send(self, parts: Sequence[Instruction], signers: Sequence[Keypair]) -> str:
        """Signs, sends and waits for `confirmed`; returns the signature."""
        return await self.send_raw(await self.sign(parts, signers))

    async def send_raw(self, transaction: bytes) -> str:
        """Sends and waits for `confirmed`; fails the test where the transaction fails."""
        options = {"encoding": "base64", "preflightCommitment": "confirmed"}
        signature: str = await self.rpc("sendTransaction", b64encode(transaction).decode(), options)
        error = await self.confirmed(signature)
        assert error is None, error
        return signature

    async def confirmed(self, signature: str) -> Any:
        """Waits until a transaction is `confirmed`; returns its err JSON, None where it succeeded."""
        async with asyncio.timeout(PATIENCE):
            while True:
                status = (await self.rpc("getSignatureStatuses", [signature]))["value"][0]
                if status is not None and status["confirmationStatus"] != "processed":
                    return status["err"]
                await asyncio.sleep(0.05)

    async def fund(self, address: str, lamports: int = 10_000_000_000, tokens: int = 1_000_000_000) -> None:
        """Gives lamports, and tokens (base units) into the associated token account, which is made."""
        owner, mint = Pubkey.from_string(address), Pubkey.from_string(self.mint)
        account = Pubkey.from_string(self.addresses.associated_token_account(address, self.mint))
        parts = [transfer(TransferParams(from_pubkey=self.admin.pubkey(), to_pubkey=owner, lamports=lamports))]
        if tokens:
            parts += [
                create_associated_account(payer=str(self.admin.pubkey()), owner=address, mint=self.mint),
                mint_to(mint, account, self.admin.pubkey(), tokens),
            ]
        await self.send(parts, [self.admin])

    async def wallet(self, lamports: int = 10_000_000_000, tokens: int = 1_000_000_000) -> Keypair:
        """A new funded wallet."""
        keypair = Keypair()
        await self.fund(str(keypair.pubkey()), lamports, tokens)
        return keypair

    async def now(self) -> int:
        """The chain's clock, unix s."""
        answer = await self.rpc("getAccountInfo", CLOCK, {"encoding": "base64", "commitment": "confirmed"})
        return int.from_bytes(b64decode(answer["value"]["data"][0])[_UNIX_TIMESTAMP], "little")

    async def pass_time(self, until: int) -> None:
        """Returns once the clock shows `until`: the embedded chain's is moved, a validator's waited for, a minute at
        most."""
        if self.name == "localnet":
            await self.rpc("chorale_advanceClock", max(0, until - await self.now()))
        async with asyncio.timeout(PATIENCE):
            while await self.now() < until:
                await asyncio.sleep(0.2)

    async def advance_clock(self, seconds: int) -> None:
        """Moves the embedded chain's clock; skips the test on other chains."""
        if self.name != "localnet":
            pytest.skip("only the embedded chain's clock can be moved")
        await self.rpc("chorale_advanceClock", seconds)

    async def pass_window(self) -> None:
        """Lets every message expire that is pending now. A validator needs a ledger with a short window for that."""
        await self.pass_time(await self.now() + self.window + 1)


def signed(parts: Sequence[Instruction], signers: Sequence[Keypair], blockhash: str) -> bytes:
    """A signed legacy transaction; the first signer pays."""
    message = Message.new_with_blockhash(list(parts), signers[0].pubkey(), Hash.from_string(blockhash))
    return bytes(Transaction(list(signers), message, Hash.from_string(blockhash)))


def signature_of(transaction: bytes) -> str:
    """A signed transaction's id."""
    return str(Transaction.from_bytes(transaction).signatures[0])


def mint_to(mint: Pubkey, account: Pubkey, authority: Pubkey, amount: int) -> Instruction:
    """MintTo of the SPL Token program."""
    metas = [AccountMeta(mint, False, True), AccountMeta(account, False, True), AccountMeta(authority, True, False)]
    return Instruction(Pubkey.from_string(TOKEN_PROGRAM), b"\x07" + amount.to_bytes(8, "little"), metas)


@contextmanager
def running_localnet(tmp: Path) -> Iterator[RunningChain]:
    """The embedded chain as a process of its own, with its data under `tmp`."""
    from datasources.solana.localnet.keys import load_keys

    if not PROGRAM_SO.exists():
        pytest.skip(f"{PROGRAM_SO.name} is not built")
    process = subprocess.Popen(
        [sys.executable, "-c", _LOCALNET, str(tmp), str(PROGRAM_SO)], cwd=ROOT, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"the localnet did not start (exit code {process.wait(PATIENCE)})"
        info = orjson.loads(line)
        yield RunningChain(
            "localnet", info["rpc_url"], info["ws_url"], info["program_id"], info["mint"], load_keys(tmp).admin
        )
    finally:
        end(process)


def request(method: str, params: Sequence[Any]) -> dict[str, Any]:
    """The JSON of one call."""
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
