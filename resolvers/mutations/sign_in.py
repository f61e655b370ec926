"""signIn: a session for a signed challenge."""

from __future__ import annotations

from typing import Annotated

import strawberry

from chorale.auth import Session
from chorale.context import Context, Info
from chorale.domain.updates import Refusal
from schema.fields import resolved
from schema.problems import InvalidInput, SignInRefused, problem_of
from schema.scalars import Base64, DateTime, Pubkey, Signature
from schema.user import User


@strawberry.input(description="A challenge as the wallet signed it.")
class SignInInput:
    """What the wallet standard's signIn returns, or the wallet's signature over the challenge's text."""

    wallet: Pubkey = strawberry.field(description="The wallet that signed.")
    signed_message: Base64 = strawberry.field(description="The exact bytes that it signed.")
    signature: Signature = strawberry.field(description="Its signature over them.")


@strawberry.type(description="A session. The token is shown this once.")
class SignInSuccess:
    """The viewer is whoever signed."""

    token: str = strawberry.field(
        description="Goes into `Authorization: Bearer …`, or into `authorization` of connection_init's payload."
    )
    expires_at: DateTime = strawberry.field(description="When the session ends.")
    viewer: User = strawberry.field(description="Who is signed in.")

    @classmethod
    def of(cls, context: Context, session: Session) -> SignInSuccess:
        """The new session."""
        return cls(
            token=session.token,
            expires_at=DateTime(session.expires_at),
            viewer=User.of(context, session.address),
        )


SignInResult = Annotated[
    SignInSuccess | InvalidInput | SignInRefused,
    strawberry.union("SignInResult", description="A session, or why there is none."),
]


@strawberry.type
class SignInMutation:
    """Field of Mutation."""

    @resolved(
        "Sign in with a signed challenge. The session holds at once on every replica; a challenge gives "
        "one session, and a refused attempt uses nothing up."
    )
    async def sign_in(
        self, info: Info, input: Annotated[SignInInput, strawberry.argument(description="The signed challenge.")]
    ) -> SignInResult:
        outcome = await info.context.sign_in.sign_in(input.wallet, input.signed_message, input.signature)
        if isinstance(outcome, Refusal):
            return await problem_of(info.context, outcome)  # type: ignore[return-value]  # SignInRefused
        return SignInSuccess.of(info.context, outcome)
