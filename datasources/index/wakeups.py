"""Who waits for which thread: wake-ups that coalesce and are never lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Wakeups:
    """Listeners by thread id. All methods belong to the event loop's thread."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[asyncio.Event]] = {}
        self.closed = False
        self.ended: str | None = None

    @contextmanager
    def listen(self, thread_id: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever the thread changes; clear it before looking, not after."""
        event = asyncio.Event()
        self._listeners.setdefault(thread_id, set()).add(event)
        try:
            yield event
        finally:
            listeners = self._listeners[thread_id]
            listeners.discard(event)
            if not listeners:
                del self._listeners[thread_id]

    def notify(self, thread_id: str) -> None:
        """The thread has changed."""
        for event in self._listeners.get(thread_id, ()):
            event.set()

    def end(self, reason: str) -> None:
        """The same, with the reason for whoever asks."""
        self.ended = reason
        self.close()

    def close(self) -> None:
        """Nothing will change any more: everybody may look once more and go."""
        self.closed = True
        for thread_id in list(self._listeners):
            self.notify(thread_id)
