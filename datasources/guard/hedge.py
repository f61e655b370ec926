"""Hedged calls: where an answer does not come, the same is asked once more beside it, and the first answer is taken.

A connection that hangs looks like an authority that is slow until its time is over. Whoever asks again beside it loses
the silence before, not the whole time; whoever is merely slow answers the first of them all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from chorale.domain.errors import AuthorityUnavailableError

T = TypeVar("T")


@dataclass
class Hedge:
    """How many calls beside others are under way for one part, and how many may be: a part that is slow throughout must
    not be asked everything twice."""

    most: int
    under_way: int = 0

    async def call(
        self, call: Callable[[], Awaitable[T]], *, patience: float, times: int, silent: Callable[[float], None]
    ) -> T:
        """The first answer of up to `times` equal calls, each begun after another `patience` seconds of silence, which
        `silent` is told of; if all that were begun fail, the last failure. A refusal is an answer too: the others could
        only say the same, later than the caller's time allows."""
        beside = 0
        calls = {asyncio.ensure_future(call())}
        try:
            while True:
                more = beside < times - 1
                answered, calls = await asyncio.wait(
                    calls, timeout=patience if more else None, return_when=asyncio.FIRST_COMPLETED
                )
                for one in answered:
                    if _is_answer(one.exception()):
                        return one.result()
                if answered and not calls:
                    return answered.pop().result()
                if not answered:
                    silent(patience)
                    if self.under_way < self.most:
                        beside, self.under_way = beside + 1, self.under_way + 1
                        calls.add(asyncio.ensure_future(call()))
        finally:
            self.under_way -= beside
            for one in calls:
                one.cancel()
            await asyncio.gather(*calls, return_exceptions=True)


def _is_answer(error: BaseException | None) -> bool:
    return not isinstance(error, AuthorityUnavailableError) or error.refused
