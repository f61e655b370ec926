"""A Qdrant client and its threads; what it raises ends here."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
from qdrant_client import QdrantClient
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.updates import Authority

T = TypeVar("T")

_log = logging.getLogger(__name__)

_REFUSALS = (400, 413, 422)  # this very request, not the next
_SAID_CHARS = 300
AWAY = (ApiException, QdrantException, httpx.HTTPError, sqlite3.Error, OSError)
JUNK = (ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError)
"""Where an answer breaks that has another shape than it should, and what a closed engine raises."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A client and the threads that use it.

    `exclusive`: calls run one after the other, on the one owner thread or while it rests, so that reading and then
    writing within a call is atomic.
    """

    client: QdrantClient
    threads: ThreadPoolExecutor
    exclusive: bool
    _under_way: _UnderWay = field(default_factory=lambda: _UnderWay())

    async def call(self, work: Callable[[], T], *, brief: bool = False) -> T:
        """Run `work` in an engine thread; what is `brief`, here and now while the one owner rests: the way there and
        back costs more. Raises AuthorityUnavailableError where Qdrant is away or fails."""
        with _away_or_junk():
            if brief and self.exclusive and self._under_way.is_none:
                return work()
            future = self.threads.submit(work)
            self._under_way.add(future)
            return await asyncio.wrap_future(future)


class _UnderWay:
    """Counts calls in engine threads; they end there, and begin on the event loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number = 0

    @property
    def is_none(self) -> bool:
        """Whether the threads rest, which stays so until the event loop gives them work."""
        return self._number == 0

    def add(self, future: Future[Any]) -> None:
        """One more, until it is done or was cancelled before it began."""
        with self._lock:
            self._number += 1
        future.add_done_callback(self._ended)

    def _ended(self, _: Future[Any]) -> None:
        with self._lock:
            self._number -= 1


@contextmanager
def _away_or_junk() -> Iterator[None]:
    try:
        yield
    except AWAY as error:
        raise AuthorityUnavailableError(
            Authority.QDRANT, f"Qdrant does not answer: {said(error)}. Try again shortly.", refused=_refused(error)
        ) from error
    except JUNK as error:
        _log.warning("Qdrant's answer cannot be read", exc_info=error)
        raise AuthorityUnavailableError(
            Authority.QDRANT, f"Qdrant's answer cannot be read: {type(error).__name__}. Try again shortly."
        ) from error


def said(error: Exception) -> str:
    """What an error says, on one line of bounded length."""
    return " ".join(str(error).split())[:_SAID_CHARS]


def _refused(error: Exception) -> bool:
    return isinstance(error, UnexpectedResponse) and error.status_code in _REFUSALS
