"""JavaScript's Solana clients (@solana/web3.js and @solana/kit), unchanged, on the chains that Chorale runs on."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from pathlib import Path

import pytest
from solders.keypair import Keypair

from programs.proof import Refusal, Verdict, verify
from tests.chains import RunningChain
from tests.outside.node import compiled, run
from tests.stack import RunningServer

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def scripts(client: Path) -> Path:
    """The compiled TypeScript programs, which take the verifier from the client."""
    return compiled(HERE) / "dist"


def test_web3_wallet(scripts: Path, chain: RunningChain) -> None:
    """web3.js airdrops, watches an account, transfers, confirms, looks back, and is refused what it cannot pay."""
    assert run(scripts / "web3_wallet.js", RPC_URL=chain.rpc_url)["signature"]


def test_kit_flow(scripts: Path, chain: RunningChain, served: RunningServer) -> None:
    """With kit as the wallet: sign-in, thread, submission, a vote past the server, event, search, and the proof, which
    both verifiers accept from the graph's text and the chain's account."""
    ada, ben = Keypair(), Keypair()
    for wallet in (ada, ben):
        asyncio.run(chain.fund(str(wallet.pubkey()), lamports=1_000_000_000))
    done = run(
        scripts / "kit_flow.js",
        RPC_URL=chain.rpc_url,
        WS_URL=chain.ws_url,
        GRAPHQL_URL=f"{served.url}/graphql",
        PROGRAM_ID=chain.program_id,
        ADA_SEED=ada.secret().hex(),
        BEN_SEED=ben.secret().hex(),
    )
    account = {**done["account"], "data": b64decode(done["account"]["data"])}
    assert verify(done["content"], done["proof"], account, chain.program_id) == Verdict(None)
    elsewhere = {**done["content"], "author": str(ada.pubkey())}
    assert verify(elsewhere, done["proof"], account, chain.program_id) == Verdict(Refusal.CONTENT_HASH)
