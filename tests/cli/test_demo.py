"""Demo data is made by the real mutations: at the first start, through a running server, or without one."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
from solders.keypair import Keypair

from chorale.demo.script import Discussion, discussions
from chorale.domain.content import Content, ContentKey, ContentKind
from chorale.settings import DEFAULT_MODEL
from datasources.embeddings import open_embedder
from datasources.qdrant import CollectionIdentity, open_content
from datasources.solana.localnet.keys import load_keys, read_keypair, write_keypair
from programs import identity
from tests.chains import running_localnet
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
async def test_bytes_that_a_stop_has_left_staged_are_sent_again(tmp_path: Path, models: Path) -> None:
    """A text that was staged and never sent is no message yet: who would have joined by it joins all the same."""
    data = tmp_path / "data"
    shutil.copytree(models, data / "models")
    code, _, err = chorale("demo", "--size", "12", data=data)
    assert code == 0, err
    assert await _stage_submissions(data, discussions(1)[0]) > 0
    code, _, err = chorale("demo", "--size", "60", data=data)
    assert code == 0, err


async def _stage_submissions(data: Path, discussion: Discussion) -> int:
    """Stage the submissions that are not on chain yet, as a server would; how many those were."""
    keys = load_keys(data)
    program_id = str(keys.program.pubkey())
    wallets: dict[str, str] = {}
    for name in {discussion.creator, *(line.author for line in discussion.lines)}:
        path = data / "localnet" / "wallets" / f"{name}.json"
        if not path.exists():
            write_keypair(path, Keypair())
        wallets[name] = str(read_keypair(path).pubkey())
    thread_id = identity.thread_id(wallets[discussion.creator], discussion.nonce)
    with running_localnet(data) as chain:
        genesis_hash = await chain.rpc("getGenesisHash")
    async with open_embedder(DEFAULT_MODEL, data, lambda _: None) as embedder:
        collection = CollectionIdentity(genesis_hash, program_id, embedder.fingerprint, embedder.dimensions)
        async with open_content("file:", data / "qdrant", collection) as content:
            before = len(await content.staged())
            for place, line in enumerate(discussion.lines, start=1):
                if line.kind == "post":
                    continue
                author, salt = wallets[line.author], discussion.salt(place)
                body_hash = identity.body_hash(salt, line.body)
                key = ContentKey(
                    ContentKind.MESSAGE, thread_id, identity.content_hash(thread_id, author, place, body_hash)
                )
                await content.stage(Content(key, author, place, salt, line.body, 0), lease_until=2**40)
            return len(await content.staged()) - before


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
