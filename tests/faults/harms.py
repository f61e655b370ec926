"""Damage to what belongs to one message or thread, by name: in its point, or in its row of the index."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.qdrant import Points
from tests.faults.supply import FORGED
from tests.faults.writers import Deed


@dataclass(frozen=True)
class Harm:
    """`verb` names whose point or row it is: that of "createThread" is the thread's."""

    verb: str
    to_point: Callable[[Points, Any], None] | None = None
    to_row: str = ""
    wrong_row: str = ""

    def do(self, data: Path, points: Points, deed: Deed) -> None:
        """Damage what a deed has made."""
        if self.to_point is not None:
            title = deed.content_hash is None
            self.to_point(points, points.title_of(deed.thread_id) if title else points.of(deed.content_hash or ""))
        else:
            with closing(_opened(data)) as index, index:
                assert index.execute(self.to_row, (_subject(deed),)).rowcount == 1, deed

    def is_gone(self, data: Path, points: Points | None, deed: Deed) -> bool:
        """Whether a damaged row says something else again, and a point is no longer ahead of its message."""
        if self.wrong_row:
            with closing(_opened(data)) as index:
                return index.execute(self.wrong_row, (_subject(deed),)).fetchone() == (0,)
        if points is None or deed.content_hash is None:
            return True
        payload = points.payload(points.of(deed.content_hash))
        return payload["sequence"] < AHEAD and payload["status"] == deed.status


AHEAD = 10**6

HARMS = {
    "point deleted": Harm("postMessage", Points.drop),
    "point of a pending deleted": Harm("submitMessage", Points.drop),
    "bytes altered": Harm("postMessage", lambda points, id: points.say(id, body=FORGED)),
    "bytes of a pending altered": Harm("submitMessage", lambda points, id: points.say(id, body=FORGED)),
    "title altered": Harm("createThread", lambda points, id: points.say(id, body=FORGED)),
    "pending called published": Harm("submitMessage", lambda points, id: points.say(id, status="PUBLISHED")),
    "version far ahead": Harm("postMessage", lambda points, id: points.say(id, sequence=AHEAD, status="DENIED")),
    "row altered": Harm(
        "postMessage",
        to_row="UPDATE messages SET submitted_at = 1 WHERE content_hash = ?",
        wrong_row="SELECT count(*) FROM messages WHERE content_hash = ? AND submitted_at = 1",
    ),
    "row of a pending called published": Harm(
        "submitMessage",
        to_row="UPDATE messages SET status = 'PUBLISHED' WHERE content_hash = ?",
        wrong_row="SELECT count(*) FROM messages WHERE content_hash = ? AND status = 'PUBLISHED'",
    ),
    "thread's row put ahead": Harm(
        "createThread",
        to_row=f"UPDATE threads SET sequence = sequence + {AHEAD} WHERE thread_id = ?",
        wrong_row=f"SELECT count(*) FROM threads WHERE thread_id = ? AND sequence >= {AHEAD}",
    ),
}


def _opened(data: Path) -> sqlite3.Connection:
    [file] = (data / "index").glob("index-*.sqlite3")
    return sqlite3.connect(file, timeout=20)


def _subject(deed: Deed) -> str:
    return deed.content_hash or deed.thread_id
