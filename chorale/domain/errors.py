"""Errors that cross rooms. The docstring of each class is its message; `code` is stable and read by clients."""

from __future__ import annotations

from chorale.domain.updates import Authority


class ChoraleError(Exception):
    """Something went wrong."""

    code = "INTERNAL"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or self.code).strip())


class InvalidInputError(ChoraleError):
    """The input is malformed."""

    code = "INVALID_INPUT"

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class UnauthenticatedError(ChoraleError):
    """Sign in first: run signInChallenge and signIn, then send the token as `Authorization: Bearer …`."""

    code = "UNAUTHENTICATED"


class ForbiddenError(ChoraleError):
    """This is not yours to see or do."""

    code = "FORBIDDEN"


class NotFoundError(ChoraleError):
    """There is no such thing, or none that you may see."""

    code = "NOT_FOUND"


class StaleReadError(ChoraleError):
    """The thread kept changing while it was read, three times in a row. Ask again."""

    code = "STALE_READ"


class ExecutionTimeoutError(ChoraleError):
    """The query took too long and was given up. Ask for less, or ask again later."""

    code = "TIMEOUT"


class VersionNotReachedError(ChoraleError):
    """This replica has not reached minVersion in time. Ask again, or check that the version exists."""

    code = "VERSION_NOT_REACHED"


class AuthorityUnavailableError(ChoraleError):
    """An authority could not be reached. Try again shortly."""

    code = "AUTHORITY_UNAVAILABLE"

    def __init__(self, authority: Authority, message: str | None = None, *, refused: bool = False) -> None:
        """`refused`: it is well and did not take this very request, which says nothing about the next one."""
        super().__init__(message or f"{authority.value} could not be reached. Try again shortly.")
        self.authority = authority
        self.refused = refused


class MinimumSlotNotReachedError(ChoraleError):
    """The RPC node has not reached the slot that the read asks for."""

    code = "MINIMUM_SLOT_NOT_REACHED"


class StartupError(ChoraleError):
    """The process cannot start as configured."""

    code = "STARTUP"


class IndexDivergedError(ChoraleError):
    """The index cannot take this change as it stands: its tree of published messages would not match the chain's."""

    code = "INDEX_DIVERGED"
