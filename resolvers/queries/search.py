"""Search: hits from the content store, ownership and visibility from the accounts, before anything is shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated

import strawberry

from chorale.context import Context, Info
from chorale.domain.content import ContentState, FetchedContent, SearchCriteria, SearchHit
from chorale.domain.cursors import decode, encode
from chorale.domain.errors import InvalidInputError
from chorale.reconciliation.sightings import hit_conflict
from datasources.loaders import MessageKey
from schema.arguments import After, First
from schema.connections import PageInfo
from schema.enums import SearchMode
from schema.fields import resolved
from schema.message import Message
from schema.reading import read_messages
from schema.scalars import Cursor
from schema.search import SearchConnection, SearchEdge, SearchFilter

_CURSOR = "s"


@strawberry.type
class SearchQueries:
    """The one field of Query that searches."""

    @resolved(
        "Messages that match a text and that the viewer may see, best first. Null only with an error, when "
        "an authority is away."
    )
    async def search(
        self,
        info: Info,
        query: Annotated[str, strawberry.argument(description="What to look for, in any words.")],
        filter: Annotated[SearchFilter | None, strawberry.argument(description="What hits must meet.")] = None,
        mode: Annotated[SearchMode | None, strawberry.argument(description="How to match.")] = SearchMode.HYBRID,
        first: First = 10,
        after: After = None,
    ) -> SearchConnection | None:
        context = info.context
        wanted = _size(context, first)
        criteria = await _criteria(context, query, filter, mode or SearchMode.HYBRID)
        start = _start(criteria, after)
        embedding = await context.embedder.embed_query(criteria.text)
        hits = await context.content.search(criteria, embedding, context.limits.search_window)
        shown = await _visible(context, criteria, hits, start, wanted + 1)
        edges = [_edge(criteria, rank, hit, message) for rank, hit, message in shown[:wanted]]
        return SearchConnection(
            edges=edges,
            nodes=[edge.node for edge in edges],
            page_info=PageInfo(
                has_next_page=len(shown) > wanted,
                has_previous_page=start > 0,
                start_cursor=edges[0].cursor if edges else None,
                end_cursor=edges[-1].cursor if edges else None,
            ),
        )


def _size(context: Context, first: int | None) -> int:
    size = 10 if first is None else first
    if not 1 <= size <= context.limits.page_max:
        raise InvalidInputError(f"`first` is {size}. Ask for 1 to {context.limits.page_max}.", "first")
    return size


async def _criteria(context: Context, query: str, filter: SearchFilter | None, mode: SearchMode) -> SearchCriteria:
    text = query.strip()
    most = context.limits.search_query_chars
    if not text or len(text) > most:
        raise InvalidInputError(f"`query` has {len(text)} characters. Send 1 to {most}.", "query")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidInputError("`query` holds lone surrogates. Send well-formed Unicode.", "query")
    wallet, chosen = context.wallet, filter or SearchFilter()
    threads = await context.index.co_authored(wallet, context.limits.viewer_threads) if wallet is not None else ()
    return SearchCriteria(
        text=text,
        mode=mode,
        viewer=wallet,
        viewer_threads=tuple(threads),
        thread_id=chosen.thread_id,
        author=chosen.author,
        submitted_after=chosen.submitted_after,
        submitted_before=chosen.submitted_before,
        statuses=tuple(chosen.status or ()),
    )


def _digest(criteria: SearchCriteria) -> str:
    """Names query, filter, mode and viewer: a rank means something only among the same hits."""
    named = [
        criteria.text, criteria.mode, criteria.viewer, criteria.thread_id, criteria.author,
        criteria.submitted_after, criteria.submitted_before, sorted(criteria.statuses),
    ]  # fmt: skip
    return sha256(json.dumps(named).encode()).hexdigest()[:16]


def _start(criteria: SearchCriteria, after: str | None) -> int:
    if after is None:
        return 0
    rank, digest = decode(_CURSOR, after, (int, str), "after")
    if digest != _digest(criteria):
        raise InvalidInputError(
            "`after` belongs to another search. Repeat query, filter and mode unchanged, as the same viewer.", "after"
        )
    return max(0, int(rank) + 1)


async def _visible(
    context: Context, criteria: SearchCriteria, hits: Sequence[SearchHit], start: int, wanted: int
) -> list[tuple[int, SearchHit, Message]]:
    """From rank `start` on, the first `wanted` hits that the accounts let the viewer see."""
    shown: list[tuple[int, SearchHit, Message]] = []
    while len(shown) < wanted and start < len(hits):
        ranked = list(enumerate(hits[start : start + wanted - len(shown)], start))
        keys = [MessageKey(hit.content.key.thread_id, hit.content.key.hash) for _, hit in ranked]
        for key, (_, hit) in zip(keys, ranked, strict=True):
            context.loaders.prime_body(key, FetchedContent(ContentState.AVAILABLE, hit.content))
        messages = await read_messages(context, keys)
        for (rank, hit), message in zip(ranked, messages, strict=True):
            await _compare(context, hit)
            if message is not None and _meets(criteria, message):
                shown.append((rank, hit, message))
        start += len(ranked)
    return shown


async def _compare(context: Context, hit: SearchHit) -> None:
    """Hand over a hit that says something else than its account, once the index has come so far: points are written
    before rows."""
    stored = hit.content
    read = await context.loaders.message(MessageKey(stored.key.thread_id, stored.key.hash))
    if read is None:
        return
    _, message = read
    conflict = hit_conflict(stored, message.account, message.slot)
    if conflict is not None and await context.index.thread_sequence(stored.key.thread_id) >= conflict.sequence:
        context.reconciler.found(conflict)


def _meets(criteria: SearchCriteria, message: Message) -> bool:
    """The filter once more, on what the chain says."""
    account = message.account
    return (
        (not criteria.statuses or account.status in criteria.statuses)
        and (criteria.author is None or account.author == criteria.author)
        and (criteria.submitted_after is None or account.submitted_at >= criteria.submitted_after)
        and (criteria.submitted_before is None or account.submitted_at < criteria.submitted_before)
    )


def _edge(criteria: SearchCriteria, rank: int, hit: SearchHit, message: Message) -> SearchEdge:
    return SearchEdge(
        node=message,
        cursor=Cursor(encode(_CURSOR, (rank, _digest(criteria)))),
        score=hit.score,
        body=hit.content.body,
        query=criteria.text,
    )
