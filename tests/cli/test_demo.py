"""Demo data is made by the real mutations: at the first start, through a running server, or without one."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from chorale.demo.script import discussions
from tests.cli.commands import chorale
from tests.stack import RunningServer, running_stack

COUNT = "{ threads(first: 100) { nodes { messageCount title } } }"


THREADS = "{ threads(first: 100) { nodes { threadId } } }"
STATUSES = """
query Statuses($threadId: Hash!) {
  thread(threadId: $threadId) { messages(first: 100) { nodes { contentHash status } pageInfo { hasNextPage } } }
}"""


def test_discussions_can_be_played() -> None:
    """A few hundred messages by several people; whoever posts has been let in before; every text fits its limits."""
    script = discussions()
    assert sum(len(discussion.lines) for discussion in script) >= 200
    for discussion in script:
        inside = {discussion.creator}
        assert len(discussion.title.encode()) <= 256
        for line in discussion.lines:
            assert 0 < len(line.body.encode()) <= 16 * 1024
            assert (line.kind == "post") == (line.author in inside), line
            assert line.votes in ("approve", "deny", "none")
            if line.kind == "submit" and line.votes == "approve":
                inside.add(line.author)
    assert len({line.author for discussion in script for line in discussion.lines}) >= 5


async def test_through_a_running_server(server: RunningServer) -> None:
    """`--size` makes that many messages, and says through which server."""
    before = await server.data_of(COUNT)
    code, _, err = chorale("demo", "--size", "8", data=server.data)
    assert code == 0, err
    assert server.url in err
    after = await server.data_of(COUNT)
    made = [sum(thread["messageCount"] for thread in answer["threads"]["nodes"]) for answer in (before, after)]
    assert made[1] - made[0] >= 8
    titles = {thread["title"] for thread in after["threads"]["nodes"]}
    assert titles & {discussion.title for discussion in discussions()}


@pytest.mark.faults
def test_without_a_server_and_resumed(tmp_path: Path, models: Path) -> None:
    """The command opens the directory itself; the next run goes on instead of beginning again."""
    shutil.copytree(models, tmp_path / "data" / "models")
    for _ in range(2):
        code, _, err = chorale("demo", "--size", "6", data=tmp_path / "data")
        assert code == 0, err
        assert "messages made" in err


@pytest.mark.faults
async def test_the_first_start_seeds_once(tmp_path: Path, models: Path) -> None:
    """The address is announced when the demo stands, with messages in several states; the next start adds nothing."""
    with running_stack(tmp_path / "data", models, CHORALE_DEMO="1") as server:
        first = await _seen_by_ada(server)
        assert first.total() >= 200
        assert {status for _, status in first} > {"PUBLISHED"}
        assert server.log.read_text().count("messages made") == 1
        assert server.stop() == 0
        server.start()
        assert await _seen_by_ada(server) == first
        assert server.log.read_text().count("messages made") == 1


async def _seen_by_ada(server: RunningServer) -> Counter[tuple[str, str]]:
    """Every message that this co-author may see, with its status."""
    token = (await server.data_of('mutation { devSignIn(name: "ada") { token } }'))["devSignIn"]["token"]
    seen: Counter[tuple[str, str]] = Counter()
    for thread in (await server.data_of(THREADS))["threads"]["nodes"]:
        messages = (await server.data_of(STATUSES, thread, token))["thread"]["messages"]
        assert not messages["pageInfo"]["hasNextPage"]
        seen.update((message["contentHash"], message["status"]) for message in messages["nodes"])
    return seen
