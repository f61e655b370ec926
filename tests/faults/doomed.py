"""`chorale` that kills itself: `python -m tests.faults.doomed POINT serve` ends with SIGKILL when it comes to POINT.
With "without:KIND" it lives, and its reconciler has no resolver for that kind of conflict. With "witness" it lives, and
writes what it comes by, line by line, into the file that arms it.

POINT is a name of `POINTS` with ":before", ":after" or ":inside" (before its COMMIT, or between two of its steps), and,
if not at the first time, ":N". It counts only while the file named by CHORALE_TEST_ARMED exists, so that a start is
survived.
"""

from __future__ import annotations

import functools
import importlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

from chorale.domain.conflict import ConflictKind

_ENGINE = "qdrant_client.local.qdrant_local:QdrantLocal"

POINTS = {
    "stage": ["datasources.qdrant.store:QdrantContent.stage"],
    "send": ["datasources.solana.client:SolanaChain.send"],
    "confirm": ["datasources.solana.client:SolanaChain.confirm"],
    "promote": ["datasources.qdrant.store:QdrantContent.promote"],
    "apply": ["datasources.index.index:SqliteIndex.apply"],
    "cursor": ["datasources.index.index:SqliteIndex.advance"],
    "append": ["datasources.index.index:SqliteIndex.append"],
    "floor": [
        "datasources.cache.entities_memory:MemoryEntities.raise_floors",
        "datasources.cache.entities_redis:RedisEntities.raise_floors",
    ],
    "claim": ["datasources.cache.sqlite:SqliteSessions.add", "datasources.cache.redis:RedisSessions.add"],
    "record": ["datasources.cache.sqlite:SqliteSessions.put", "datasources.cache.redis:RedisSessions.put"],
    "restore": ["datasources.qdrant.store:QdrantContent.restore"],
    "correct": ["datasources.index.index:SqliteIndex.correct"],
    "correct point": ["datasources.qdrant.store:QdrantContent.correct"],
}
"""What may be the last thing that a process does: methods of the adapters, by a name. Of several, any."""

INSIDE = {
    "apply": ["datasources.index.writes:apply"],
    "append": ["datasources.index.log:append"],
    "cursor": ["datasources.index.writes:advance"],
    "correct": ["datasources.index.corrections:correct"],
    "restore": ["datasources.qdrant.points:Points.insert", f"{_ENGINE}.delete_vectors"],
    "correct point": [f"{_ENGINE}.update_vectors", f"{_ENGINE}.delete_vectors"],
}
"""Functions that run inside the method of that name: in its transaction, or between its steps on the embedded engine.
After any of them, counted together."""


class Doom:
    """Counts calls while it is armed."""

    def __init__(self, armed: Path, calls: int) -> None:
        self._armed = armed
        self._left = calls

    def call(self) -> None:
        """Die at the last of the calls."""
        if self._armed.exists():
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


class Witness:
    """Writes down each call while it is armed."""

    def __init__(self, armed: Path, point: str) -> None:
        self._armed = armed
        self._point = point

    def call(self) -> None:
        """One more line."""
        if self._armed.exists():
            with self._armed.open("a") as lines:
                print(self._point, file=lines)


def place_of(point: str) -> tuple[str, str, int]:
    """What a POINT is before, after or inside of, which of the three, and at which time."""
    name, _, rest = point.partition(":")
    where, _, calls = rest.partition(":")
    return name, where, int(calls or 1)


def prepare(point: str, armed: Path) -> None:
    """Wrap what POINT names."""
    kind, _, lacking = point.partition(":")
    if kind == "without":
        _leave_out(ConflictKind(lacking))
    elif kind == "witness":
        for where, names in (("before", POINTS), ("after", POINTS), ("inside", INSIDE)):
            for each in names:
                _wrap(each, where, Witness(armed, f"{each}:{where}"))
    else:
        name, where, calls = place_of(point)
        _wrap(name, where, Doom(armed, calls))


def _wrap(name: str, where: str, ward: Doom | Witness) -> None:
    importlib.import_module("datasources.qdrant")  # keeps what the engine imports from asking the network
    for target in (INSIDE if where == "inside" else POINTS)[name]:
        module, _, path = target.partition(":")
        holder: Any = importlib.import_module(module)
        *outer, attribute = path.split(".")
        for part in outer:
            holder = getattr(holder, part)
        wrap = _function if where == "inside" else _method
        setattr(holder, attribute, wrap(getattr(holder, attribute), ward, where))


def _leave_out(kind: ConflictKind) -> None:
    from chorale.reconciliation import resolvers

    whole = resolvers.open_resolvers

    @functools.wraps(whole)
    def lacking(*arguments: Any, **options: Any) -> Any:
        mapping = whole(*arguments, **options)
        del mapping[kind]
        return mapping

    resolvers.open_resolvers = lacking


def _method(original: Any, ward: Doom | Witness, where: str) -> Any:
    @functools.wraps(original)
    async def doomed(*arguments: Any, **options: Any) -> Any:
        if where == "before":
            ward.call()
        result = await original(*arguments, **options)
        if where == "after":
            ward.call()
        return result

    return doomed


def _function(original: Any, ward: Doom | Witness, _: str) -> Any:
    @functools.wraps(original)
    def doomed(*arguments: Any, **options: Any) -> Any:
        result = original(*arguments, **options)
        ward.call()
        return result

    return doomed


if __name__ == "__main__":
    from chorale.__main__ import main

    prepare(sys.argv[1], Path(os.environ["CHORALE_TEST_ARMED"]))
    sys.exit(main(sys.argv[2:]))
