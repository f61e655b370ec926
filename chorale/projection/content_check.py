"""Content at the start: staged bytes are listed again, and derived payload that is gone is written anew."""

from __future__ import annotations

from chorale.domain.ports import ContentStore, Index
from chorale.projector import Projector

_THREADS = 100
_MESSAGES = 64


async def check_content(content: ContentStore, index: Index, projector: Projector, *, promoting: bool = True) -> None:
    """Bring the store up to the index, which has caught up, or without `promoting` only the listings of staged content.
    Costs three counts where nothing is wrong."""
    staged = await content.staged()
    for at in range(0, len(staged), _MESSAGES):
        await projector.note_staged(*staged[at : at + _MESSAGES])
    if not promoting:
        return
    census = await content.census()
    if census.promoted < census.points - census.staged:
        await _promote_all(index, projector)


async def _promote_all(index: Index, projector: Projector) -> None:
    thread_id = ""
    while thread_ids := await index.thread_ids(thread_id, _THREADS):
        for thread_id in thread_ids:
            last = ""
            while content_hashes := await index.content_hashes(thread_id, last, _MESSAGES):
                await projector.refresh(thread_id, content_hashes)
                last = content_hashes[-1]
