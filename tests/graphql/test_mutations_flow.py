"""One message, end to end, through a real server: submitted by an outsider, approved, published, found and proven."""

from __future__ import annotations

from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest

from tests import operations
from tests.chains import RunningChain
from tests.stack import RunningServer, running_stack, unique

_CONTENT_ROOT = slice(191, 223)  # of a Thread account, as the program writes it


async def test_a_message_from_submission_to_proof(server: RunningServer) -> None:
    """Every step is seen by the subscriber, and the proof leads to the root that stands on chain."""
    await follow_a_message(server)


@pytest.mark.validator
async def test_the_same_on_a_real_validator(validator: RunningChain, tmp_path: Path, models: Path) -> None:
    """Nothing changes but the address, and the development mutations are not there."""
    with running_stack(tmp_path / "data", models, cluster=validator) as server:
        await follow_a_message(server)
        absent = await server.execute('mutation { devSignIn(name: "ada") { token } }')
        assert absent["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def follow_a_message(server: RunningServer) -> None:
    """The whole flow, as three wallets live it."""
    ada, ben, cleo = await server.actor(), await server.actor(), await server.actor()
    thread_id = await ada.create_thread(unique("A novel that its readers own"))
    first = await ben.act("submitMessage", threadId=thread_id, body="Ben would like to join.", stake="1000000")
    await ada.act("castVote", contentHash=first["message"]["contentHash"], approve=True)

    body = unique("The lighthouse keeper wrote down the name of every ship that never came back")
    async with server.subscribed(operations.EVENTS, {"threadId": thread_id}, ada.token) as events:
        submitted = await cleo.act("submitMessage", threadId=thread_id, body=body, stake="1000000")
        content_hash = submitted["message"]["contentHash"]
        assert submitted["message"]["status"] == "PENDING"
        assert {voter["address"] for voter in submitted["message"]["requiredVoters"]} == {ada.address, ben.address}
        assert submitted["update"]["outcome"] == "VERIFIED"
        assert [step["state"] for step in submitted["update"]["steps"]] == ["DONE"] * 4
        assert submitted["wallet"]["address"] == cleo.address
        seen = (await events.next())["threadEvents"]
        assert (seen["__typename"], seen["message"]["body"]) == ("MessageSubmitted", body)
        assert seen["signature"] == submitted["update"]["signature"]

        hidden = await server.data_of(operations.READ_MESSAGE, {"contentHash": content_hash})
        assert hidden["message"] is None
        one = await ada.act("castVote", contentHash=content_hash, approve=True)
        assert one["message"]["status"] == "PENDING"
        both = await ben.act("castVote", contentHash=content_hash, approve=True)
        assert both["message"]["status"] == "PUBLISHED"
        assert cleo.address in {each["user"]["address"] for each in both["thread"]["coAuthors"]}
        kinds: list[str] = []
        while not kinds or kinds[-1] != "CoAuthorJoined":
            event = (await events.next())["threadEvents"]
            if event["__typename"] != "UpdateVerified":
                kinds.append(event["__typename"])
        assert kinds == ["VoteCast", "VoteCast", "MessagePublished", "CoAuthorJoined"]

    for mode in ("HYBRID", "SEMANTIC", "TEXT"):
        found = await server.data_of(operations.SEARCH, {"query": body, "mode": mode})
        assert found["search"]["nodes"][0] == {"contentHash": content_hash, "body": body, "status": "PUBLISHED"}

    proof = (await server.data_of(operations.PROOF, {"contentHash": content_hash}))["message"]["proof"]
    options = {"encoding": "base64", "commitment": "confirmed"}
    account = await server.chain.rpc("getAccountInfo", proof["account"], options)
    root = b64decode(account["value"]["data"][0])[_CONTENT_ROOT].hex()
    assert proof["root"] == root
    assert _folded(content_hash, proof["leafIndex"], proof["path"]) == root


async def test_a_client_reads_its_own_writes(server: RunningServer) -> None:
    """What a mutation has answered is in the next query, with the version it named."""
    ada = await server.actor()
    created = await ada.act("createThread", title=unique("A thread"))
    thread_id = created["thread"]["threadId"]
    posted = await ada.act("postMessage", threadId=thread_id, body="One.")
    variables = {"threadId": thread_id, "minVersion": posted["thread"]["version"]}
    thread = (await server.data_of(operations.READ_THREAD, variables))["thread"]
    assert [message["body"] for message in thread["messages"]["nodes"]] == ["One."]
    assert thread["contentRoot"] == posted["thread"]["contentRoot"]


async def test_denied_by_all_stays_hidden(server: RunningServer) -> None:
    """A denied message is its author's and the voters' to see, nobody else's."""
    ada, ben = await server.actor(), await server.actor()
    thread_id = await ada.create_thread()
    sent = await ben.act("submitMessage", threadId=thread_id, body=unique("No."), stake="1000000")
    asked = {"contentHash": sent["message"]["contentHash"]}
    denied = await ada.act("castVote", **asked, approve=False)
    assert denied["message"]["status"] == "DENIED"
    assert (await ben.ask(operations.READ_MESSAGE, asked))["message"]["status"] == "DENIED"
    assert (await server.data_of(operations.READ_MESSAGE, asked))["message"] is None


def _folded(content_hash: str, index: int, path: list[str]) -> str:
    """The root over a leaf, by the page that describes the tree and nothing of ours."""
    node = sha256(b"\x00" + bytes.fromhex(content_hash)).digest()
    assert len(path) == 20
    for level, sibling in enumerate(map(bytes.fromhex, path)):
        pair = sibling + node if index >> level & 1 else node + sibling
        node = sha256(b"\x01" + pair).digest()
    return node.hex()
