"""A wallet that talks only to the RPC, with solana-py, posts the hash of a text that nobody else has: the message shows
as MISSING, the right bytes heal it for everyone, and no others are taken."""

from __future__ import annotations

import asyncio
from secrets import randbits, token_hex
from typing import Any

from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.transaction import VersionedTransaction

from programs import identity, instructions
from tests import operations
from tests.chains import RunningChain
from tests.outside.test_solana_py import confirmed
from tests.patience import PATIENCE
from tests.stack import RunningServer, unique

_AIRDROP = 3_000_000_000
_READ = "query($hash: Hash!) { message(contentHash: $hash) { contentHash status body contentState } }"
_RESTORE = """
mutation($input: RestoreContentInput!) {
  restoreContent(input: $input) {
    __typename
    ... on RestoreContentSuccess { restored cursor message { contentHash body contentState } }
    ... on ContentMismatch { expected actual }
    ... on Problem { code explanation }
  }
}"""
_EVENTS = """
subscription($threadId: Hash!, $after: Cursor) {
  threadEvents(threadId: $threadId, after: $after) {
    __typename cursor ... on ContentRestored { message { contentHash body contentState } }
  }
}"""


async def test_a_hash_without_bytes_is_healed_by_whoever_has_them(chain: RunningChain, served: RunningServer) -> None:
    """MISSING, refused with wrong bytes, restored without signing in, searchable, told to subscribers once."""
    async with AsyncClient(chain.rpc_url, Confirmed) as client:
        wallet = Keypair()
        await confirmed(client, (await client.request_airdrop(wallet.pubkey(), _AIRDROP)).value)
        author, nonce, salt = str(wallet.pubkey()), randbits(63), token_hex(32)
        thread_id = identity.thread_id(author, nonce)
        title, body = unique("Letters without envelopes"), unique("The tide table was wrong by a whole hour")
        create = instructions.create_thread(
            chain.addresses,
            payer=author,
            creator=author,
            mint=chain.mint,
            nonce=nonce,
            title_hash=identity.title_hash(salt, title),
        )
        body_hash = identity.body_hash(salt, body)
        post = instructions.post_message(
            chain.addresses, payer=author, author=author, thread_id=thread_id, body_hash=body_hash, nonce=nonce
        )
        for instruction in (create, post):
            await send(client, wallet, instruction)

    content_hash = identity.content_hash(thread_id, author, nonce, body_hash)
    message = await until_there(served, content_hash)
    assert message == {
        "contentHash": content_hash, "status": "PUBLISHED", "body": None, "contentState": "MISSING"
    }  # fmt: skip
    assert content_hash not in await found(served, body)

    right = {"contentHash": content_hash, "text": body, "salt": salt}
    for wrong in ({"text": body + " "}, {"salt": token_hex(32)}):
        refused = (await served.data_of(_RESTORE, {"input": right | wrong}))["restoreContent"]
        assert (refused["__typename"], refused["expected"]) == ("ContentMismatch", body_hash)
    assert (await until_there(served, content_hash)) == message

    query = "query($id: Hash!) { thread(threadId: $id) { eventCursor title titleState } }"
    thread = (await served.data_of(query, {"id": thread_id}))["thread"]
    assert (thread["title"], thread["titleState"]) == (None, "MISSING")
    async with served.subscribed(_EVENTS, {"threadId": thread_id, "after": thread["eventCursor"]}) as events:
        done = (await served.data_of(_RESTORE, {"input": right}))["restoreContent"]
        assert (done["__typename"], done["restored"]) == ("RestoreContentSuccess", True), done
        again = (await served.data_of(_RESTORE, {"input": right}))["restoreContent"]
        assert (again["__typename"], again["restored"]) == ("RestoreContentSuccess", False), again
        told = (await events.next())["threadEvents"]
    healed = {"contentHash": content_hash, "body": body, "contentState": "AVAILABLE"}
    assert done["message"] == healed
    assert told == {"__typename": "ContentRestored", "cursor": done["cursor"], "message": healed}
    assert await found(served, body) == content_hash

    titled = {"threadId": thread_id, "text": title, "salt": salt}
    assert (await served.data_of(_RESTORE, {"input": titled}))["restoreContent"]["restored"] is True
    assert (await served.data_of(query, {"id": thread_id}))["thread"]["title"] == title


async def send(client: AsyncClient, wallet: Keypair, instruction: Instruction) -> None:
    """Sign and send as any wallet would, and wait until it is confirmed."""
    blockhash = (await client.get_latest_blockhash()).value.blockhash
    message = MessageV0.try_compile(wallet.pubkey(), [instruction], [], blockhash)
    sent = await client.send_transaction(VersionedTransaction(message, [wallet]))
    await confirmed(client, sent.value)


async def until_there(served: RunningServer, content_hash: str) -> Any:
    """The message, once the server has followed the chain to it."""
    async with asyncio.timeout(PATIENCE):
        while (message := (await served.data_of(_READ, {"hash": content_hash}))["message"]) is None:
            await asyncio.sleep(0.05)
    return message


async def found(served: RunningServer, text: str) -> Any:
    """Hash of the first hit, "" where there is none."""
    nodes = (await served.data_of(operations.SEARCH, {"query": text, "mode": "TEXT"}))["search"]["nodes"]
    return nodes[0]["contentHash"] if nodes else ""
