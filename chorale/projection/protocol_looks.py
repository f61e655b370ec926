"""When the protocol is looked at: as its transactions come, as the treasury's balance changes, and regularly."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing

from chorale.domain.errors import ChoraleError
from chorale.domain.events import TransactionRecord
from chorale.domain.ports import Chain
from chorale.projector import Projector
from programs.addresses import ProgramAddresses

_log = logging.getLogger(__name__)

_LULL = 0.2  # s for a sweep's thread to be settled first, which explains the change
_PAUSE = 10.0  # s before the treasury's changes are subscribed to again; looks come regularly anyway


class ProtocolLooks:
    """Looks at the protocol for the watcher. One that fails is made up for by the next."""

    def __init__(self, chain: Chain, projector: Projector) -> None:
        self._chain = chain
        self._lane = projector.protocol
        self._looking: asyncio.Task[None] | None = None

    def start(self, tasks: asyncio.TaskGroup, record: TransactionRecord | None = None) -> None:
        """Begin to settle a transaction that changed the protocol; without one a look, unless one is under way."""
        if record is not None:
            tasks.create_task(self._look(record), name="settle the protocol")
        elif self._looking is None or self._looking.done():
            self._looking = tasks.create_task(self._look(None), name="look at the protocol")

    async def run(self) -> None:
        """Look whenever the treasury's balance changes, until cancelled: a deposit runs no program that tells of it."""
        treasury = ProgramAddresses(self._chain.program_id).treasury()
        while True:
            try:
                async with aclosing(self._chain.account_changes(treasury)) as changes:
                    async for _ in changes:
                        await asyncio.sleep(_LULL)
                        await self._look(None)
            except ChoraleError as error:
                _log.warning("The treasury is listened to again in %.0f s: %s", _PAUSE, error)
            except Exception:  # noqa: BLE001 -- whatever it is, the regular looks do without it
                _log.exception("The treasury is listened to again in %.0f s", _PAUSE)
            await asyncio.sleep(_PAUSE)

    async def _look(self, record: TransactionRecord | None) -> None:
        try:
            if record is None:
                await self._lane.look()
            else:
                await self._lane.settle(record.signature, min_slot=record.slot, record=record)
        except ChoraleError as error:
            _log.warning("The protocol is looked at again later: %s", error)
        except Exception:  # noqa: BLE001 -- the next look may do without what stopped this one
            _log.exception("The protocol is looked at again later")
