"""Opening names the cure where it is refused, and what was acknowledged before a crash is there afterwards."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from contextlib import ExitStack
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
from qdrant_client import models
from solders.pubkey import Pubkey

from chorale.domain.content import ContentKey, ContentKind, ContentState
from chorale.domain.errors import AuthorityUnavailableError, StartupError
from chorale.domain.updates import Authority
from datasources.qdrant import CollectionIdentity, open_content
from datasources.qdrant.opening import open_engine
from datasources.qdrant.payload import INTEGERS, KEYWORDS
from tests.contract.content.samples import (
    DIMENSIONS,
    FINGERPRINT,
    LEASE,
    criteria,
    embedding,
    key,
    message,
    promotion,
    thread_id,
)
from tests.qdrant.rest import running_qdrant

IDENTITY = CollectionIdentity(key(1), key(2), FINGERPRINT, DIMENSIONS)

WRITER = """
import asyncio, sys
from pathlib import Path
from datasources.qdrant import open_content
from tests.contract.content.samples import LEASE, message, promotion
from tests.contract.content.test_opening import IDENTITY

async def main():
    async with open_content("file:", Path(sys.argv[1]), IDENTITY) as store:
        for number in range(10_000):
            content = message(number)
            await store.stage(content, lease_until=LEASE)
            print("staged", content.key.hash, flush=True)
            await store.promote([promotion(content, 3)])
            print("promoted", content.key.hash, flush=True)

