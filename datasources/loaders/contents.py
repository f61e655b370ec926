"""Bytes by key: bodies and titles of one page in one call to the content store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from chorale.domain.content import ContentKey, ContentState, FetchedContent
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.ports import ContentStore
from datasources.loaders.batch import BatchLoader

_AWAY = FetchedContent(ContentState.UNAVAILABLE)
_LACKING = (ContentState.MISSING, ContentState.QUARANTINED)

Met = Callable[[ContentKey, ContentState], None]
"""Hears of bytes that were asked for and are missing or wrong; must not wait."""


class Expectation:
    """Someone who will ask soon: while one stands, the call is held back so that all go together."""

    def __init__(self, loader: ContentLoader) -> None:
        self._loader: ContentLoader | None = loader

    def release(self) -> None:
        """Asked, or gone without asking; once is enough, more is harmless."""
        loader, self._loader = self._loader, None
        if loader is not None:
            loader.settle()


class ContentLoader(BatchLoader[ContentKey, FetchedContent]):
    """A store that is away makes contents UNAVAILABLE, not the answer an error."""

    def __init__(self, store: ContentStore, met: Met = lambda key, state: None) -> None:
        super().__init__()
        self._store = store
        self._met = met
        self._expected = 0

    def expect(self, task: asyncio.Task[object]) -> Expectation:
        """Hold calls until the expectation is released, or `task` has ended."""
        self._expected += 1
        expectation = Expectation(self)
        task.add_done_callback(lambda _: expectation.release())
        return expectation

    def settle(self) -> None:
        """One expectation less; the last one lets the call go."""
        self._expected -= 1
        if not self._expected:
            asyncio.get_running_loop().call_soon(self.dispatch)

    def dispatch(self) -> None:
        """Held back while someone is expected."""
        if not self._expected:
            super().dispatch()

    async def fetch(self, keys: Sequence[ContentKey]) -> Mapping[ContentKey, FetchedContent]:
        """One call for all keys."""
        try:
            fetched = await self._store.fetch(keys)
        except AuthorityUnavailableError:
            return dict.fromkeys(keys, _AWAY)
        for key, content in fetched.items():
            if content.state in _LACKING:
                self._met(key, content.state)
        return fetched
