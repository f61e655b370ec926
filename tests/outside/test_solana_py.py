"""One message end to end with solana-py as the outside client: airdrop, a vote sent straight to the RPC, the root."""

from __future__ import annotations

from base64 import b64decode

from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from programs.merkle import DEPTH, verify_path
from tests import operations
from tests.chains import RunningChain
from tests.stack import Actor, RunningServer, unique

_CONTENT_ROOT = slice(191, 223)  # of a Thread account, as the program writes it
_AIRDROP = 3_000_000_000


async def test_solana_py_flow(chain: RunningChain, served: RunningServer) -> None:
    """A vote past the server reaches the subscriber and search, and the proof's root is the account's."""
    async with AsyncClient(chain.rpc_url, Confirmed) as client:
        ada, ben = Actor(served, Keypair()), Actor(served, Keypair())
        for actor in (ada, ben):
            airdrop = (await client.request_airdrop(actor.keypair.pubkey(), _AIRDROP)).value
            await confirmed(client, airdrop)
            await chain.fund(actor.address, lamports=1_000_000)
            await actor.sign_in()
            assert (await client.get_balance(actor.keypair.pubkey())).value == _AIRDROP + 1_000_000

        created = await ada.act("createThread", title=unique("Letters that outlived their writers"))
        thread = created["thread"]
        body = unique("My grandmother answered every letter, even the ones addressed to people long dead")
        submitted = await ben.act("submitMessage", threadId=thread["threadId"], body=body, stake="1000000")
        content_hash = submitted["message"]["contentHash"]
        assert (submitted["message"]["status"], submitted["update"]["outcome"]) == ("PENDING", "VERIFIED")

        variables = {"threadId": thread["threadId"], "after": submitted["update"]["cursor"]}
        async with served.subscribed(operations.EVENTS, variables, ben.token) as events:
            vote = await ada.prepare("castVote", contentHash=content_hash, approve=True)
            transaction = VersionedTransaction.from_bytes(b64decode(ada.sign(vote["transaction"])))
            sent = (await client.send_transaction(transaction)).value
            await confirmed(client, sent)
            seen = [(await events.next())["threadEvents"] for _ in range(3)]
        assert [event["__typename"] for event in seen] == ["VoteCast", "MessagePublished", "CoAuthorJoined"]
        assert {event["signature"] for event in seen} == {str(sent)}
        assert seen[1]["message"] == {"contentHash": content_hash, "status": "PUBLISHED", "body": body, "leafIndex": 0}

        for mode in ("HYBRID", "SEMANTIC", "TEXT"):
            found = await served.data_of(operations.SEARCH, {"query": body, "mode": mode})
            assert found["search"]["nodes"][0] == {"contentHash": content_hash, "body": body, "status": "PUBLISHED"}

        proof = (await served.data_of(operations.PROOF, {"contentHash": content_hash}))["message"]["proof"]
        account = (await client.get_account_info(Pubkey.from_string(proof["account"]))).value
        assert account is not None
        root = account.data[_CONTENT_ROOT].hex()
        assert proof["root"] == root
        assert len(proof["path"]) == DEPTH
        assert verify_path(content_hash, proof["leafIndex"], proof["path"], root, 1)


async def confirmed(client: AsyncClient, signature: Signature) -> None:
    """Wait for `confirmed`, by solana-py's own polling; a failed transaction fails the test."""
    status = (await client.confirm_transaction(signature, Confirmed, sleep_seconds=0.1)).value[0]
    assert status is not None and status.err is None, status
