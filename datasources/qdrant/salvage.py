"""Opening what is left of the embedded engine's files: points that can be read are kept, the others are missing.

The engine keeps each point as one pickled row of `collection/<name>/storage.sqlite` and reads all of them when it is
opened, so that a single damaged row would keep every other from being served. Whatever is replaced stays beside it with
`.damaged` behind its name. Missing bytes are told as MISSING, and `restoreContent` takes them from anyone.
"""

from __future__ import annotations

import logging
import pickle
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from qdrant_client import models

from datasources.damage import PARTS, is_sound, set_aside

_log = logging.getLogger(__name__)

_STORAGE = "collection/*/storage.sqlite"
_SUFFIX = ".damaged"
_TABLE = "CREATE TABLE IF NOT EXISTS points (id TEXT PRIMARY KEY, point BLOB)"  # as the engine makes it
_NEXT = "SELECT rowid, id, point FROM points WHERE rowid > ? ORDER BY rowid LIMIT 1"
_PATIENCE = 100_000  # places in a row where nothing can be read: the numbers of rows have gaps


class BeyondSalvageError(Exception):
    """Nothing in a file can be read."""


def storages(path: Path) -> list[Path]:
    """The files of the store in `path`, one for each collection."""
    return sorted(path.glob(_STORAGE))


def unsound(path: Path) -> list[Path]:
    """The files of the store in `path` whose structure is damaged."""
    return [file for file in storages(path) if not is_sound(file)]


def salvage(file: Path) -> None:
    """Replace a file by one with every point of it that can be read. Raises BeyondSalvageError where none can."""
    draft = file.with_name(f"{file.name}.new")
    for part in PARTS:
        draft.with_name(draft.name + part).unlink(missing_ok=True)
    kept = lost = 0
    with closing(sqlite3.connect(draft)) as into:
        into.execute(_TABLE)
        for key, value in _rows(file):
            if _is_point(value):
                into.execute("INSERT OR REPLACE INTO points VALUES (?, ?)", (key, value))
                kept += 1
            else:
                lost += 1
        into.commit()
    if not kept:
        draft.unlink()
        raise BeyondSalvageError(f"nothing in {file} can be read")
    aside = set_aside(file, _SUFFIX)
    draft.replace(file)
    _log.warning(
        "The content store is damaged: %d points were kept, %d or more could not be read. What stood there is in %s; "
        "`chorale verify` names the messages without bytes, and restoreContent takes them from anyone",
        kept, lost, aside,
    )  # fmt: skip


def _rows(file: Path) -> Iterator[tuple[str, bytes]]:
    """Every row that SQLite can find, oldest first; what it cannot read is stepped over."""
    with closing(sqlite3.connect(file)) as connection:
        connection.text_factory = lambda text: text.decode("utf-8", "replace")
        connection.execute("PRAGMA writable_schema = ON")  # else a file that lost its end is refused whole
        place = failures = 0
        while failures < _PATIENCE:
            try:
                row = connection.execute(_NEXT, (place,)).fetchone()
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
                    return
                place, failures = place + 1, failures + 1
                continue
            if row is None:
                return
            number, key, value = row
            if not isinstance(number, int) or number <= place:  # a damaged page leads back
                place, failures = place + 1, failures + 1
                continue
            place, failures = number, 0
            if isinstance(key, str) and isinstance(value, bytes):
                yield key, value


def _is_point(value: bytes) -> bool:
    """Whether the engine can take this row: whatever else its bytes say is proven by their hash when it is read."""
    try:
        point = pickle.loads(value)  # noqa: S301 -- the engine's own file, which it reads in the same way
        return isinstance(point, models.PointStruct) and _is_whole(point)
    except Exception:  # noqa: BLE001 -- damaged pickles raise anything at all
        return False


def _is_whole(point: models.PointStruct) -> bool:
    vectors = point.vector if isinstance(point.vector, dict) else None
    return isinstance(point.id, str) and isinstance(point.payload, dict) and vectors is not None
