"""devSignIn: a session for a named wallet, without the wallet. Embedded chain only."""

from __future__ import annotations

import strawberry

from chorale.context import Info
from resolvers.mutations.dev_wallet import DEFAULT_LAMPORTS, DEFAULT_TOKENS, Name, tools
from resolvers.mutations.sign_in import SignInSuccess
from schema.fields import resolved


@strawberry.type
class DevSignInMutation:
    """Field of Mutation."""

    @resolved(
        "A session for a named wallet, which is made and funded where it does not exist yet. Exists on an "
        "embedded chain only."
    )
    async def dev_sign_in(self, info: Info, name: Name) -> SignInSuccess:
        address = await tools(info).wallet(name, DEFAULT_LAMPORTS, DEFAULT_TOKENS)
        return SignInSuccess.of(info.context, await info.context.sign_in.open_session(address))
