"""SQLite files that a disk or a hand has damaged: noticed, and kept beside what replaces them."""

from __future__ import annotations

import sqlite3
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

T = TypeVar("T", bound=StrEnum)

PARTS = ("", "-wal", "-shm", "-journal")
"""What a database consists of, as suffixes of its file's name."""


_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_PRIMARY = 0xFF  # of an extended result code


class DamagedRowError(Exception):
    """A row says what nobody has written."""


def known(kind: type[T], text: str) -> T:
    """The member of `kind` that a row names. Raises DamagedRowError where it names none."""
    try:
        return kind(text)
    except ValueError as error:
        raise DamagedRowError(f"{text!r} is no {kind.__name__}") from error


def tells_of_damage(error: Exception) -> bool:
    """Whether what a read has raised means that the file itself is damaged, rather than in use or out of reach."""
    code = getattr(error, "sqlite_errorcode", None)
    return (
        isinstance(error, DamagedRowError)
        or (code is not None and code & _PRIMARY in _DAMAGED)
        or "Could not decode to UTF-8" in str(error)
    )


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
