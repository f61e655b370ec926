"""The pulse of a subscription: slots that advance. Without them an open socket says nothing."""

from __future__ import annotations

import asyncio

from chorale.domain.errors import AuthorityUnavailableError, ChoraleError
from chorale.domain.ports import Chain
from chorale.domain.updates import Authority

_LOOKS = 10  # within the time after which silence is a stall
_SLOT = 0.4  # s that a slot lasts
_GRACE = 1.0  # s for ticks that are on their way


class Pulse:
    """The newest slot that the subscription told of, and when. `waiting` while a notification waits for its reader."""

    def __init__(self) -> None:
        self.slot = 0
        self.heard_at = asyncio.get_running_loop().time()
        self.waiting = False

    def beat(self, slot: int) -> None:
        """A slot was told. One that is not new is no sign of life."""
        if slot > self.slot:
            self.slot = slot
            self.heard_at = asyncio.get_running_loop().time()

    def wait(self, waiting: bool) -> None:
        """Whether the subscription now waits for its reader: silence counts anew from the end of that."""
        if self.waiting and not waiting:
            self.heard_at = asyncio.get_running_loop().time()
        self.waiting = waiting

    @property
    def silence(self) -> float:
        """Seconds without a new slot."""
        return 0.0 if self.waiting else asyncio.get_running_loop().time() - self.heard_at

    @property
    def newest(self) -> int:
        """The slot that the chain is likely at by now."""
        return self.slot + int(self.silence / _SLOT)


async def watch_pulse(pulse: Pulse, chain: Chain, *, stall: float, behind: int) -> None:
    """Raises AuthorityUnavailableError once no new slot has come for `stall` seconds, or the node's own slot is more
    than `behind` ahead of what the subscription tells; never returns."""
    look = 0
    while True:
        await asyncio.sleep(stall / _LOOKS)
        if pulse.silence > stall:
            raise AuthorityUnavailableError(
                Authority.SOLANA, f"The subscription has told of no new slot for {pulse.silence:.1f} s."
            )
        look += 1
        if look % (_LOOKS // 2) == 0 and not pulse.waiting:
            await _compare(pulse, chain, behind)


async def _compare(pulse: Pulse, chain: Chain, behind: int) -> None:
    try:
        slot = await chain.slot()
    except ChoraleError:
        return  # the node's reads are away, which others notice; the subscription may be well
    if slot - pulse.slot <= behind:
        return
    await asyncio.sleep(_GRACE)
    if slot - pulse.slot > behind and not pulse.waiting:
        raise AuthorityUnavailableError(
            Authority.SOLANA, f"The subscription is {slot - pulse.slot} slots behind the node's reads."
        )
