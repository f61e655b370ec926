"""What a client shows, read again from the authorities, and what a report of it means for the boundaries."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from chorale.context import Context
from chorale.domain.conflict import Conflict, ConflictCause
from chorale.domain.errors import AuthorityUnavailableError, StaleReadError
from chorale.domain.events import BEHIND_VERSION, EventPosition
from chorale.domain.paging import PageRequest
from chorale.domain.updates import Authority
from datasources.loaders import MixedVersionsError
from resolvers.queries.nodes import read_node
from schema.enums import UiStanding
from schema.message import Message
from schema.node import Node
from schema.protocol import Protocol
from schema.scalars import Version
from schema.thread import Thread
from schema.ui_state import ConfirmedEntity, ShownEntity

_PAUSES = (0.05, 0.2, 0.8)  # s between reads of a node that is behind this replica's index


@dataclass(frozen=True, slots=True)
class _Found:
    """A node, whose thread it belongs to ("" for the protocol), and its version."""

    node: Node
    thread_id: str
    version: int


async def compare(context: Context, shown: Sequence[ShownEntity]) -> list[ConfirmedEntity]:
    """How each stands. A version that this replica does not know yet is waited for as `minVersion` is; only one that
    does not come is AHEAD. Raises AuthorityUnavailableError, StaleReadError."""
    found = await _read(context, shown)
    ahead = _ahead(shown, found)
    if ahead:
        reached = await asyncio.gather(*(_reach(context, *wanted) for wanted in ahead))
        for pause in (*_PAUSES, None):
            found = await _read(context, shown)
            if not any(reached) or not _ahead(shown, found):
                break
            if pause is None:
                raise StaleReadError("Solana's node is behind what this replica has seen of it. Ask again.")
            await asyncio.sleep(pause)
    answers = [_confirmed(each, one) for each, one in zip(shown, found, strict=True)]
    await _take_note(context, shown, found, answers)
    return answers


async def _read(context: Context, shown: Sequence[ShownEntity]) -> list[_Found | None]:
    """Every node by loaders of its own round, nothing from a cache."""
    for pause in _PAUSES:
        fresh = context.fresh(context.deadline, reread=True)
        nodes = await asyncio.gather(*(read_node(fresh, each.id) for each in shown), return_exceptions=True)
        if fresh.loaders.stale is not None:
            raise AuthorityUnavailableError(Authority.SOLANA, "Solana is away, so nothing can be confirmed now.")
        for node in nodes:
            if isinstance(node, BaseException) and not isinstance(node, MixedVersionsError):
                raise node
        if not any(isinstance(node, BaseException) for node in nodes):
            return [_found(node) for node in nodes if not isinstance(node, BaseException)]
        await asyncio.sleep(pause)
    raise StaleReadError


def _found(node: Node | None) -> _Found | None:
    match node:
        case Thread():
            return _Found(node, node.read.account.thread_id, node.version())
        case Message():
            return _Found(node, node.owner.account.thread_id, node.version())
        case Protocol():
            return _Found(node, "", node.version())
    return None


def _ahead(shown: Sequence[ShownEntity], found: Sequence[_Found | None]) -> list[tuple[str, int]]:
    """Threads ("" for the protocol) and versions above what was read, each once."""
    return sorted(
        {
            (one.thread_id, each.version)
            for each, one in zip(shown, found, strict=True)
            if one is not None and each.version > one.version
        }
    )


async def _reach(context: Context, thread_id: str, version: int) -> bool:
    if thread_id:
        return await context.index.wait_for(thread_id, version, context.limits.min_version_wait)
    return await context.index.wait_for_protocol(version, context.limits.min_version_wait)


def _confirmed(shown: ShownEntity, found: _Found | None) -> ConfirmedEntity:
    if found is None:
        return ConfirmedEntity(id=shown.id, standing=UiStanding.UNKNOWN, version=None, node=None)
    if shown.version == found.version:
        return ConfirmedEntity(id=shown.id, standing=UiStanding.CURRENT, version=shown.version, node=None)
    standing = UiStanding.BEHIND if shown.version < found.version else UiStanding.AHEAD
    return ConfirmedEntity(id=shown.id, standing=standing, version=Version(found.version), node=found.node)


async def _take_note(
    context: Context,
    shown: Sequence[ShownEntity],
    found: Sequence[_Found | None],
    answers: Sequence[ConfirmedEntity],
) -> None:
    """Keep the report, and tell of one conflict at most, so that clients cannot fill the operators' log."""
    client, versions, behind, told = context.client_name, dict[str, int](), set[str](), False
    known = {} if client is None else context.reports.of(client)
    for each, one, answer in zip(shown, found, answers, strict=True):
        if one is None:
            continue
        if answer.standing is UiStanding.AHEAD:
            told = told or await _tell(context, ConflictCause.UI_AHEAD, each, one)
            continue
        versions[one.thread_id] = min(each.version, versions.get(one.thread_id, each.version))
        if answer.standing is UiStanding.BEHIND:
            behind.add(one.thread_id)
            before = known.get(one.thread_id)
            again = before is not None and before.version == each.version and before.behind_since is not None
            if not told and not again and await _could_have_heard(context, one.thread_id, each.version):
                told = await _tell(context, ConflictCause.UI_BEHIND, each, one)
    if client is not None:
        context.reports.note(client, versions, frozenset(behind))


async def _tell(context: Context, cause: ConflictCause, shown: ShownEntity, found: _Found) -> bool:
    expected, seen = f"version {found.version}", f"version {shown.version}"
    await context.reconciler.settle(Conflict(cause, shown.id, found.thread_id, expected, seen, 0, found.version))
    return True


async def _could_have_heard(context: Context, thread_id: str, version: int) -> bool:
    """Whether the change after `version` is so long ago that a client which listens has heard of it."""
    if thread_id:
        place = EventPosition(context.index.log_id, 0, thread_id, version, BEHIND_VERSION)
        batch = await context.index.events_after(thread_id, place, 1)
        at = batch.events[0].occurred_at if batch.events else None
    else:
        page = await context.index.protocol_changes(PageRequest(first=1))
        at = page.changes[0].occurred_at if page.changes else None
    return at is not None and await context.chain.unix_time() - at > context.limits.ui_patience
