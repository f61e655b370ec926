"""Accounts that no program writes: whoever answers with them is a node that is away, not a thread that is broken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.updates import Authority
from programs.accounts import AccountMalformed


@contextmanager
def as_away() -> Iterator[None]:
    """Decode what was read inside. Raises AuthorityUnavailableError instead of AccountMalformed, so that the cursor
    stays where it is until the node is well."""
    try:
        yield
    except AccountMalformed as error:
        raise AuthorityUnavailableError(Authority.SOLANA, f"The node answers with garbage: {error}") from error
