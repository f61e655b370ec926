"""What stands at a thread's address before the program made its account there is not taken for a thread."""

from __future__ import annotations

from typing import Any

import pytest

from chorale.domain.chain import AccountData, AccountsRead, Commitment, SignatureStatus
from chorale.domain.errors import AuthorityUnavailableError, StaleReadError
from chorale.domain.events import ProgramEvent, TransactionRecord
from chorale.projection.thread_names import threads_of
from chorale.update.late import LateUpdates
from programs.addresses import SYSTEM_PROGRAM, TOKEN_PROGRAM

THREAD = "SysvarC1ock11111111111111111111111111111111"
RECORD = TransactionRecord("signature", 5, 0, True, (ProgramEvent("Swept", THREAD, 1, 0, {"amount": 1}),))


class LaggingChain:
    """A node that has the thread's event, and at its address only lamports that somebody sent there."""

    program_id = TOKEN_PROGRAM

    async def accounts(self, addresses: list[str], *, min_context_slot: int) -> AccountsRead:
        return AccountsRead(min_context_slot, tuple(AccountData(at, SYSTEM_PROGRAM, 1, b"") for at in addresses))

    async def status(self, signature: str, *, search_history: bool) -> SignatureStatus:
        return SignatureStatus(5, None, Commitment.CONFIRMED)

    async def transaction(self, signature: str) -> TransactionRecord:
        return RECORD


class Nothing:
    """An index and a log of updates that know nothing."""

    async def thread_id_at(self, address: str) -> None:
        return None

    async def kept(self, signature: str) -> None:
        return None


async def test_the_watcher_waits_for_the_account() -> None:
    """The name of a thread is read from the program's account alone."""
    chain: Any = LaggingChain()
    index: Any = Nothing()
    with pytest.raises(AuthorityUnavailableError):
        await threads_of(RECORD, chain, index)


async def test_an_update_from_the_chain_waits_for_the_account() -> None:
    """So is the thread of an update that did not come through this server."""
    chain: Any = LaggingChain()
    log: Any = Nothing()
    finish: Any = None
    with pytest.raises(StaleReadError):
        await LateUpdates(chain, log, finish).find(RECORD.signature)
