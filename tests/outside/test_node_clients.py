"""JavaScript's Solana clients (@solana/web3.js and @solana/kit), unchanged, on the chains that Chorale runs on."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest
from solders.keypair import Keypair

from tests.chains import RunningChain
from tests.outside.node import TIMEOUT, run
from tests.stack import RunningServer

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def scripts() -> Path:
    """The compiled TypeScript programs."""
    if shutil.which("node") is None:
        pytest.skip("node is missing: install Node.js")
    compiler = HERE / "node_modules" / ".bin" / "tsc"
    if not compiler.exists():
        pytest.skip("Node packages are missing: npm ci in tests/outside")
    built = subprocess.run([compiler], cwd=HERE, capture_output=True, text=True, timeout=TIMEOUT)
    assert built.returncode == 0, built.stdout
    return HERE / "dist"


@pytest.mark.timeout(180)
def test_web3_wallet(scripts: Path, chain: RunningChain) -> None:
    """web3.js airdrops, watches an account, transfers, confirms, looks back, and is refused what it cannot pay."""
    assert run(scripts / "web3_wallet.js", RPC_URL=chain.rpc_url)["signature"]


@pytest.mark.timeout(240)
def test_kit_flow(scripts: Path, chain: RunningChain, served: RunningServer) -> None:
    """With kit as the wallet: sign-in, thread, submission, a vote past the server, event, search and proof."""
    ada, ben = Keypair(), Keypair()
    for wallet in (ada, ben):
        asyncio.run(chain.fund(str(wallet.pubkey()), lamports=1_000_000_000))
    done = run(
        scripts / "kit_flow.js",
        RPC_URL=chain.rpc_url,
        WS_URL=chain.ws_url,
        GRAPHQL_URL=f"{served.url}/graphql",
        ADA_SEED=ada.secret().hex(),
        BEN_SEED=ben.secret().hex(),
    )
    assert len(bytes.fromhex(done["root"])) == 32
