"""Real chains for tests: the embedded one and Agave's test validator, each with the program, a mint and a purse.

Both are used as context managers by session-scoped fixtures; the process ends with the block.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from base64 import b64encode
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
from solders.system_program import CreateAccountParams, TransferParams, create_account, transfer
from solders.transaction import Transaction

from programs import instructions
from programs.addresses import ASSOCIATED_TOKEN_PROGRAM, SYSTEM_PROGRAM, TOKEN_PROGRAM, ProgramAddresses

ROOT = Path(__file__).resolve().parents[1]
PROGRAM_SO = ROOT / "programs" / "chorale.so"
MINIMUM_STAKE = 1_000_000
APPROVAL_WINDOW = 604_800
_PURSE = 5_000_000_000_000
_MINT_SIZE = 82
_READY_TIMEOUT = 90.0

_LOCALNET = """
import asyncio
import sys
from pathlib import Path
from dataclasses import asdict
import json
from datasources.solana.localnet import LocalnetOptions, run_localnet

def ready(info):
    print(json.dumps(asdict(info)), flush=True)

asyncio.run(run_localnet(LocalnetOptions(data=Path(sys.argv[1]), port=0, program_so=Path(sys.argv[2]), ready=ready)))
"""


@dataclass(frozen=True)
class RunningChain:
    """A chain with the program initialised; `admin` is also the mint's authority and has lamports to give."""

    name: str
    rpc_url: str
    ws_url: str
    program_id: str
    mint: str
    admin: Keypair

    @property
    def addresses(self) -> ProgramAddresses:
        """Addresses under this deployment."""
        return ProgramAddresses(self.program_id)

    async def rpc(self, method: str, *params: Any) -> Any:
        """One JSON-RPC result, by a client that is not the server's. Fails the test on an error answer."""
        async with httpx.AsyncClient(timeout=20, trust_env=False, verify=False) as http:  # no TLS, no CAs to read
            response = await http.post(self.rpc_url, json=_request(method, params))
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
        for _ in range(600):
            status = (await self.rpc("getSignatureStatuses", [signature]))["value"][0]
            if status is not None and status["confirmationStatus"] != "processed":
                assert status["err"] is None, status
                return signature
            await asyncio.sleep(0.05)
        raise AssertionError(f"{signature} was not confirmed in time")

    async def fund(self, address: str, lamports: int = 10_000_000_000, tokens: int = 1_000_000_000) -> None:
        """Gives lamports, and tokens (base units) into the associated token account, which is made."""
        owner, mint = Pubkey.from_string(address), Pubkey.from_string(self.mint)
        account = Pubkey.from_string(self.addresses.associated_token_account(address, self.mint))
        parts = [transfer(TransferParams(from_pubkey=self.admin.pubkey(), to_pubkey=owner, lamports=lamports))]
        if tokens:
            parts += [
                make_associated_account(self.admin.pubkey(), owner, mint, account),
                mint_to(mint, account, self.admin.pubkey(), tokens),
            ]
        await self.send(parts, [self.admin])

    async def wallet(self, lamports: int = 10_000_000_000, tokens: int = 1_000_000_000) -> Keypair:
        """A new funded wallet."""
        keypair = Keypair()
        await self.fund(str(keypair.pubkey()), lamports, tokens)
        return keypair

    async def advance_clock(self, seconds: int) -> None:
        """Moves the embedded chain's clock; skips the test on other chains."""
        if self.name != "localnet":
            pytest.skip("only the embedded chain's clock can be moved")
        await self.rpc("chorale_advanceClock", seconds)


def signed(parts: Sequence[Instruction], signers: Sequence[Keypair], blockhash: str) -> bytes:
    """A signed legacy transaction; the first signer pays."""
    message = Message.new_with_blockhash(list(parts), signers[0].pubkey(), Hash.from_string(blockhash))
    return bytes(Transaction(list(signers), message, Hash.from_string(blockhash)))


def signature_of(transaction: bytes) -> str:
    """A signed transaction's id."""
    return str(Transaction.from_bytes(transaction).signatures[0])


