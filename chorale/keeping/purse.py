"""What the keeper has to spend and may spend: its fee payer's balance, and lamports per hour."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from chorale.domain.ports import Chain, SessionStore

_log = logging.getLogger(__name__)

_HOUR = 3600


class Purse:
    """Lamports of one fee payer. `budget` is per hour of the clock; what was spent is kept beside the claims, so that a
    restart does not begin anew."""

    def __init__(
        self, chain: Chain, store: SessionStore, address: str, budget: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._chain = chain
        self._store = store
        self._clock = clock
        self.address = address
        self.budget = budget
        self.lamports = 0
        self._is_read = False
        self._floor = 0
        self._reserved = 0
        self._spent = 0
        self._hour = -1
        self._is_low = self._is_exhausted = False
        self._told = -1  # the hour in which it was told last that something cannot be paid

    @property
    def spent(self) -> int:
        """Lamports spent in this hour."""
        return self._spent if self._hour == self._now() else 0

    @property
    def is_low(self) -> bool:
        """Whether the balance has not sufficed for something since it was read last."""
        return self._is_low

    @property
    def is_exhausted(self) -> bool:
        """Whether this hour's budget has not sufficed for something since the balance was read last."""
        return self._is_exhausted and self._hour == self._now()

    async def refresh(self) -> None:
        """Read the balance again; what went beyond the fees that were counted is counted too."""
        self._floor = self._floor or await self._chain.rent(0)
        (account,) = (await self._chain.accounts([self.address])).accounts
        held = 0 if account is None else account.lamports
        await self._count(max(self.lamports - held, 0) if self._is_read else 0)
        if self._is_low and held > self.lamports:
            _log.info("keeper goes on: its fee payer %s holds %d lamports", self.address, held)
            self._told = -1
        self._is_low = self._is_exhausted = False
        self.lamports, self._is_read = held, True

    def can_pay(self, lamports: int) -> bool:
        """Whether that much could be reserved now. A wallet keeps the rent-exempt minimum of an empty account."""
        if self.lamports - self._reserved - lamports < self._floor:
            self._is_low = True
            self._tell(
                f"its fee payer {self.address} holds {self.lamports} lamports and must keep {self._floor}: send it some"
            )
            return False
        if self.spent + self._reserved + lamports > self.budget:
            self._is_exhausted = True
            self._tell(f"{self.spent} of the {self.budget} lamports of this hour are spent (CHORALE_KEEPER_BUDGET)")
            return False
        return True

    def reserve(self, lamports: int) -> bool:
        """Set lamports aside for one transaction; False, and loudly so the first time, where they are not there."""
        payable = self.can_pay(lamports)
        if payable:
            self._reserved += lamports
        return payable

    async def settle(self, reserved: int, spent: int) -> None:
        """The end of a reservation: what it cost, 0 where it cost nothing."""
        self._reserved -= reserved
        self.lamports -= spent
        await self._count(spent)

    async def _count(self, spent: int) -> None:
        if self._hour != (hour := self._now()):
            before = int(await self._store.get(self._key(hour)) or 0)
            self._hour, self._spent = hour, before
        if spent:
            self._spent += spent
            await self._store.put(self._key(self._hour), str(self._spent).encode(), 2 * _HOUR)

    def _tell(self, reason: str) -> None:
        if self._told != (hour := self._now()):
            self._told = hour
            _log.error("keeper cannot pay: %s", reason)

    def _key(self, hour: int) -> str:
        return f"keeper-spent:{self.address}:{hour}"

    def _now(self) -> int:
        return int(self._clock()) // _HOUR
