"""The domain's enumerations as GraphQL enums, each value described."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import TypeVar

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from chorale.domain.approval import MessageStatus
from chorale.domain.availability import Health
from chorale.domain.boundaries import AnnouncementKind, BoundaryName
from chorale.domain.chain import Commitment
from chorale.domain.conflict import ConflictCause, ConflictKind, Settlement
from chorale.domain.content import ContentState, SearchMode
from chorale.domain.updates import Authority, Outcome, StepName, StepState
from chorale.keeping.duties import Duty as KeeperDuty
from chorale.keeping.report import KeeperState

E = TypeVar("E", bound=type[Enum])


class GapReason(StrEnum):
    """Why a stretch of a thread's history is gone."""

    TRIMMED = "TRIMMED"
    CHAIN_RESET = "CHAIN_RESET"
    OVERFLOW = "OVERFLOW"


class UiStanding(StrEnum):
    """How what a client shows stands to what is. UNKNOWN is said of what is absent and of what is hidden alike."""

    CURRENT = "CURRENT"
    BEHIND = "BEHIND"
    AHEAD = "AHEAD"
    UNKNOWN = "UNKNOWN"


def _describe(enum: E, name: str, description: str, values: Mapping[str, str]) -> E:
    strawberry.enum(enum, name=name, description=description)
    definition: StrawberryEnumDefinition = enum.__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = values[value.name]
    return enum


