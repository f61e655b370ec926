"""The type Mutation, with and without what only an embedded chain offers."""

from __future__ import annotations

import strawberry

from resolvers.mutations.cancel_message import CancelMessageMutation
from resolvers.mutations.cast_vote import CastVoteMutation
from resolvers.mutations.claim_escrow import ClaimEscrowMutation
from resolvers.mutations.configure import ConfigureMutation
from resolvers.mutations.confirm_ui_state import ConfirmUiStateMutation
from resolvers.mutations.create_thread import CreateThreadMutation
from resolvers.mutations.dev_advance_clock import DevAdvanceClockMutation
from resolvers.mutations.dev_sign import DevSignMutation
from resolvers.mutations.dev_sign_in import DevSignInMutation
from resolvers.mutations.dev_wallet import DevWalletMutation
from resolvers.mutations.divest import DivestMutation
from resolvers.mutations.expire_message import ExpireMessageMutation
from resolvers.mutations.post_message import PostMessageMutation
from resolvers.mutations.refund_stake import RefundStakeMutation
from resolvers.mutations.resolve_message import ResolveMessageMutation
from resolvers.mutations.restore_content import RestoreContentMutation
from resolvers.mutations.sign_in import SignInMutation
from resolvers.mutations.sign_in_challenge import SignInChallengeMutation
from resolvers.mutations.sign_out import SignOutMutation
from resolvers.mutations.submit_message import SubmitMessageMutation
from resolvers.mutations.sweep_thread import SweepThreadMutation
from resolvers.mutations.verify_boundaries import VerifyBoundariesMutation
from resolvers.mutations.withdraw_treasury import WithdrawTreasuryMutation

_DESCRIPTION = (
    "Changes. Those of the chain take a transaction that the wallet has signed (see `prepare`), update the authority "
    "first, await its confirmation, bring everything derived along and read all of it back before they answer."
)


@strawberry.type(description=_DESCRIPTION)
class Mutation(
    SignInChallengeMutation,
    SignInMutation,
    SignOutMutation,
    CreateThreadMutation,
    PostMessageMutation,
    SubmitMessageMutation,
    CastVoteMutation,
    CancelMessageMutation,
    ClaimEscrowMutation,
    RefundStakeMutation,
    DivestMutation,
    SweepThreadMutation,
    ExpireMessageMutation,
    ResolveMessageMutation,
    RestoreContentMutation,
    ConfigureMutation,
    WithdrawTreasuryMutation,
    VerifyBoundariesMutation,
    ConfirmUiStateMutation,
):
    """On any chain."""


@strawberry.type(name="Mutation", description=_DESCRIPTION)
class EmbeddedMutation(
    Mutation,
    DevWalletMutation,
    DevSignInMutation,
    DevSignMutation,
    DevAdvanceClockMutation,
):
    """On the embedded chain."""


def mutation_type(*, embedded: bool) -> type:
    """The type Mutation of a schema."""
    return EmbeddedMutation if embedded else Mutation