def make_associated_account(payer: Pubkey, owner: Pubkey, mint: Pubkey, account: Pubkey) -> Instruction:
    """CreateIdempotent of the associated token program."""
    metas = [
        AccountMeta(payer, is_signer=True, is_writable=True),
        AccountMeta(account, is_signer=False, is_writable=True),
        *(AccountMeta(key, is_signer=False, is_writable=False) for key in (owner, mint)),
        *(AccountMeta(Pubkey.from_string(key), False, False) for key in (SYSTEM_PROGRAM, TOKEN_PROGRAM)),
    ]
    return Instruction(Pubkey.from_string(ASSOCIATED_TOKEN_PROGRAM), b"\x01", metas)


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
        assert line, f"the localnet did not start (exit code {process.wait(5)})"
        info = orjson.loads(line)
        yield RunningChain(
            "localnet", info["rpc_url"], info["ws_url"], info["program_id"], info["mint"], load_keys(tmp).admin
        )
    finally:
        _end(process)


def validator_binary() -> Path | None:
    """The test validator named by CHORALE_TEST_VALIDATOR, else the one beside the project, else one on PATH."""
    named = os.environ.get("CHORALE_TEST_VALIDATOR")
    if named:
        return Path(named)
    beside = ROOT.parent / "shared" / "bin" / "solana-test-validator"
    found = shutil.which("solana-test-validator")
    return beside if beside.exists() else Path(found) if found else None


@contextmanager
def running_validator(tmp: Path) -> Iterator[RunningChain]:
    """Agave's test validator on a ledger of its own, with the program deployed and initialised for a new mint."""
    binary = validator_binary()
    if binary is None:
        pytest.skip("solana-test-validator is missing: set CHORALE_TEST_VALIDATOR to its path")
    if not PROGRAM_SO.exists():
        pytest.skip(f"{PROGRAM_SO.name} is not built")
    program, admin, mint = Keypair(), Keypair(), Keypair()
    port, faucet, gossip = _free_port(pair=True), _free_port(), _free_port()
    dynamic = 20_000 + (os.getpid() % 400) * 64
    command = [
        binary, "--ledger", tmp / "ledger", "--reset", "--quiet", "--bind-address", "127.0.0.1",
        "--rpc-port", port, "--faucet-port", faucet, "--gossip-port", gossip,
        "--dynamic-port-range", f"{dynamic}-{dynamic + 63}",
        "--bpf-program", program.pubkey(), PROGRAM_SO,
    ]  # fmt: skip
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    chain = RunningChain(
        "validator",
        f"http://127.0.0.1:{port}",
        f"ws://127.0.0.1:{port + 1}",
        str(program.pubkey()),
        str(mint.pubkey()),
        admin,
    )
    try:
        _wait_healthy(chain.rpc_url, process)
        asyncio.run(_deploy(chain, program, mint))
        yield chain
    finally:
        _end(process)


async def _deploy(chain: RunningChain, program: Keypair, mint: Keypair) -> None:
    signature = await chain.rpc("requestAirdrop", str(chain.admin.pubkey()), _PURSE)
    while (await chain.rpc("getBalance", str(chain.admin.pubkey()), {"commitment": "confirmed"}))["value"] < _PURSE:
        await asyncio.sleep(0.1)
    assert signature
    rent = await chain.rpc("getMinimumBalanceForRentExemption", _MINT_SIZE)
    token_program = Pubkey.from_string(TOKEN_PROGRAM)
    make = create_account(
        CreateAccountParams(
            from_pubkey=chain.admin.pubkey(),
            to_pubkey=mint.pubkey(),
            lamports=rent,
            space=_MINT_SIZE,
            owner=token_program,
        )
    )
    initialize_mint = Instruction(
        token_program,
        bytes([20, 6]) + bytes(chain.admin.pubkey()) + b"\x00",
        [AccountMeta(mint.pubkey(), is_signer=False, is_writable=True)],
    )
    initialize = instructions.initialize(
        chain.addresses,
        payer=str(chain.admin.pubkey()),
        admin=str(chain.admin.pubkey()),
        mint=str(mint.pubkey()),
        minimum_stake=MINIMUM_STAKE,
        approval_window=APPROVAL_WINDOW,
    )
    await chain.send([make, initialize_mint, initialize], [chain.admin, mint, program])


def _request(method: str, params: Sequence[Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}


def _wait_healthy(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_TIMEOUT
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the validator ended with {process.returncode}"
        with contextlib.suppress(httpx.HTTPError):
            if httpx.post(url, json=_request("getHealth", []), timeout=2, trust_env=False).json().get("result") == "ok":
                return
        time.sleep(0.2)
    raise AssertionError("the validator did not become healthy in time")


def _free_port(*, pair: bool = False) -> int:
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            if not pair:
                return port
            with socket.socket() as second, contextlib.suppress(OSError):
                second.bind(("127.0.0.1", port + 1))
                return port


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
    if process.stdout is not None:
        process.stdout.close()
