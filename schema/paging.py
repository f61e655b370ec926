"""Paging arguments, checked, and keyset cursors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chorale.domain.cursors import decode, encode
from chorale.domain.errors import InvalidInputError
from chorale.domain.paging import Key, KeyedRow, PageRequest
from chorale.limits import Limits


@dataclass(frozen=True, slots=True)
class Listing:
    """A list with an order of its own: the name in its cursors and the types of its key."""

    name: str
    types: Sequence[type]

    def cursor(self, row: KeyedRow) -> str:
        """The cursor at `row`."""
        return encode(self.name, row.key)

    def request(
        self,
        limits: Limits,
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        from_end: bool = False,
    ) -> PageRequest:
        """The page asked for; neither first nor last means the default from either end. Raises InvalidInputError."""
        if first is not None and last is not None:
            raise InvalidInputError("`first` and `last` exclude each other. Leave one of them out.", "last")
        if first is None and last is None:
            first, last = (None, limits.page_default) if from_end else (limits.page_default, None)
        for field, size in (("first", first), ("last", last)):
            if size is not None and not 1 <= size <= limits.page_max:
                raise InvalidInputError(f"`{field}` is {size}. Ask for 1 to {limits.page_max}.", field)
        return PageRequest(first=first, after=self._key(after, "after"), last=last, before=self._key(before, "before"))

    def _key(self, cursor: str | None, field: str) -> Key | None:
        return None if cursor is None else decode(self.name, cursor, self.types, field)
