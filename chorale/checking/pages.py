"""Going through what the index lists: all of it, or a part that goes on where the last one ended."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

List = Callable[[str, int], Awaitable[Sequence[str]]]
"""Names above the first argument ("" to begin), ascending, at most as many as the second says."""


async def all_pages(names: List, batch: int) -> AsyncGenerator[Sequence[str], None]:
    """Everything, a batch at a time."""
    last = ""
    while page := await names(last, batch):
        yield page
        last = page[-1]


class Round:
    """Goes round a list, a part each time, so that everything has its turn."""

    def __init__(self, names: List) -> None:
        self._names = names
        self._last = ""

    async def next(self, size: int) -> Sequence[str]:
        """The next part; from the beginning again once the end was reached."""
        page = await self._names(self._last, size)
        if not page and self._last:
            page = await self._names("", size)
        self._last = page[-1] if len(page) == size else ""
        return page
