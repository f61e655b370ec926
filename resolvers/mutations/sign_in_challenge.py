"""signInChallenge: what a wallet is asked to sign."""

from __future__ import annotations

from typing import Annotated

import strawberry

from chorale.auth import Challenge
from chorale.context import Info
from schema.fields import resolved
from schema.scalars import DateTime, Pubkey


@strawberry.type(description="Input of the wallet standard's signIn. Times are strings, compared byte for byte.")
class SignInFields:
    """An embedded value."""

    domain: str = strawberry.field(description="Host and port that the wallet shows to its owner.")
    address: Pubkey | None = strawberry.field(description="The wallet, where the challenge names one.")
    statement: str | None = strawberry.field(description="What signing means, in words.")
    uri: str = strawberry.field(description="Address of this server.")
    version: str = strawberry.field(description="Version of the text's form.")
    chain_id: str = strawberry.field(description="The chain as wallets name it.")
    nonce: str = strawberry.field(description="Random, good once.")
    issued_at: str = strawberry.field(description="When the challenge was issued, RFC 3339.")
    expiration_time: str = strawberry.field(description="When it ends, RFC 3339.")


@strawberry.type(description="A challenge: sign it and send it to signIn. Good once, for five minutes.")
class SignInChallenge:
    """The same content twice: as fields and as text."""

    input: SignInFields = strawberry.field(description="Feeds the wallet standard's signIn.")
    message: str | None = strawberry.field(
        description="The same as text, for wallets that only sign messages; null where no wallet was named."
    )
    expires_at: DateTime = strawberry.field(description="When the challenge ends.")

    @classmethod
    def of(cls, challenge: Challenge) -> SignInChallenge:
        """The challenge as issued."""
        fields = challenge.input
        return cls(
            input=SignInFields(
                domain=fields.domain,
                address=None if fields.address is None else Pubkey(fields.address),
                statement=fields.statement,
                uri=fields.uri,
                version=fields.version,
                chain_id=fields.chain_id,
                nonce=fields.nonce,
                issued_at=fields.issued_at,
                expiration_time=fields.expiration_time,
            ),
            message=challenge.message,
            expires_at=DateTime(challenge.expires_at),
        )


@strawberry.type
class SignInChallengeMutation:
    """Field of Mutation."""

    @resolved("Begin to sign in with Solana. Every call gives a new challenge and keeps the earlier ones open.")
    async def sign_in_challenge(
        self,
        info: Info,
        wallet: Annotated[
            Pubkey | None, strawberry.argument(description="The wallet that will sign; leave out to let it choose.")
        ] = None,
    ) -> SignInChallenge:
        return SignInChallenge.of(await info.context.sign_in.challenge(wallet))
