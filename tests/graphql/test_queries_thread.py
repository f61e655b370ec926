"""A thread and its messages are read from their authorities, at one version, and only by those who may see them."""

from __future__ import annotations

from typing import Any

import pytest

from programs import merkle
from programs.accounts import decode_thread
from tests.graphql.stack import Stack, Story
from tests.patience import PATIENCE
from tests.spine.parts import Actor

pytestmark = pytest.mark.asyncio(loop_scope="session")

THREAD = """query ($id: Hash!) { thread(threadId: $id) {
  id threadId address title titleState creator { id address } createdAt lastActivityAt
  coAuthors { user { address } joinedVersion } tokenBalance { amount decimals mint } stakesTotal { amount }
  escrowTotal { amount } treasuryDue { amount } messageCount pendingCount contentRoot version slot commitment
  eventCursor viewerIsCoAuthor } }"""

MESSAGES = """query (
  $id: Hash!, $first: Int, $after: Cursor, $last: Int, $before: Cursor, $status: [MessageStatus!]
) { thread(threadId: $id) { version
  messages(first: $first, after: $after, last: $last, before: $before, status: $status) {
    nodes { contentHash status version } edges { cursor node { contentHash } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""

MESSAGE = """query ($hash: Hash!) { message(contentHash: $hash) {
  id contentHash nonce salt address thread { id title } author { address } body contentState status
  stake { amount } escrowRemaining { amount } submittedAt submittedVersion expiresAt decidedAt
  votes { voter { address } approve claimed } requiredVoters { address } viewerCanVote viewerCanClaim
  version slot commitment leafIndex proof { root leaf leafIndex path account slot } } }"""


async def test_a_thread_is_its_account_with_its_title(stack: Stack, story: Story) -> None:
    """Every field is the chain's or the content store's own."""
    thread = (await stack.ask(THREAD, story.ana.key, id=story.thread_id))["thread"]
    address = stack.parts.running.addresses.thread(story.thread_id)
    account = decode_thread(address, (await stack.parts.chain.accounts([address])).accounts[0].data)  # type: ignore[union-attr]
    assert thread["id"] == f"Thread:{story.thread_id}"
    assert (thread["title"], thread["titleState"]) == (story.title, "AVAILABLE")
    assert thread["creator"] == {"id": f"User:{story.ana.key}", "address": story.ana.key}
    assert [c["user"]["address"] for c in thread["coAuthors"]] == [story.ana.key, story.ben.key]
    assert thread["tokenBalance"]["amount"] == str(account.token_balance) == "3000000"
    assert thread["stakesTotal"] == {"amount": "2000000"}
    assert (thread["version"], thread["messageCount"], thread["pendingCount"]) == (story.version, 5, 1)
    assert (thread["contentRoot"], thread["commitment"]) == (account.content_root, "CONFIRMED")
    assert thread["viewerIsCoAuthor"] is True
    assert thread["createdAt"].endswith("Z")


async def test_absent_is_null_without_an_error(stack: Stack, story: Story) -> None:
    """Unknown thread, message and node are null; so is a malformed node id."""
    nothing = "ab" * 32
    query = """query ($h: Hash!, $t: Hash!) { thread(threadId: $h) { id } message(contentHash: $h) { id }
      a: node(id: "Thread:x") { id } b: node(id: "") { id } c: node(id: "Message:NOTHING") { id }
      there: thread(threadId: $t) { message(contentHash: $h) { id } } }"""
    data = await stack.ask(query.replace("NOTHING", nothing), h=nothing, t=story.thread_id)
    assert data.pop("there") == {"message": None}
    assert set(data.values()) == {None}


async def hashes(stack: Stack, viewer: str | None, **page: Any) -> list[str]:
    data = await stack.ask(MESSAGES, viewer, **page)
    assert {node["version"] for node in data["thread"]["messages"]["nodes"]} <= {data["thread"]["version"]}
    return [node["contentHash"] for node in data["thread"]["messages"]["nodes"]]


async def test_a_page_holds_what_its_viewer_may_see(stack: Stack, story: Story) -> None:
    """Published for all; pending and denied for author, co-authors and voters; staged for its author, last."""
    published = [story.posts[0].hash, story.posts[1].hash, story.approved.hash]
    denied, pending, staged = story.denied.hash, story.pending.hash, story.staged.hash
    for viewer, expected in (
        (None, published),
        (story.eve.key, published),
        (story.ana.key, [*published, denied, pending]),
        (story.ben.key, [*published, denied, pending, staged]),
        (story.cara.key, [*published, denied]),
        (story.dan.key, [*published, pending]),
    ):
        assert await hashes(stack, viewer, id=story.thread_id) == expected


@pytest.mark.parametrize(
    "path",
    ["message(contentHash: $h) { id }", 'node(id: "Message:HASH") { id }',
     "thread(threadId: $t) { message(contentHash: $h) { id } }"],
)  # fmt: skip
async def test_every_way_to_a_message_obeys_the_same_rule(stack: Stack, story: Story, path: str) -> None:
    """Whoever may not see a message cannot tell it from one that does not exist."""
    for draft, seen_by in (
        (story.pending, {"ana", "ben", "dan"}),
        (story.denied, {"ana", "ben", "cara"}),
        (story.staged, {"ben"}),
        (story.approved, {"ana", "ben", "cara", "dan", "eve", None}),
    ):
        query = f"query ($h: Hash!, $t: Hash!) {{ found: {path.replace('HASH', draft.hash)} x: thread(threadId: $t) "
        query += "{ message(contentHash: $h) { id } } }"
        for name in ("ana", "ben", "cara", "dan", "eve", None):
            viewer = None if name is None else getattr(story, name).key
            data = await stack.ask(query, viewer, h=draft.hash, t=story.thread_id)
            found = data["found"] and data["found"].get("message", data["found"])
            assert (found is not None) == (name in seen_by), (draft.content.body, name)


async def test_pages_go_both_ways_by_keyset(stack: Stack, story: Story) -> None:
    """first and after walk forward, last and before backward, the default is the end, and pageInfo is exact."""
    everything = await hashes(stack, story.ben.key, id=story.thread_id, first=100)
    assert len(everything) == 6
    page = (await stack.ask(MESSAGES, story.ben.key, id=story.thread_id, first=2))["thread"]["messages"]
    assert page["pageInfo"]["hasNextPage"] is True and page["pageInfo"]["hasPreviousPage"] is False
    walked = [node["contentHash"] for node in page["nodes"]]
    while page["pageInfo"]["hasNextPage"]:
        after = page["pageInfo"]["endCursor"]
        data = await stack.ask(MESSAGES, story.ben.key, id=story.thread_id, first=2, after=after)
        page = data["thread"]["messages"]
        walked += [node["contentHash"] for node in page["nodes"]]
    assert walked == everything
    before = page["edges"][0]["cursor"]
    assert await hashes(stack, story.ben.key, id=story.thread_id, last=3, before=before) == everything[1:4]
    assert await hashes(stack, story.ben.key, id=story.thread_id, last=2) == everything[-2:]
    only = await hashes(stack, story.ben.key, id=story.thread_id, status=["PENDING", "STAGED"])
    assert only == [story.pending.hash, story.staged.hash]


@pytest.mark.parametrize(
    ("page", "field"),
    [
        ({"first": 2, "last": 2}, "last"),
        ({"first": 101}, "first"),
        ({"first": 0}, "first"),
        ({"last": -1}, "last"),
        ({"after": "bm90aGluZw"}, "after"),
        ({"before": "!"}, "before"),
    ],
)
async def test_wrong_paging_names_the_argument(stack: Stack, story: Story, page: dict[str, Any], field: str) -> None:
    """Both ends at once, too many and foreign cursors are errors; the thread itself is still answered."""
    answer = await stack.run(MESSAGES, id=story.thread_id, **page)
    assert answer.codes == ["INVALID_INPUT"]
    assert answer.errors[0]["extensions"]["field"] == field
    assert answer.data["thread"] == {"version": story.version, "messages": None}


async def test_a_pending_message_tells_who_decides(stack: Stack, story: Story) -> None:
    """Votes cast, voters required, and whether the viewer can vote."""
    message = (await stack.ask(MESSAGE, story.ben.key, hash=story.pending.hash))["message"]
    assert (message["status"], message["body"]) == ("PENDING", story.pending.content.body)
    assert message["votes"] == [{"voter": {"address": story.ana.key}, "approve": True, "claimed": False}]
    assert [user["address"] for user in message["requiredVoters"]] == [story.ana.key, story.ben.key]
    assert message["viewerCanVote"] is True
    assert message["expiresAt"] > message["submittedAt"]
    assert (message["decidedAt"], message["leafIndex"], message["proof"]) == (None, None, None)
    assert message["stake"] == {"amount": "2000000"}
    assert (message["version"], message["submittedVersion"]) == (story.version, 7)
    again = (await stack.ask(MESSAGE, story.ana.key, hash=story.pending.hash))["message"]
    assert again["viewerCanVote"] is False


async def test_a_denied_message_owes_its_deniers(stack: Stack, story: Story) -> None:
    """A denier can claim, its author cannot."""
    message = (await stack.ask(MESSAGE, story.ana.key, hash=story.denied.hash))["message"]
    assert (message["status"], message["viewerCanClaim"], message["requiredVoters"]) == ("DENIED", True, [])
    assert message["escrowRemaining"] == {"amount": "5000000"}
    assert message["decidedAt"] is not None and message["expiresAt"] is None
    assert (await stack.ask(MESSAGE, story.cara.key, hash=story.denied.hash))["message"]["viewerCanClaim"] is False


async def test_a_staged_message_has_no_place_on_chain_yet(stack: Stack, story: Story) -> None:
    """Its author sees the text; what only a chain gives is null."""
    message = (await stack.ask(MESSAGE, story.ben.key, hash=story.staged.hash))["message"]
    assert (message["status"], message["body"]) == ("STAGED", story.staged.content.body)
    assert message["author"] == {"address": story.ben.key}
    assert (message["submittedAt"], message["submittedVersion"], message["stake"]) == (None, None, {"amount": "0"})
    assert message["version"] == story.version
    assert message["nonce"] == str(story.staged.content.nonce)
    assert message["salt"] == story.staged.content.salt


async def test_texts_that_no_one_staged_are_missing(stack: Stack) -> None:
    """What the chain says is answered without them; nothing is made up in their place, and no error is raised."""
    parts = stack.parts
    author = Actor(parts.running, await parts.running.wallet())
    thread = author.thread("Unknown here")
    thread_id = thread.content.key.thread_id
    draft = author.post(thread_id, "Kept elsewhere.")
    await author.send(thread.instruction)
    await author.send(draft.instruction)
    assert await parts.index.wait_for(thread_id, 2, PATIENCE)
    query = """query ($t: Hash!) { thread(threadId: $t) { title titleState messages {
      nodes { contentHash nonce body salt contentState status } } } }"""
    message = {"contentHash": draft.hash, "nonce": str(draft.content.nonce), "status": "PUBLISHED",
               "body": None, "salt": None, "contentState": "MISSING"}  # fmt: skip
    assert (await stack.ask(query, author.key, t=thread_id))["thread"] == {
        "title": None, "titleState": "MISSING", "messages": {"nodes": [message]}
    }  # fmt: skip


async def test_a_proof_folds_to_the_root_on_chain(stack: Stack, story: Story) -> None:
    """20 siblings lead from each published message to the content root that the account holds."""
    address = stack.parts.running.addresses.thread(story.thread_id)
    account = decode_thread(address, (await stack.parts.chain.accounts([address])).accounts[0].data)  # type: ignore[union-attr]
    for number, draft in enumerate((*story.posts, story.approved)):
        proof = (await stack.ask(MESSAGE, hash=draft.hash))["message"]["proof"]
        assert (proof["leafIndex"], len(proof["path"]), proof["account"]) == (number, 20, address)
        node = proof["leaf"]
        assert node == merkle.leaf_hash(draft.hash)
        for level, sibling in enumerate(proof["path"]):
            left, right = (sibling, node) if number >> level & 1 else (node, sibling)
            node = merkle.node_hash(left, right)
        assert node == proof["root"] == account.content_root
