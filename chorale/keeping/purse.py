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
        self._low = self._exhausted = False

    @property
    def spent(self) -> int:
        """Lamports spent in this hour."""
        return self._spent if self._hour == self._now() else 0

    @property
    def is_low(self) -> bool:
        """Whether the balance did not suffice when something was to be paid last."""
        return self._low

    @property
    def is_exhausted(self) -> bool:
        """Whether the hour's budget did not suffice when something was to be paid last."""
        return self._exhausted and self._hour == self._now()

    async def refresh(self) -> None:
        """Read the balance again; what went beyond the fees that were counted is counted too."""
        self._floor = self._floor or await self._chain.rent(0)
        (account,) = (await self._chain.accounts([self.address])).accounts
        held = 0 if account is None else account.lamports
        await self._count(max(self.lamports - held, 0) if self._is_read else 0)
        if self._low and held > self.lamports:
            _log.info("keeper goes on: its fee payer %s holds %d lamports", self.address, held)
            self._low = False
        self.lamports, self._is_read = held, True

    def can_pay(self, lamports: int) -> bool:
        """Whether that much could be reserved now. A wallet keeps the rent-exempt minimum of an empty account."""
        low = self.lamports - self._reserved - lamports < self._floor
        if low and not self._low:
            _log.error(
                "keeper stopped: its fee payer %s holds %d lamports, too few to pay %d and keep %d; send it some",
                self.address, self.lamports, lamports, self._floor,
            )  # fmt: skip
        self._low = low
        exhausted = self.spent + self._reserved + lamports > self.budget
        if exhausted and not self.is_exhausted:
            _log.error(
                "keeper stopped until the next hour: %d of %d lamports are spent (CHORALE_KEEPER_BUDGET)",
                self.spent, self.budget,
            )  # fmt: skip
        self._exhausted = exhausted
        return not low and not exhausted

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

    def _key(self, hour: int) -> str:
        return f"keeper-spent:{self.address}:{hour}"

    def _now(self) -> int:
        return int(self._clock()) // _HOUR
