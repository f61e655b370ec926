"""confirmUiState tells a client what of its screen is current, behind, ahead or nothing to it, and operators hear of
what should not be."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from chorale.domain.conflict import ConflictCause, ConflictKind
from chorale.limits import Limits
from chorale.reconciliation.ui import UiResolver
from resolvers.schema import build_schema
from tests.graphql.stack import Stack, Story
from tests.patience import PATIENCE
from tests.spine.parts import Actor, Parts

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONFIRM = """
mutation Confirm($entities: [ShownEntity!]!) {
  confirmUiState(entities: $entities) {
    __typename
    ... on ConfirmUiStateSuccess {
      entities {
        id standing version node { id ... on Thread { version messageCount } ... on Message { version body } }
      }
    }
    ... on InvalidInput { code field }
    ... on AuthorityUnavailable { code authority retryable }
  }
}"""


async def confirmed(stack: Stack, shown: dict[str, int], viewer: str | None = None) -> list[Any]:
    entities = [{"id": id, "version": version} for id, version in shown.items()]
    data = await stack.ask(CONFIRM, viewer, entities=entities)
    found: list[Any] = data["confirmUiState"]["entities"]
    assert [each["id"] for each in found] == list(shown)
    return found


def equipped(stack: Stack) -> Stack:
    stack.reconciler.equip({ConflictKind.UI: UiResolver(stack.reports)})
    return stack


async def test_each_stands_for_itself(stack: Stack, story: Story) -> None:
    """Current ones need nothing, past ones bring what there is now; a message has its thread's version."""
    thread, post = f"Thread:{story.thread_id}", f"Message:{story.posts[0].hash}"
    shown = {thread: story.version, post: story.version - 2, "Protocol": 1}
    found = await confirmed(equipped(stack), shown)
    assert [(each["standing"], each["version"]) for each in found] == [
        ("CURRENT", story.version),
        ("BEHIND", story.version),
        ("CURRENT", 1),
    ]
    assert [each["node"] for each in found] == [
        None,
        {"id": post, "version": story.version, "body": story.posts[0].content.body},
        None,
    ]


async def test_what_is_hidden_is_as_unknown_as_what_is_absent(stack: Stack, story: Story) -> None:
    """Nobody learns by a version whether a message exists; its author does."""
    hidden, absent = f"Message:{story.pending.hash}", "Message:" + "00" * 32
    for version in (1, story.version, 900):
        found = await confirmed(stack, {hidden: version, absent: version, "nonsense": 1, f"User:{story.ana.key}": 1})
        assert [(each["standing"], each["version"], each["node"]) for each in found] == [("UNKNOWN", None, None)] * 4
    [found] = await confirmed(stack, {hidden: story.version}, story.dan.key)
    assert found["standing"] == "CURRENT"


async def test_a_version_that_never_was_is_ahead(stack: Stack, story: Story) -> None:
    """It is waited for first; then the client gets what there is, and operators hear of it once a call."""
    impatient = equipped(stack.with_limits(min_version_wait=0.2))
    thread, post = f"Thread:{story.thread_id}", f"Message:{story.posts[0].hash}"
    found = await confirmed(impatient, {thread: story.version + 1, post: 10**9, "Protocol": 40})
    assert [(each["standing"], each["version"]) for each in found] == [
        ("AHEAD", story.version),
        ("AHEAD", story.version),
        ("AHEAD", 1),
    ]
    assert found[0]["node"]["id"] == thread
    [record] = impatient.reconciler.log.before(None, 10)
    assert (record.conflict.cause, record.conflict.subject) == (ConflictCause.UI_AHEAD, thread)
    assert record.settlement == "CLIENT_TOLD"


async def test_a_version_that_is_just_coming_is_waited_for(stack: Stack, parts: Parts) -> None:
    """A client that knows more than this replica is not called ahead of reality."""
    author = Actor(parts.running, await parts.running.wallet())
    thread = author.thread("Just now")
    await parts.stage(thread.content)
    await author.send(thread.instruction)
    thread_id = thread.content.key.thread_id
    assert await parts.index.wait_for(thread_id, 1, PATIENCE)
    asking = asyncio.create_task(confirmed(stack, {f"Thread:{thread_id}": 2}))
    await asyncio.sleep(0)
    await author.send(author.post(thread_id, "A post.").instruction)
    [found] = await asking
    assert (found["standing"], found["version"]) == ("CURRENT", 2)


async def test_only_what_could_have_been_heard_is_a_conflict(stack: Stack, story: Story) -> None:
    """Being behind what has just happened is what refreshing is for; being behind for long is told to operators, once
    for the same version."""
    thread = {f"Thread:{story.thread_id}": 3}
    patient = equipped(stack.with_limits(ui_patience=10.0**6))
    await confirmed(patient, thread)
    assert list(patient.reconciler.log.before(None, 10)) == []
    strict = equipped(stack.with_limits(ui_patience=-1.0))
    context = strict.context()
    context.socket = "a socket"
    for _ in range(2):
        result = await strict.schema.execute(
            CONFIRM,
            variable_values={"entities": [{"id": id, "version": version} for id, version in thread.items()]},
            context_value=context,
        )
        assert result.errors is None
    [record] = strict.reconciler.log.before(None, 10)
    assert record.conflict.cause is ConflictCause.UI_BEHIND
    assert strict.reports.of("a socket")[story.thread_id].behind_since is not None


async def test_reports_belong_to_a_session_or_a_socket(stack: Stack, story: Story) -> None:
    """Anonymous requests leave none; a session's next report takes the place of its last."""
    await confirmed(stack, {f"Thread:{story.thread_id}": story.version})
    assert len(stack.reports) == 0
    session = replace(stack.context(story.ana.key), request_token="a token")
    for id in (f"Thread:{story.thread_id}", "Protocol"):
        shown = [{"id": id, "version": story.version}]
        assert (await stack.schema.execute(CONFIRM, {"entities": shown}, session)).errors is None
    assert "a token" not in repr(stack.reports.after(0, 10))
    assert len(stack.reports) == 0  # the protocol has no such version: an answer tells it, nothing is left to check


async def test_bounds(stack: Stack, story: Story) -> None:
    """Too many are refused as data, and named entities count in the operation's cost."""
    shown = [{"id": "Protocol", "version": 1}] * 3
    answer = await stack.with_limits(ui_entities=2).run(CONFIRM, entities=shown)
    assert answer.data["confirmUiState"] == {"__typename": "InvalidInput", "code": "TOO_MANY", "field": "entities"}
    costly = replace(
        stack, limits=Limits(query_cost=100), schema=build_schema(embedded=True, limits=Limits(query_cost=100))
    )
    document = CONFIRM.replace("messageCount", "messages(first: 60) { nodes { id } }")
    answer = await costly.run(document, entities=shown)
    assert answer.codes == ["QUERY_TOO_COSTLY"]


async def test_nothing_is_confirmed_while_solana_is_away(stack: Stack, story: Story) -> None:
    """The answer names the authority."""
    stack.chain.away = True
    data = await stack.ask(CONFIRM, entities=[{"id": f"Thread:{story.thread_id}", "version": 1}])
    assert data["confirmUiState"] == {
        "__typename": "AuthorityUnavailable", "code": "AUTHORITY_UNAVAILABLE", "authority": "SOLANA", "retryable": True,
    }  # fmt: skip
