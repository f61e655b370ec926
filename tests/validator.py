"""Agave's own test validator for tests, on a ledger of its own that may begin with accounts made beforehand."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import httpx
import orjson
import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account

from programs import instructions
from programs.addresses import TOKEN_PROGRAM
from tests.chains import APPROVAL_WINDOW, MINIMUM_STAKE, PROGRAM_SO, ROOT, RunningChain, request
from tests.processes import end, free_port

_PURSE = 5_000_000_000_000
_MINT_SIZE = 82
_READY_TIMEOUT = 90.0
_TICKS_PER_SLOT = 32  # half of a cluster's: 0.2 s, so that tests wait half as long for what they send
_SHREDS = "1000000"  # hours of history: by default a quarter of one is kept, and its end is pruned under the tests


SPARE_PROGRAMS = tuple(Keypair() for _ in range(10))
"""For whoever needs a program in which nobody else has written: see `initialized`."""


class StoredAccount(Protocol):
    """An account that a ledger begins with."""

    @property
    def owner(self) -> str: ...
    @property
    def lamports(self) -> int: ...
    @property
    def data(self) -> bytes: ...


@dataclass(frozen=True)
class Preloaded:
    """A ledger's beginning with the program initialised: by `accounts`, with an approval window of `window` seconds."""

    program: Keypair
    admin: Keypair
    mint: Keypair
    window: int
    accounts: Mapping[str, StoredAccount]


def validator_binary() -> Path | None:
    """The test validator named by CHORALE_TEST_VALIDATOR, else the one beside the project, else one on PATH."""
    named = os.environ.get("CHORALE_TEST_VALIDATOR")
    if named:
        return Path(named)
    beside = ROOT.parent / "shared" / "bin" / "solana-test-validator"
    found = shutil.which("solana-test-validator")
    return beside if beside.exists() else Path(found) if found else None


@contextmanager
def running_validator(
    tmp: Path, *, preloaded: Preloaded | None = None, beside: Sequence[Pubkey] = ()
) -> Iterator[RunningChain]:
    """The validator with the program initialised: for a new mint by a transaction, or by `preloaded`. At the addresses
    `beside` it has the program as well, not initialised."""
    binary = validator_binary()
    if binary is None:
        pytest.skip("solana-test-validator is missing: set CHORALE_TEST_VALIDATOR to its path")
    if not PROGRAM_SO.exists():
        pytest.skip(f"{PROGRAM_SO.name} is not built")
    program, admin, mint = (
        (preloaded.program, preloaded.admin, preloaded.mint) if preloaded else (Keypair(), Keypair(), Keypair())
    )
    port, faucet, gossip = free_port(pair=True), free_port(), free_port()
    dynamic = 20_000 + (os.getpid() % 400) * 64
    command = [
        binary, "--ledger", tmp / "ledger", "--reset", "--quiet", "--bind-address", "127.0.0.1",
        "--rpc-port", port, "--faucet-port", faucet, "--gossip-port", gossip,
        "--dynamic-port-range", f"{dynamic}-{dynamic + 63}", "--ticks-per-slot", _TICKS_PER_SLOT,
        "--limit-ledger-size", _SHREDS,
    ]  # fmt: skip
    for address in (program.pubkey(), *beside):
        command += ["--bpf-program", address, PROGRAM_SO]
    if preloaded:
        command += ["--account-dir", _written(tmp / "accounts", preloaded.accounts)]
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    chain = RunningChain(
        "validator",
        f"http://127.0.0.1:{port}",
        f"ws://127.0.0.1:{port + 1}",
        str(program.pubkey()),
        str(mint.pubkey()),
        admin,
        preloaded.window if preloaded else APPROVAL_WINDOW,
    )
    try:
        _wait_healthy(chain.rpc_url, process)
        asyncio.run(_fill_purse(chain))
        if not preloaded:
            asyncio.run(_initialize(chain, program, mint))
        yield chain
    finally:
        end(process)


def _written(folder: Path, accounts: Mapping[str, StoredAccount]) -> Path:
    """The accounts as files that the validator reads at its first start."""
    folder.mkdir()
    for address, account in accounts.items():
        stored = {
            "lamports": account.lamports,
            "data": [b64encode(account.data).decode(), "base64"],
            "owner": account.owner,
            "executable": False,
            "rentEpoch": 2**64 - 1,
            "space": len(account.data),
        }
        (folder / f"{address}.json").write_bytes(orjson.dumps({"pubkey": address, "account": stored}))
    return folder


async def initialized(chain: RunningChain, program: Keypair) -> RunningChain:
    """The same cluster with another program, that was not initialised yet, and a mint of its own."""
    mint = Keypair()
    other = replace(chain, program_id=str(program.pubkey()), mint=str(mint.pubkey()))
    await _initialize(other, program, mint)
    return other


async def _fill_purse(chain: RunningChain) -> None:
    await chain.confirmed(await chain.rpc("requestAirdrop", str(chain.admin.pubkey()), _PURSE))


async def _initialize(chain: RunningChain, program: Keypair, mint: Keypair) -> None:
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


def _wait_healthy(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_TIMEOUT
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the validator ended with {process.returncode}"
        with contextlib.suppress(httpx.HTTPError):
            if httpx.post(url, json=request("getHealth", []), timeout=2, trust_env=False).json().get("result") == "ok":
                return
        time.sleep(0.2)
    raise AssertionError("the validator did not become healthy in time")
