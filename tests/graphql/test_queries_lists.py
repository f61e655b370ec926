"""Lists come from the index, in its order, and hold what the accounts confirm."""

from __future__ import annotations

from typing import Any

import pytest

from chorale.domain.updates import Refusal
from programs import instructions
from schema.problems import StakeTooLow, problem_of
from tests.chains import MINIMUM_STAKE
from tests.graphql.stack import IDENTIFIER, Stack, Story
from tests.patience import PATIENCE
from tests.spine.parts import Actor

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_threads_by_newest_activity_and_by_co_author(stack: Stack, story: Story) -> None:
    """`threads` pages forward; `coAuthor` and `User.threads` keep to one wallet's."""
    query = """query ($who: Pubkey!, $after: Cursor) {
      all: threads(first: 1, after: $after) { nodes { id lastActivityAt } pageInfo { endCursor hasNextPage } }
      theirs: threads(coAuthor: $who) { edges { node { id title } cursor } }
      user(address: $who) { threads { nodes { id } } } }"""
    data = await stack.ask(query, who=story.ben.key)
    mine = [{"id": f"Thread:{story.thread_id}"}]
    assert [edge["node"] for edge in data["theirs"]["edges"]] == [{**mine[0], "title": story.title}]
    assert data["user"]["threads"]["nodes"] == mine
    times, ids = [], []
    page = data["all"]
    while True:
        times += [node["lastActivityAt"] for node in page["nodes"]]
        ids += [node["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        page = (await stack.ask(query, who=story.ben.key, after=page["pageInfo"]["endCursor"]))["all"]
    assert times == sorted(times, reverse=True)
    assert len(ids) == len(set(ids)) and mine[0]["id"] in ids
    assert (await stack.ask(query, who=story.eve.key))["theirs"]["edges"] == []


async def test_a_users_messages_newest_first_as_far_as_visible(stack: Stack, story: Story) -> None:
    """Others see what is published, the author everything."""
    query = "query ($who: Pubkey!) { user(address: $who) { messages { nodes { contentHash } } } }"

    async def of(who: str, viewer: str | None) -> list[str]:
        data = await stack.ask(query, viewer, who=who)
        return [node["contentHash"] for node in data["user"]["messages"]["nodes"]]

    assert set(await of(story.ana.key, None)) == {post.hash for post in story.posts}
    assert await of(story.ben.key, None) == [story.approved.hash]
    assert await of(story.ben.key, story.ben.key) == [story.approved.hash, story.staged.hash]
    assert await of(story.dan.key, story.eve.key) == []
    assert await of(story.dan.key, story.ana.key) == [story.pending.hash]


async def test_pending_approvals_await_the_voter(stack: Stack, story: Story) -> None:
    """Ben has not voted yet, Ana has; an anonymous caller learns nothing."""
    query = """query ($voter: Pubkey!) { pendingApprovals(voter: $voter) {
      nodes { contentHash body viewerCanVote } pageInfo { hasNextPage } } }"""
    expected = [{"contentHash": story.pending.hash, "body": story.pending.content.body, "viewerCanVote": True}]
    assert (await stack.ask(query, story.ben.key, voter=story.ben.key))["pendingApprovals"]["nodes"] == expected
    assert (await stack.ask(query, story.ana.key, voter=story.ana.key))["pendingApprovals"]["nodes"] == []
    assert (await stack.ask(query, None, voter=story.ben.key))["pendingApprovals"]["nodes"] == []


async def test_claimable_escrow_is_what_is_owed(stack: Stack, story: Story) -> None:
    """Each denier's share waits for them; the denied author is owed nothing."""
    query = "query ($who: Pubkey!) { claimableEscrow(wallet: $who) { nodes { contentHash viewerCanClaim } } }"
    expected = [{"contentHash": story.denied.hash, "viewerCanClaim": True}]
    for denier in (story.ana, story.ben):
        assert (await stack.ask(query, denier.key, who=denier.key))["claimableEscrow"]["nodes"] == expected
    assert (await stack.ask(query, story.cara.key, who=story.cara.key))["claimableEscrow"]["nodes"] == []


async def test_a_cancelled_stake_is_owed_to_its_author_until_refunded(stack: Stack) -> None:
    """The author can take it back once; the co-author who might have voted is owed nothing."""
    parts, query = stack.parts, "query ($who: Pubkey!) { claimableEscrow(wallet: $who) { nodes { %s } } }"
    query %= "contentHash status escrowRemaining { amount } viewerCanClaim"
    author, asker = [Actor(parts.running, await parts.running.wallet()) for _ in range(2)]
    thread = author.thread("Second thoughts")
    thread_id = thread.content.key.thread_id
    draft = asker.submit(thread_id, "Never mind.", 2_000_000)
    named: Any = {"thread_id": thread_id, "content_hash": draft.hash}
    await parts.stage(draft.content)
    await author.send(thread.instruction)
    await asker.send(draft.instruction)
    await asker.send(instructions.cancel(parts.running.addresses, author=asker.key, **named))
    assert await parts.index.wait_for(thread_id, 3, PATIENCE)
    assert (await stack.ask(query, asker.key, who=asker.key))["claimableEscrow"]["nodes"] == [
        {"contentHash": draft.hash, "status": "CANCELLED", "escrowRemaining": {"amount": "2000000"},
         "viewerCanClaim": True}
    ]  # fmt: skip
    assert (await stack.ask(query, author.key, who=author.key))["claimableEscrow"]["nodes"] == []
    refund = instructions.refund(parts.running.addresses, payee=asker.key, destination=asker.tokens, **named)
    await asker.send(refund)
    assert await parts.index.wait_for(thread_id, 4, PATIENCE)
    assert (await stack.ask(query, asker.key, who=asker.key))["claimableEscrow"]["nodes"] == []


async def test_nodes_answer_in_order_and_are_bounded(stack: Stack, story: Story) -> None:
    """One batch for all; more than 100 are refused."""
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
    ids = [f"User:{story.eve.key}", f"Message:{story.posts[0].hash}", "Nothing:1", f"Thread:{story.thread_id}"]
    found = (await stack.ask(query, ids=[*ids, "Protocol", f"Message:{story.pending.hash}"]))["nodes"]
    assert [node and node["__typename"] for node in found] == ["User", "Message", None, "Thread", "Protocol", None]
    assert [node["id"] for node in found if node] == [ids[0], ids[1], ids[3], "Protocol"]
    assert (await stack.run(query, ids=["x"] * 101)).codes == ["INVALID_INPUT"]


async def test_chain_protocol_and_balances(stack: Stack, story: Story) -> None:
    """What is read live: the cluster, the program's parameters, a wallet's SOL and tokens."""
    query = """query ($who: Pubkey!) {
      viewer { address } user(address: $who) { address tokenBalance { amount } lamports slot }
      nobody: user(address: "11111111111111111111111111111112") { tokenBalance { amount } lamports }
      chain { identifier genesisHash slot blockHeight time }
      protocol { id address programId mint admin minimumStake { amount } approvalWindowSeconds
        treasury { amount } } }"""
    data = await stack.ask(query, story.eve.key, who=story.dan.key)
    assert data["viewer"] == {"address": story.eve.key}
    assert data["user"]["tokenBalance"] == {"amount": str(1_000_000_000 - 2_000_000)}
    assert int(data["user"]["lamports"]) > 9_000_000_000 and data["user"]["slot"] > 0
    assert data["nobody"] == {"tokenBalance": {"amount": "0"}, "lamports": "0"}
    assert data["chain"]["identifier"] == IDENTIFIER
    assert data["chain"]["genesisHash"] == await stack.parts.chain.genesis_hash()
    assert data["protocol"]["programId"] == stack.parts.running.program_id
    assert data["protocol"]["minimumStake"] == {"amount": str(MINIMUM_STAKE)}
    assert data["protocol"]["mint"] == stack.parts.running.mint
    assert (await stack.ask("{ viewer { id } }"))["viewer"] is None


async def test_prepare_answers_with_a_transaction_or_a_problem(stack: Stack, story: Story) -> None:
    """A union member for each outcome, and fields of all of them."""
    query = """query ($who: Pubkey!, $t: Hash!, $h: Hash!) { prepare {
      postMessage(wallet: $who, threadId: $t, body: "Beams.") { __typename
        ... on PreparedTransaction { transaction feePayer feeLamports contentHash nonce salt expectedVersion expiresAt }
        ... on Problem { code explanation retryable } }
      submitMessage(wallet: $who, threadId: $t, body: "Beams.", stake: "1") { __typename
        ... on StakeTooLow { minimum { amount } } }
      castVote(wallet: $who, contentHash: $h, approve: true) { __typename } } }"""
    ana = (await stack.ask(query, who=story.ana.key, t=story.thread_id, h=story.pending.hash))["prepare"]
    assert ana["postMessage"]["__typename"] == "PreparedTransaction"
    assert ana["postMessage"]["expectedVersion"] == story.version
    assert ana["submitMessage"]["__typename"] == "AlreadyACoAuthor"
    assert ana["castVote"]["__typename"] == "NotAllowedNow"
    eve = (await stack.ask(query, who=story.eve.key, t=story.thread_id, h="00" * 32))["prepare"]
    assert eve["postMessage"]["__typename"] == "NotACoAuthor"
    assert eve["submitMessage"] == {"__typename": "StakeTooLow", "minimum": {"amount": str(MINIMUM_STAKE)}}
    assert eve["castVote"]["__typename"] == "NotFound"


async def test_a_stake_too_low_always_names_the_protocols_minimum(stack: Stack) -> None:
    """Also where the program's refusal came without it: a client must never read that 0 would do."""
    refusal = Refusal("StakeTooLow", "STAKE_TOO_LOW", "Too little.")
    problem = await problem_of(stack.context(), refusal)
    assert isinstance(problem, StakeTooLow) and problem.minimum.amount == MINIMUM_STAKE
