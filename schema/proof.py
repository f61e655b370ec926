"""Proof that a message is published: a path in the thread's Merkle tree."""

from __future__ import annotations

import strawberry

from schema.scalars import Hash, Pubkey, Slot


@strawberry.type(
    description="Shows that a message is among the published ones of its thread. Fold `leaf` with `path`, level by "
    "level: where bit k of `leafIndex` is 0 the running hash is the left one, node = sha256(0x01 ‖ left ‖ right). "
    "The result equals `root`, and `root` equals the content root in the account `account` on chain."
)
class ContentProof:
    """Root and count come from one read of the thread's account, the path from the index."""

    root: Hash = strawberry.field(description="The thread's content root as the account held it.")
    leaf: Hash = strawberry.field(description="sha256(0x00 ‖ contentHash).")
    leaf_index: int = strawberry.field(description="The message's number among the published ones, from 0.")
    path: list[Hash] = strawberry.field(description="Exactly 20 sibling hashes, from the leaf upwards.")
    account: Pubkey = strawberry.field(description="The account on chain that holds the root.")
    slot: Slot = strawberry.field(description="The slot at which the root was read.")
