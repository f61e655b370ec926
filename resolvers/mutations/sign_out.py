"""signOut: the end of a session."""

from __future__ import annotations

import strawberry

from chorale.context import Info
from schema.fields import resolved


@strawberry.type
class SignOutMutation:
    """Field of Mutation."""

    @resolved(
        "End the session whose token came with this request, at once on every replica; its sockets close "
        "soon after. False where the caller was not signed in."
    )
    async def sign_out(self, info: Info) -> bool:
        token = info.context.request_token
        if token is None or info.context.viewer is None:
            return False
        await info.context.sign_in.sign_out(token)
        return True
