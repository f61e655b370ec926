"""Subscription, put together from its parts."""

from __future__ import annotations

import strawberry

from resolvers.subscriptions.boundary_events import BoundarySubscriptions
from resolvers.subscriptions.thread_events import ThreadSubscriptions
from resolvers.subscriptions.updates import UpdateSubscriptions


@strawberry.type(
    description="What changes, as it changes. Event streams resume behind a cursor, on this replica or another."
)
class Subscription(UpdateSubscriptions, ThreadSubscriptions, BoundarySubscriptions):
    """One base per noun."""
