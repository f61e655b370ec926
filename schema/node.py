"""Global identity: an id says what it names, so an optimistic client knows it before it sends anything."""

from __future__ import annotations

import strawberry

from schema.fields import resolved


@strawberry.interface(description="Anything that can be fetched again by its id.")
class Node:
    """Ids are "Thread:<threadId>", "Message:<contentHash>", "User:<address>" and "Protocol"."""

    @resolved("Global identity: the type's name and the natural key, such as `Thread:<threadId>`.")
    def id(self) -> strawberry.ID:
        raise NotImplementedError
