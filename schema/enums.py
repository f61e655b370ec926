"""The domain's enumerations as GraphQL enums, each value described."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import TypeVar

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from chorale.domain.approval import MessageStatus
from chorale.domain.chain import Commitment
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

__all__ = [
    "Authority",
    "Commitment",
    "ContentState",
    "GapReason",
    "KeeperDuty",
    "KeeperState",
    "MessageStatus",
    "Outcome",
    "SearchMode",
    "StepName",
    "StepState",
]
