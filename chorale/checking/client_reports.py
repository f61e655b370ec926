"""What live clients said they show, by `confirmUiState`: in this process's memory, bounded, forgotten after a while.

A client is one session or one socket. It is heard by the replica that it is connected to, and by no other."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice

from chorale.limits import Limits

_ENTITIES_PER_CLIENT = 10  # on average: so many of all clients together are kept


@dataclass(frozen=True, slots=True)
class Shown:
    """What a client showed of a thread ("" for the protocol) when it last said so, at unix time `at`. `behind_since` is
    when it was first told that this version is past, None where it was not."""

    version: int
    at: float
    behind_since: float | None = None


class ClientReports:
    """The newest report of each client and thread."""

    def __init__(self, limits: Limits, now: Callable[[], float] = time.time) -> None:
        self._clients_most = limits.ui_clients
        self._entities_most = limits.ui_clients * _ENTITIES_PER_CLIENT
        self._ttl = limits.ui_report_ttl
        self._now = now
        self._clients: OrderedDict[str, dict[str, Shown]] = OrderedDict()
        self._entities = 0

    def note(self, client: str, versions: Mapping[str, int], behind: frozenset[str]) -> None:
        """A client's report as versions by thread id, which takes the place of its last one. `behind` are those that
        it was just told to refresh."""
        now = self._now()
        before = self._forget(client)
        if not versions:
            return
        self._clients[client] = {
            thread_id: Shown(version, now, _since(before.get(thread_id), version, now) if thread_id in behind else None)
            for thread_id, version in versions.items()
        }
        self._entities += len(versions)
        while self._clients and (
            len(self._clients) > self._clients_most
            or self._entities > self._entities_most
            or self._is_old(next(iter(self._clients)))
        ):
            self._forget(next(iter(self._clients)))

    def of(self, client: str) -> Mapping[str, Shown]:
        """A client's last report, by thread id; empty where it has none."""
        return self._clients.get(client, {})

    def tell(self, thread_id: str, version: int) -> None:
        """What clients show of this thread in other versions than the true `version` counts as settled: they are told
        with their next report."""
        for client, shown in list(self._clients.items()):
            if thread_id in shown and (shown[thread_id].version > version or shown[thread_id].behind_since is not None):
                del shown[thread_id]
                self._entities -= 1
            if not shown:
                del self._clients[client]

    def after(self, place: int, limit: int) -> tuple[tuple[str, Mapping[str, Shown]], ...]:
        """Reports of at most `limit` clients from the place `place` on, oldest first; empty behind the last."""
        while self._clients and self._is_old(next(iter(self._clients))):
            self._forget(next(iter(self._clients)))
        return tuple((client, dict(shown)) for client, shown in islice(self._clients.items(), place, place + limit))

    def __len__(self) -> int:
        """Entities in all reports."""
        return self._entities

    def _forget(self, client: str) -> Mapping[str, Shown]:
        shown = self._clients.pop(client, {})
        self._entities -= len(shown)
        return shown

    def _is_old(self, client: str) -> bool:
        return any(shown.at <= self._now() - self._ttl for shown in self._clients[client].values())


def _since(before: Shown | None, version: int, now: float) -> float:
    if before is not None and before.version == version and before.behind_since is not None:
        return before.behind_since
    return now
