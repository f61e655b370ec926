"""The embedded chain as tests meet it: a real process on real sockets, spoken to by clients that are not ours."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from datasources.solana.localnet.keys import load_keys

ROOT = Path(__file__).resolve().parents[3]
PROGRAM_SO = ROOT / "programs" / "chorale.so"
SOL = 1_000_000_000
_LAUNCH = """
import asyncio, json, resource, sys
from dataclasses import asdict
from pathlib import Path
from chorale.domain.errors import StartupError
from datasources.solana.localnet import LocalnetOptions, run_localnet

data, port, program, largest_file, before = sys.argv[1:]
exec(before)
if largest_file:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(largest_file), int(largest_file)))
options = LocalnetOptions(
    data=Path(data),
    port=int(port),
    program_so=Path(program) if program else None,
    ready=lambda info: print(json.dumps(asdict(info)), flush=True),
)
try:
    asyncio.run(run_localnet(options))
except StartupError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


@dataclass
class Localnet:
    """One running localnet."""

    process: subprocess.Popen[bytes]
    http: httpx.Client
    rpc_url: str
    ws_url: str
    program_id: str
    mint: str
    genesis_hash: str
    admin: Keypair

    def post(self, body: Any) -> Any:
        """The answer to any body, as JSON."""
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        return orjson.loads(self.http.post(self.rpc_url, content=content).content)

    def answer(self, method: str, *params: Any) -> Any:
        """The whole answer to one call."""
        return self.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})

    def call(self, method: str, *params: Any) -> Any:
        """The result of one call, which must succeed."""
        answer = self.answer(method, *params)
        assert "error" not in answer, answer
        return answer["result"]

    def error(self, method: str, *params: Any) -> Any:
        """The error of one call, which must fail."""
        answer = self.answer(method, *params)
        assert "error" in answer, answer
        return answer["error"]

    def blockhash(self) -> Hash:
        """A valid blockhash."""
        return Hash.from_string(self.call("getLatestBlockhash")["value"]["blockhash"])

    def funded(self, lamports: int = 10 * SOL) -> Keypair:
        """A new wallet with lamports."""
        wallet = Keypair()
        self.call("requestAirdrop", str(wallet.pubkey()), lamports)
        return wallet

    def signed(self, steps: Sequence[Instruction], *signers: Keypair) -> str:
        """A signed transaction in base64, paid by the first signer."""
        message = Message.new_with_blockhash(steps, signers[0].pubkey(), self.blockhash())
        return encoded(VersionedTransaction(message, signers))

    def send(self, transaction: str, **config: Any) -> str:
        """Send a base64 transaction; returns its signature."""
        signature: str = self.call("sendTransaction", transaction, {"encoding": "base64", **config})
        return signature

    def balance(self, key: Pubkey) -> int:
        """Lamports at `key`."""
        lamports: int = self.call("getBalance", str(key))["value"]
        return lamports


def encoded(transaction: VersionedTransaction) -> str:
    """Base64 of a transaction."""
    return b64encode(bytes(transaction)).decode()


def pay(payer: Keypair, recipient: Pubkey, lamports: int) -> Instruction:
    """A transfer of lamports."""
    return transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=recipient, lamports=lamports))


def launch(
    data: Path, *, port: int = 0, program: Path | None = None, largest_file: int = 0, before: str = ""
) -> subprocess.Popen[bytes]:
    """Start a localnet process; `largest_file` caps the bytes of any file it writes, `before` is Python run first."""
    arguments = [str(data), str(port), str(program or ""), str(largest_file or ""), before]
    return subprocess.Popen(
        [sys.executable, "-c", _LAUNCH, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


@contextlib.contextmanager
def running(data: Path, *, program: Path | None = None, largest_file: int = 0) -> Iterator[Localnet]:
    """A serving localnet on free ports; it has ended when the block has."""
    process = launch(data, program=program, largest_file=largest_file)
    assert process.stdout is not None and process.stderr is not None
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read().decode()
        info = orjson.loads(line)
        info["admin"] = load_keys(data).admin
        with httpx.Client(timeout=10, trust_env=False) as http:
            yield Localnet(process, http, **info)
    finally:
        process.terminate()
        process.communicate(timeout=10)


def refused(data: Path, **options: Any) -> str:
    """What a localnet that cannot start says."""
    process = launch(data, **options)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 1, said
    return said.decode()
