"""Who may go on. Visibility itself lives in the store queries and is checked again on the accounts."""

from __future__ import annotations

import time

from chorale.context import Context
from chorale.domain.errors import UnauthenticatedError


async def still_admitted(context: Context) -> None:
    """For what runs long: raises UnauthenticatedError once the session it began with has expired or been ended."""
    viewer = context.viewer
    if viewer is None:
        return
    if viewer.expires_at <= time.time():
        raise UnauthenticatedError("The session has expired. Sign in again and connect with the new token.")
    if context.request_token is not None and await context.sign_in.viewer(context.request_token) is None:
        raise UnauthenticatedError("The session has been ended. Sign in again and connect with the new token.")