_describe(
    Commitment,
    "Commitment",
    "How sure the cluster is of what was read.",
    {
        "PROCESSED": "Seen by one node; may still be dropped.",
        "CONFIRMED": "Voted for by two thirds of the stake. What this server reads.",
        "FINALIZED": "Rooted; cannot be undone.",
    },
)
_describe(
    MessageStatus,
    "MessageStatus",
    "Where a message stands. The chain decides; only PENDING can change any more.",
    {
        "STAGED": "The bytes are kept, nothing is on chain yet. Only its author sees it.",
        "PENDING": "Submitted with a stake and open for the co-authors' votes.",
        "PUBLISHED": "Part of the thread, visible to everyone and provable.",
        "DENIED": "Every co-author denied it; the stake is shared among them.",
        "SPLIT": "The co-authors disagreed; the stake goes to the treasury.",
        "EXPIRED": "Not decided in time; the stake goes back to its author.",
        "CANCELLED": "Taken back by its author before the first vote.",
    },
)
_describe(
    ContentState,
    "ContentState",
    "Whether a text can be served. A text is only ever served after its hash has been checked.",
    {
        "AVAILABLE": "The text is there and matches its hash.",
        "MISSING": "The content store does not have the text.",
        "QUARANTINED": "What is stored no longer matches its hash, and is not served.",
        "UNAVAILABLE": "The content store is away; nothing is known to be wrong with the text.",
    },
)
_describe(
    SearchMode,
    "SearchMode",
    "How a search matches.",
    {
        "HYBRID": "By meaning and by words, fused by rank.",
        "SEMANTIC": "By meaning: the distance between embeddings.",
        "TEXT": "By words: BM25.",
    },
)
_describe(
    Authority,
    "Authority",
    "The four systems, each the authority of its own part of the state.",
    {
        "SOLANA": "Who: ownership, approvals and tokens.",
        "QDRANT": "What: texts and their vectors.",
        "BACKEND": "Sessions, caches and the index.",
        "FRONTEND": "What is on the screen.",
    },
)
_describe(
    StepName,
    "UpdateStepName",
    "The four steps of every update.",
    {
        "UPDATE_AUTHORITY": "Check, stage the text and send the transaction.",
        "AWAIT_CONFIRMATION": "Wait until the cluster has confirmed the transaction.",
        "PROPAGATE": "Carry the change into everything derived: search, index, events.",
        "VERIFY": "Read the authorities again and compare.",
    },
)
_describe(
    StepState,
    "UpdateStepState",
    "Progress of one step.",
    {
        "WAITING": "Not begun.",
        "RUNNING": "Under way.",
        "DONE": "Ended well.",
        "FAILED": "Ended badly; the detail says why.",
    },
)
_describe(
    Outcome,
    "UpdateOutcome",
    "Where an update stands.",
    {
        "RUNNING": "Not confirmed yet.",
        "CONFIRMED": "On chain for certain; propagation goes on.",
        "VERIFIED": "On chain, propagated, read back and equal. Final.",
        "DIVERGED": "On chain, but what was read back differs; repair has been told. Final.",
        "UNKNOWN": "Not seen in time. It may still land and is settled later as one of the others.",
        "REJECTED": "The program refused it; nothing has changed. Final.",
        "EXPIRED": "It never landed and never can. Final.",
    },
)
_describe(
    GapReason,
    "GapReason",
    "Why a stretch of history cannot be delivered.",
    {
        "TRIMMED": "It is no longer kept.",
        "CHAIN_RESET": "The chain itself was replaced.",
        "OVERFLOW": "The subscriber fell too far behind.",
    },
)
_describe(
    KeeperDuty,
    "KeeperDuty",
    "An instruction of the program that anybody may send.",
    {
        "EXPIRE": "Ends a message whose window has passed.",
        "RESOLVE": "Decides a message for which no vote is missing any more.",
        "REFUND": "Pays the stake of an expired or cancelled message back to its author.",
        "SWEEP": "Moves what a thread owes the treasury there.",
    },
)
_describe(
    KeeperState,
    "KeeperState",
    "Whether the keeper acts, and what keeps it from it.",
    {
        "RUNNING": "It looks for what is due and sends it.",
        "OUT_OF_FUNDS": "Its fee payer holds too few lamports. It goes on once it has been sent some.",
        "OUT_OF_BUDGET": "It has spent what it may spend in this hour.",
        "STALLED": "The chain, or the store that keepers share, is away.",
        "STOPPED": "The server is shutting down.",
    },
)
_describe(
    ConflictKind,
    "ConflictKind",
    "What kind of state disagrees with its authority, which decides how it is settled.",
    {
        "OWNERSHIP": "Who and how much: Solana's accounts are taken.",
        "CONTENT": "Texts: what Qdrant holds is taken where it matches its hash.",
        "CACHE": "Cached entities: read again from Solana and Qdrant.",
        "UI": "What a client shows: the client is told to read again.",
    },
)
_describe(
    ConflictCause,
    "ConflictCause",
    "What was found.",
    {
        "INDEX_BEHIND": "Rows of the index are older than the account.",
        "INDEX_WRONG": "Rows of the index of the same or a later version differ from the finalized account.",
        "PROTOCOL_WRONG": "Parameters or flows of the treasury are of a branch that the chain has left.",
        "PAYLOAD_BEHIND": "What a point says of its message is older than the account.",
        "PAYLOAD_WRONG": "What a point says, of the same or a later version, differs from the finalized account.",
        "CONTENT_CORRUPT": "A stored text no longer matches its hash.",
        "CONTENT_MISSING": "The chain has a hash whose text nobody has.",
        "CONTENT_ABANDONED": "A text was staged whose transaction can no longer land.",
        "CACHE_STALE": "A cached entity is older than its authority.",
        "CACHE_WRONG": "A cached entity differs from its authority at the same version.",
        "UI_BEHIND": "A client shows a version that is past.",
        "UI_AHEAD": "A client shows a version that never was.",
    },
)
_describe(
    Settlement,
    "ConflictSettlement",
    "What became of a conflict.",
    {
        "OPEN": "Reported, and left as it is.",
        "RESOLVED": "What differed was written anew from its authority.",
        "QUARANTINED": "The text is kept out of every answer until the right one is supplied.",
        "AWAITING_CONTENT": "The text is gone; whoever has it can supply it.",
        "CLIENT_TOLD": "The client was told to read again.",
        "FAILED": "It was tried and not done; the next check meets it again.",
    },
)
_describe(
    BoundaryName,
    "BoundaryName",
    "The boundary between a system's state and its authority.",
    {
        "SOLANA_STATE": "The index against Solana's accounts.",
        "QDRANT_CONTENT": "Stored texts against their hashes, and what is stored beside them against the accounts.",
        "BACKEND_CACHE": "Cached entities against what they were read from.",
        "FRONTEND_STATE": "What clients last reported to show against the chain.",
    },
)
_describe(
    AnnouncementKind,
    "BoundaryEventKind",
    "What happened at a boundary.",
    {
        "CONFLICT": "A conflict was met and settled, or left open.",
        "AUTHORITY_LOST": "An authority can no longer be used.",
        "AUTHORITY_DEGRADED": "An authority answers slowly, or with some failures.",
        "AUTHORITY_RECOVERED": "An authority can be used again.",
        "CHAIN_RESET": "The chain was replaced by another.",
        "CHAIN_FORKED": "What had been confirmed is no longer on the chain.",
        "CATCHING_UP": "Derived state is being brought up to the chain.",
        "CAUGHT_UP": "Derived state has reached the chain.",
        "LEASE_TAKEN": "This replica writes the content that all replicas share.",
        "LEASE_LOST": "This replica no longer writes the content that all replicas share.",
        "VERIFICATION_STARTED": "A complete verification began.",
        "VERIFICATION_PROGRESS": "A complete verification has come on.",
        "VERIFICATION_FINISHED": "A complete verification ended.",
    },
)
_describe(
    Health,
    "Health",
    "How an authority does, as those who call it have experienced.",
    {
        "HEALTHY": "It answers.",
        "DEGRADED": "It answers slowly, or with some failures.",
        "BEHIND": "It answers from the past. Nothing is written that depends on it.",
        "DOWN": "It does not answer. Nothing is written that depends on it.",
    },
)

_describe(
    UiStanding,
    "UiStanding",
    "How what a client shows stands to what is.",
    {
        "CURRENT": "It is the version that there is now.",
        "BEHIND": "It is past. `node` is what there is now.",
        "AHEAD": "The chain has no such version, or has it no more. `node` is what there is now.",
        "UNKNOWN": "There is no such thing, none that the viewer may see, or it has no version: drop it.",
    },
)

__all__ = [
    "AnnouncementKind",
    "Authority",
    "BoundaryName",
    "Commitment",
    "ConflictCause",
    "ConflictKind",
    "ContentState",
    "GapReason",
    "Health",
    "KeeperDuty",
    "KeeperState",
    "MessageStatus",
    "Outcome",
    "SearchMode",
    "Settlement",
    "StepName",
    "StepState",
    "UiStanding",
]