asyncio.run(main())
"""


async def test_content_is_there_after_reopening_and_unseen_by_another_chain(tmp_path: Path) -> None:
    content = message(1)
    async with open_content("file:", tmp_path, IDENTITY) as store:
        await store.stage(content, lease_until=LEASE)
        await store.promote([promotion(content, 2)])
        before = await store.fetch([content.key])
    async with open_content("file:", tmp_path, IDENTITY) as store:
        assert await store.fetch([content.key]) == before
    async with open_content("file:", tmp_path, replace(IDENTITY, genesis_hash=key(3))) as store:
        assert (await store.fetch([content.key]))[content.key].state is ContentState.MISSING
        assert (await store.census()).points == 0


async def test_content_of_another_model_is_refused(tmp_path: Path) -> None:
    async with open_content("file:", tmp_path, IDENTITY):
        pass
    for other in (replace(IDENTITY, fingerprint="other@00/8/256"), replace(IDENTITY, dimensions=DIMENSIONS + 1)):
        with pytest.raises(StartupError, match="CHORALE_EMBEDDING_MODEL"):
            async with open_content("file:", tmp_path, other):
                pass


async def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None and await process.stdout.readline()
        with pytest.raises(StartupError, match="another process"):
            async with open_content("file:", tmp_path, IDENTITY):
                pass
    finally:
        process.kill()
        await process.wait()


async def test_an_interrupted_first_start_is_not_refused(tmp_path: Path) -> None:
    (tmp_path / "meta.json").write_bytes(b"")
    async with open_content("file:", tmp_path, IDENTITY):
        pass


@pytest.mark.faults
@pytest.mark.parametrize("lines", [1, 2, 7, 20])
async def test_what_was_acknowledged_survives_kill_9(tmp_path: Path, lines: int) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    for _ in range(lines):
        await process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    # What stood in the pipe was acknowledged as well; a last line may be cut.
    rest = (await process.stdout.read()).decode().splitlines(keepends=True)
    await process.wait()
    acknowledged = lines + sum(line.endswith("\n") for line in rest)
    async with open_content("file:", tmp_path, IDENTITY) as store:
        keys = [message(number).key for number in range((acknowledged + 1) // 2)]
        answers = await store.fetch(keys)
        assert {answer.state for answer in answers.values()} == {ContentState.AVAILABLE}
        promoted = [answer.stored.sequence for answer in answers.values() if answer.stored is not None]
        assert promoted[: acknowledged // 2] == [3] * (acknowledged // 2)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_server_that_is_away_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="CHORALE_CONTENT_URL"):
        async with open_content(f"http://127.0.0.1:{free_port()}", tmp_path, IDENTITY):
            pass


async def test_a_server_that_would_overwrite_is_refused(tmp_path: Path) -> None:
    with running_qdrant("1.16.3") as qdrant, pytest.raises(StartupError, match=r"1\.16\.3.*1\.17"):
        async with open_content(qdrant.address, tmp_path, IDENTITY):
            pass


async def test_a_server_gets_every_payload_index_and_serves_replicas_together(tmp_path: Path) -> None:
    content = message(1)
    with running_qdrant() as qdrant:
        async with (
            open_content(qdrant.address, tmp_path, IDENTITY) as one,
            open_content(qdrant.address, tmp_path, IDENTITY) as other,
        ):
            assert qdrant.client.get_collection(IDENTITY.name).payload_schema.keys() == {*KEYWORDS, *INTEGERS}
            await one.stage(content, lease_until=LEASE)
            await asyncio.gather(one.promote([promotion(content, 2)]), other.promote([promotion(content, 3)]))
            stored = (await other.fetch([content.key]))[content.key].stored
            assert stored is not None and stored.sequence == 3


async def test_a_server_that_goes_away_is_an_unavailable_authority(tmp_path: Path) -> None:
    with ExitStack() as stack:
        async with open_content(stack.enter_context(running_qdrant()).address, tmp_path, IDENTITY) as store:
            await store.ready()
            stack.close()
            for call in (
                store.ready(),
                store.stage(message(1), lease_until=LEASE),
                store.promote([promotion(message(1), 1)]),
                store.fetch([message(1).key]),
                store.search(criteria(), embedding("x"), 10),
                store.staged(),
                store.collect_staged([message(1).key], 1),
                store.census(),
            ):
                with pytest.raises(AuthorityUnavailableError):
                    await call


async def test_a_point_deleted_while_it_is_promoted_does_not_hold_up_the_others(tmp_path: Path) -> None:
    kept, gone = message(1), message(2)
    with running_qdrant() as qdrant:
        async with open_content(qdrant.address, tmp_path, IDENTITY) as store:
            for content in (gone, kept):
                await store.stage(content, lease_until=LEASE)
            batches: list[str] = []

            def delete_once(name: str) -> None:
                if not batches:
                    qdrant.client.delete(name, models.PointIdsList(points=[IDENTITY.point_id(gone.key)]))
                batches.append(name)

            qdrant.rest.before_batch = delete_once
            await store.promote([promotion(gone, 1), promotion(kept, 1)])
            answers = await store.fetch([gone.key, kept.key])
            assert answers[gone.key].state is ContentState.MISSING
            promoted = answers[kept.key].stored
            assert promoted is not None and promoted.sequence == 1
            assert len(batches) == 2


async def test_a_failing_engine_is_an_unavailable_authority(tmp_path: Path) -> None:
    async with open_engine("file:", tmp_path) as engine, open_content("file:", tmp_path / "other", IDENTITY):

        def fail() -> None:
            raise OSError("No space left on device")

        with pytest.raises(AuthorityUnavailableError, match="No space") as raised:
            await engine.call(fail)
        assert raised.value.authority is Authority.QDRANT


def test_point_ids_follow_the_published_rule() -> None:
    hash = "ab" * 32
    own = IDENTITY.point_id(ContentKey(ContentKind.MESSAGE, thread_id(0), hash))
    assert own == IDENTITY.point_id(ContentKey(ContentKind.MESSAGE, thread_id(1), hash))
    heading = IDENTITY.point_id(ContentKey(ContentKind.TITLE, thread_id(0), hash))
    assert len({own, heading, IDENTITY.point_id(ContentKey(ContentKind.TITLE, thread_id(1), hash))}) == 3
    chain = bytes(Pubkey.from_string(key(1))) + bytes(Pubkey.from_string(key(2)))
    assert own == str(UUID(bytes=sha256(chain + b"message" + bytes.fromhex(hash)).digest()[:16]))
    joined = b"title" + bytes.fromhex(thread_id(0)) + bytes.fromhex(hash)
    assert heading == str(UUID(bytes=sha256(chain + joined).digest()[:16]))
