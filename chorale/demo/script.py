"""The demo's discussions as data: `chorale/demo/data/*.json`.

A file holds `{title, creator, messages}`, a message `{author, body, kind, votes?}`. Names are those of dev wallets.
`kind` is `post` (by a co-author) or `submit` (by an outsider, with a stake); `votes` says what every required voter
then does: `approve`, `deny` or `none`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files

FOLDER = "data"


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a discussion."""

    author: str
    body: str
    kind: str
    votes: str = "none"


@dataclass(frozen=True, slots=True)
class Discussion:
    """One thread of the demo. `round` counts how often it has been played; later rounds are threads of their own."""

    name: str
    title: str
    creator: str
    lines: tuple[Line, ...]
    round: int = 1

    @property
    def shown_title(self) -> str:
        """The title, with the round from the second on."""
        return self.title if self.round == 1 else f"{self.title} ({self.round})"

    @property
    def nonce(self) -> int:
        """The thread's nonce: the same in every attempt, so that a broken-off demo is continued and not doubled."""
        return int.from_bytes(sha256(f"demo:{self.name}:{self.round}".encode()).digest()[:8], "little")

    def salt(self, place: int) -> str:
        """The salt of the title (place 0) or of the nth message (from 1), the same in every attempt."""
        return sha256(f"demo:{self.name}:{self.round}:{place}".encode()).hexdigest()


def discussions(round: int = 1) -> Sequence[Discussion]:
    """All discussions in the order of their files."""
    found = sorted(
        (entry for entry in files("chorale.demo").joinpath(FOLDER).iterdir() if entry.name.endswith(".json")),
        key=lambda entry: entry.name,
    )
    return [_read(entry.name, json.loads(entry.read_text(encoding="utf-8")), round) for entry in found]


def _read(name: str, content: dict[str, object], round: int) -> Discussion:
    messages = content["messages"]
    assert isinstance(messages, list)
    lines = tuple(Line(**message) for message in messages)
    return Discussion(name, str(content["title"]), str(content["creator"]), lines, round)
