"""The embedded engine's damaged files: what can be read is served, the rest is missing and may be supplied again."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from chorale.domain.content import Content, ContentState
from chorale.domain.errors import StartupError
from datasources.qdrant import CollectionIdentity, open_content
from tests.contract.content.samples import DIMENSIONS, FINGERPRINT, LEASE, criteria, embedding, key, message, promotion
from tests.faults import damage

IDENTITY = CollectionIdentity(key(1), key(2), FINGERPRINT, DIMENSIONS)
MESSAGES = [message(number, body=f"message number {number} " * 40) for number in range(40)]
WRONG = (ContentState.MISSING, ContentState.QUARANTINED)

Harm = Callable[[Path, random.Random], object]


async def fill(folder: Path) -> Path:
    """A store with every message published; its file."""
    async with open_content("file:", folder, IDENTITY) as store:
        for content in MESSAGES:
            await store.stage(content, lease_until=LEASE)
        await store.promote([promotion(content, 3) for content in MESSAGES])
    [file] = folder.glob("collection/*/storage.sqlite")
    return file


async def states(folder: Path) -> dict[ContentState, list[Content]]:
    """Opened again: the messages by what is served of them, and whatever is wrong supplied again and found."""
    found: dict[ContentState, list[Content]] = {state: [] for state in ContentState}
    async with open_content("file:", folder, IDENTITY) as store:
        for content in MESSAGES:
            fetched = (await store.fetch([content.key]))[content.key]
            assert fetched.stored is None or fetched.stored.body == content.body
            found[fetched.state].append(content)
        hits = await store.search(criteria(), embedding(MESSAGES[0].body), 100)
        assert {hit.content.body for hit in hits} <= {content.body for content in MESSAGES}
        lost = [content for state in WRONG for content in found[state]]
        for content in lost:
            await store.restore(content, lease_until=LEASE, now=1)
        await store.promote([promotion(content, 4) for content in MESSAGES])
    async with open_content("file:", folder, IDENTITY) as store:
        again = await store.fetch([content.key for content in MESSAGES])
        assert {each.state for each in again.values()} == {ContentState.AVAILABLE}
        assert len(await store.search(criteria(), embedding(MESSAGES[0].body), 100)) == len(MESSAGES)
    return found


@pytest.mark.parametrize(
    "harm",
    [
        lambda file, dice: damage.scramble_pages(file, dice, 0.2, first=2),
        lambda file, dice: damage.flip_bits(file, dice, every=20_000, start=8192),
        lambda file, _: damage.truncate(file, 0.6),
    ],
    ids=["pages", "bits", "truncated"],
)
async def test_what_can_be_read_is_kept(tmp_path: Path, harm: Harm) -> None:
    """Whatever happened to a part of the file: the right bytes or none; the damaged file stays beside it."""
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    file = await fill(tmp_path)
    harm(file, random.Random(seed))
    found = await states(tmp_path)
    assert found[ContentState.AVAILABLE]


async def test_a_row_that_cannot_be_unpickled_hides_no_other(tmp_path: Path) -> None:
    """One point is lost, the others are served, and the file that held it is kept."""
    file = await fill(tmp_path)
    content = file.read_bytes()
    place = content.index(b"PointStruct")
    file.write_bytes(content[:place] + b"PointStrucT" + content[place + 11 :])
    found = await states(tmp_path)
    assert len(found[ContentState.MISSING]) == 1
    assert file.with_name("storage.sqlite.damaged").exists()


@pytest.mark.parametrize("harm", ["gone", "empty", "noise", "half"])
async def test_a_table_of_contents_is_made_anew(tmp_path: Path, harm: str) -> None:
    """Every point is found again without it."""
    await fill(tmp_path)
    meta = tmp_path / "meta.json"
    if harm == "gone":
        meta.unlink()
    else:
        text = meta.read_bytes()
        meta.write_bytes({"empty": b"", "noise": b"\xff" * 300, "half": text[: len(text) // 2]}[harm])
    assert len((await states(tmp_path))[ContentState.AVAILABLE]) == len(MESSAGES)


async def test_nothing_to_be_read_is_refused(tmp_path: Path) -> None:
    """The refusal names the file and the ways on; once it is moved away, every message is supplied again."""
    file = await fill(tmp_path)
    damage.overwrite(file, random.Random(1))
    for _ in range(2):
        with pytest.raises(StartupError, match=r"storage\.sqlite can be read.*move the file away.*restoreContent"):
            async with open_content("file:", tmp_path, IDENTITY):
                pass
    file.rename(tmp_path / "kept")
    assert len((await states(tmp_path))[ContentState.MISSING]) == len(MESSAGES)
