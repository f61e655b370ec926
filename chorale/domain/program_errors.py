"""The program's errors: numbers from 6000 as clients see them, each with an explanation that names the cure."""

from __future__ import annotations

from enum import IntEnum

FIRST_CODE = 6000


class ProgramError(IntEnum):
    """A refusal of the program. Order and numbers are frozen."""

    explanation: str

    def __new__(cls, code: int, explanation: str) -> ProgramError:
        """A member with its number as value."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.explanation = explanation
        return member

    @property
    def title(self) -> str:
        """Name in the IDL, PascalCase."""
        return _TITLES[self]

    UNAUTHORIZED = 6000, "A required signature is missing, or is not of the one who may do this. Sign with that wallet."
    INVALID_ACCOUNT = (
        6001,
        "An account is not the one that this instruction takes: wrong address, owner, type or version, or not "
        "writable. Prepare the transaction again.",
    )
    INVALID_INSTRUCTION_DATA = (
        6002,
        "The instruction's data cannot be read: unknown, too short, too long, or a boolean over 1. Prepare the "
        "transaction again.",
    )
    NOT_A_CO_AUTHOR = 6003, "Only a present co-author of the thread may do this. Submit a message to become one."
    ALREADY_A_CO_AUTHOR = 6004, "A co-author publishes without a stake. Use postMessage instead of submitMessage."
    STAKE_TOO_LOW = 6005, "The stake is below the protocol's minimum. Raise it to at least minimumStake."
    ALREADY_VOTED = 6006, "This co-author has voted on this message. A vote counts for good; nothing is left to do."
    OWN_MESSAGE = 6007, "Nobody votes on their own message. Wait for the other co-authors."
    NOT_PENDING = 6008, "The message is decided, cancelled or expired. Read it again to see its status."
    WINDOW_CLOSED = 6009, "The approval window has passed. The message can only be expired and its stake refunded."
    WINDOW_OPEN = 6010, "The approval window is still open. Try again once expiresAt has passed."
    HAS_VOTES = 6011, "A message with votes cannot be cancelled. Wait for the decision or for the window's end."
    NOTHING_OWED = 6012, "Nothing is owed here, or it has been paid. Read the account again."
    NOT_A_DENIER = 6013, "Only who voted against this message has a share of its stake. Claim with that wallet."
    ALREADY_CLAIMED = 6014, "This share has been paid out. Nothing is left to do."
    PAYOUT_TOO_LOW = 6015, "The share of the balance is below minPayout now. Read the thread again and ask for less."
    EXPIRES_TOO_LATE = (
        6016,
        "The approval window would end after maxExpiresAt. Prepare the transaction again to accept the present window.",
    )
    PARAMETER_OUT_OF_RANGE = (
        6017,
        "A parameter is out of range: the minimum stake is at least 1, the approval window 3,600 to 2,592,000 seconds.",
    )
    FREEZABLE_MINT = (
        6018,
        "The mint has a freeze authority, which could block payouts. Choose another mint, or initialize with "
        "allowFreezable.",
    )
    INVALID_DESTINATION = (
        6019,
        "The destination must be a token account of the payee for the protocol's mint, neither a vault nor the "
        "treasury, and the associated one where the payee does not sign.",
    )
    TREE_FULL = 6020, "The thread holds 2^20 published messages, its limit. Continue in a new thread."
    THREAD_FULL = 6021, "All 64 seats of the thread are taken. Try again after a co-author has left."
    MATH_OVERFLOW = 6022, "An amount or a counter would leave its range. Use a smaller amount."


_TITLES = {error: "".join(part.capitalize() for part in error.name.split("_")) for error in ProgramError}
