"""The index's file: named after what it was derived from, never shared between chains, programs, models or layouts."""

from __future__ import annotations

import logging
import sqlite3
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from datasources.damage import PARTS, is_sound, set_aside
from datasources.index.schema import SCHEMA_VERSION, TABLES

_log = logging.getLogger(__name__)

_ASIDE = ".aside"


def prepare(folder: Path, genesis_hash: str, program_id: str, fingerprint: str) -> tuple[Path, str]:
    """The index's file in `folder`, made where it is absent, and the id of its log.

    A file of another layout or origin, or one that is damaged or marked so, gets `.aside` behind its name (in place of
    an earlier one) and a new one is made: everything in it can be derived again. Raises OSError, sqlite3.Error.
    """
    identity = sha256("\n".join((genesis_hash, program_id, fingerprint)).encode()).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"index-{identity[:16]}.sqlite3"
    mark = _mark(file)
    if file.exists():
        meta, sound = _meta(file), not mark.exists() and is_sound(file)
        if not (sound and meta.get("identity") == f"{SCHEMA_VERSION}:{identity}" and meta.get("log_id")):
            why = "belongs to another layout or origin" if sound else "is damaged"
            _log.warning("The index %s; it is set aside as %s and derived again", why, set_aside(file, _ASIDE))
    mark.unlink(missing_ok=True)
    if not file.exists():
        _create(file, f"{SCHEMA_VERSION}:{identity}")
    return file, _meta(file)["log_id"]


def mark_damaged(file: Path) -> None:
    """Let the next `prepare` set the file aside, also where the damage is in what rows say, which it does not see."""
    _mark(file).touch()


def _mark(file: Path) -> Path:
    return file.with_name(f"{file.name}.mark")


def connect(file: Path, *, writable: bool) -> sqlite3.Connection:
    """A connection for one thread of the caller's choice, in autocommit: transactions are begun by hand."""
    connection = sqlite3.connect(file, timeout=10, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    # A killed process loses nothing. Power loss may take the last commits back, rows, log and chain cursor alike, and
    # the chain is followed again from that cursor; an fsync per change (about 0.3 ms) would buy nothing more.
    connection.execute("PRAGMA synchronous = NORMAL")
    if not writable:
        connection.execute("PRAGMA query_only = ON")
    return connection


def _create(file: Path, identity: str) -> None:
    # Made beside and renamed, so that a half-made file is never met.
    draft = file.with_name(f"{file.name}.new")
    for part in PARTS:
        draft.with_name(draft.name + part).unlink(missing_ok=True)
    connection = connect(draft, writable=True)
    try:
        connection.executescript(TABLES)
        connection.executemany(
            "INSERT INTO meta (key, value) VALUES (?, ?)", [("identity", identity), ("log_id", uuid4().hex)]
        )
    finally:
        connection.close()
    draft.replace(file)


def _meta(file: Path) -> dict[str, str]:
    connection = sqlite3.connect(file, timeout=10)
    connection.text_factory = lambda text: text.decode("utf-8", "replace")  # damaged text is other text, no error
    try:
        return dict(connection.execute("SELECT key, value FROM meta").fetchall())
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return {}
        raise
    except sqlite3.DatabaseError:
        return {}  # not a database, or a damaged one
    finally:
        connection.close()
