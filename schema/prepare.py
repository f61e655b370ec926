"""Unsigned transactions for wallets."""

from __future__ import annotations

from typing import Annotated

import strawberry

from chorale.domain import commands
from schema.problems import (
    AlreadyACoAuthor,
    AuthorityUnavailable,
    InsufficientFunds,
    InvalidInput,
    NotACoAuthor,
    NotAllowedNow,
    NotFound,
    StakeTooLow,
)
from schema.scalars import U64, Base64, DateTime, Hash, Pubkey, Version


@strawberry.input(description="Who pays for a transaction, and how much more than the least.")
class FeeOptions:
    """All optional."""

    fee_payer: Pubkey | None = strawberry.field(
        default=None, description="Pays fee and rent and must sign too; the wallet itself where left out."
    )
    priority_fee_micro_lamports: U64 | None = strawberry.field(
        default=None, description="Offered per compute unit, in millionths of a lamport."
    )

    def to_domain(self) -> commands.FeeOptions:
        """The same for the preparer."""
        return commands.FeeOptions(self.fee_payer, self.priority_fee_micro_lamports)


@strawberry.type(
    description="A transaction that lacks nothing but signatures. Keep `nonce` and `salt`: the mutation of the same "
    "name takes the salt along, and an expired transaction is prepared again with the same nonce."
)
class PreparedTransaction:
    """Never cached."""

    id: strawberry.ID = strawberry.field(description="Unique to this call.")
    transaction: Base64 = strawberry.field(description="The unsigned transaction. Sign it and send it back.")
    thread_id: Hash | None = strawberry.field(description="The thread it makes or touches.")
    content_hash: Hash | None = strawberry.field(description="The message it makes or touches; null for a thread.")
    nonce: U64 | None = strawberry.field(description="The nonce in it; null where the instruction has none.")
    salt: Hash | None = strawberry.field(description="The salt that the text is hashed with; null where there is none.")
    expected_version: Version | None = strawberry.field(
        description="The thread's version when this was prepared. For information: later changes do not spoil it."
    )
    fee_payer: Pubkey = strawberry.field(description="Who pays, and must sign first.")
    fee_lamports: U64 = strawberry.field(description="The network's fee, priority included.")
    rent_lamports: U64 = strawberry.field(description="What new or grown accounts take beside the fee.")
    compute_unit_limit: int = strawberry.field(description="The most that it may consume.")
    block_height: U64 = strawberry.field(description="The chain's block height now.")
    last_valid_block_height: U64 = strawberry.field(description="It cannot land above this block height.")
    expires_at: DateTime = strawberry.field(description="About when that will be.")

    @classmethod
    def of(cls, prepared: commands.PreparedTransaction) -> PreparedTransaction:
        """The transaction as the preparer made it."""
        return cls(
            id=strawberry.ID(prepared.id),
            transaction=Base64(prepared.transaction),
            thread_id=None if prepared.thread_id is None else Hash(prepared.thread_id),
            content_hash=None if prepared.content_hash is None else Hash(prepared.content_hash),
            nonce=None if prepared.nonce is None else U64(prepared.nonce),
            salt=None if prepared.salt is None else Hash(prepared.salt),
            expected_version=None if prepared.expected_version is None else Version(prepared.expected_version),
            fee_payer=Pubkey(prepared.fee_payer),
            fee_lamports=U64(prepared.fee_lamports),
            rent_lamports=U64(prepared.rent_lamports),
            compute_unit_limit=prepared.compute_unit_limit,
            block_height=U64(prepared.block_height),
            last_valid_block_height=U64(prepared.last_valid_block_height),
            expires_at=DateTime(prepared.expires_at),
        )


PrepareResult = Annotated[
    PreparedTransaction
    | InvalidInput
    | NotACoAuthor
    | AlreadyACoAuthor
    | StakeTooLow
    | InsufficientFunds
    | NotFound
    | NotAllowedNow
    | AuthorityUnavailable,
    strawberry.union("PrepareResult", description="A transaction to sign, or why there is none."),
]
