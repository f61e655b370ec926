"""An index is never mixed with another's: each chain, program and model has its own file, and a foreign one is set
aside."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from chorale.domain.approval import MessageStatus
from chorale.domain.errors import StartupError
from chorale.domain.projection import Projection
from datasources.index import open_index
from tests.contract.index import samples
from tests.faults.damage import scramble_pages, truncate


async def fill(folder: Path, genesis: str = "g", program: str = "p", model: str = "m") -> tuple[int, str]:
    """Thread sequence found before writing, and the log's id."""
    thread = samples.thread("t", sequence=3)
    async with open_index(folder, genesis, program, model) as index:
        found = await index.thread_sequence(thread.thread_id)
        await index.apply(Projection(thread, 1))
        return found, index.log_id


async def test_an_index_is_found_again(tmp_path: Path) -> None:
    """What was committed is there after a restart, in the same log."""
    assert (await fill(tmp_path))[0] == 0
    first = await fill(tmp_path)
    assert first[0] == 3
    assert await fill(tmp_path) == first


@pytest.mark.parametrize("other", [("x", "p", "m"), ("g", "x", "m"), ("g", "p", "x"), ("gp", "", "m")])
async def test_another_chain_program_or_model_has_another_index(tmp_path: Path, other: tuple[str, str, str]) -> None:
    """None sees another's rows, and all are kept."""
    _, log_id = await fill(tmp_path)
    found, other_log = await fill(tmp_path, *other)
    assert found == 0
    assert other_log != log_id
    assert await fill(tmp_path) == (3, log_id)


@pytest.mark.parametrize("damage", ["layout", "identity", "noise", "empty", "pages", "half", "log id"])
async def test_a_file_that_does_not_belong_is_set_aside(tmp_path: Path, damage: str) -> None:
    """Another layout or origin under this name, no database, or a damaged one: put aside, a new one is made."""
    _, log_id = await fill(tmp_path)
    [file] = tmp_path.glob("*.sqlite3")
    if damage in ("layout", "identity", "log id"):
        value = "0:x" if damage == "layout" else "1:x"
        connection = sqlite3.connect(file)
        if damage == "log id":
            connection.execute("DELETE FROM meta WHERE key = 'log_id'")
        else:
            connection.execute("UPDATE meta SET value = ? WHERE key = 'identity'", (value,))
        connection.commit()
        connection.close()
    elif damage == "pages":
        scramble_pages(file, random.Random(1), first=3)
    elif damage == "half":
        truncate(file)
    else:
        file.write_bytes(b"not a database" * 1000 if damage == "noise" else b"")
    found, other_log = await fill(tmp_path)
    assert found == 0
    assert other_log != log_id
    assert file.with_name(file.name + ".aside").exists()
    assert await fill(tmp_path) == (3, other_log)


async def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """The start fails with a sentence that names the folder."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StartupError, match="file"):
        await fill(tmp_path / "file" / "index")


async def test_ties_and_staging_survive_a_restart(tmp_path: Path) -> None:
    """Staged rows are durable like any other."""
    content = samples.staged("m", samples.thread("t", sequence=1).thread_id, "ana")
    async with open_index(tmp_path, "g", "p", "m") as index:
        await index.stage([content])
    async with open_index(tmp_path, "g", "p", "m") as index:
        assert await index.thread_of(content.key.hash) == (content.key.thread_id, MessageStatus.STAGED)
