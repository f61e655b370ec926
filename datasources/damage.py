"""SQLite files that a disk or a hand has damaged: noticed before they are used, and kept beside what replaces them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

PARTS = ("", "-wal", "-shm", "-journal")
"""What a database consists of, as suffixes of its file's name."""


def is_sound(file: Path) -> bool:
    """Whether every page of the database can be read; a journal that was left behind is played back first. About 1 ms
    for each MB. Raises sqlite3.OperationalError where it cannot be opened at all."""
    connection = sqlite3.connect(file, timeout=10)
    try:
        return connection.execute("PRAGMA quick_check(1)").fetchall() == [("ok",)]
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        return False  # not a database, or one whose very structure is damaged
    finally:
        connection.close()


def set_aside(file: Path, suffix: str) -> Path:
    """Move the database behind the name with `suffix`, in place of an earlier one; its new place."""
    aside = file.with_name(file.name + suffix)
    for part in PARTS:
        aside.with_name(aside.name + part).unlink(missing_ok=True)
        source = file.with_name(file.name + part)
        if source.exists():
            source.replace(aside.with_name(aside.name + part))
    return aside
