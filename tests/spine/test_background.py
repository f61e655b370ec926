"""What runs in the background neither dies of one bad thing, nor passes over it in silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chorale.announcements import Announcements
from chorale.boundaries import Boundaries
from chorale.checking.findings import Checked
from chorale.domain.boundaries import BoundaryName
from chorale.domain.chain import AccountData, AccountsRead, SlotTick
from chorale.domain.conflict import Conflict, ConflictCause, ConflictKind, ConflictRecord, Settlement
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.events import TransactionRecord
from chorale.domain.projection import ThreadProgress
from chorale.domain.updates import Authority
from chorale.limits import Limits
from chorale.process import house
from chorale.process.verification_report import AGREED, NOT_CHECKED, exit_code
from chorale.projection.forks import ForkWatch
from chorale.projection.inbox import Inbox, pump
from chorale.projection.progress import ChainProgress
from chorale.projection.pulse import Pulse
from chorale.reconcile import Reconciler
from chorale.reconciliation.accounts import read_owned
from chorale.reconciliation.conflict_log import ConflictLog
from chorale.settings import Settings
from datasources.guard.heartbeat import Heartbeat
from datasources.metrics import PrometheusMeasures
from tests.patience import PATIENCE

PROGRAM = "Vote111111111111111111111111111111111111111"
THREAD = "ab" * 32


async def _nothing(*_args: Any) -> Any:
    return ()


async def test_two_looks_for_forks() -> None:
    """A look that began on a lost connection and that of the next hand a thread over once."""
    handed: list[Conflict] = []
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def slot(_commitment: object) -> int:
        return 100

    async def accounts(addresses: list[str], **_options: object) -> AccountsRead:
        return AccountsRead(100, (None,) * len(addresses))

    async def progress(_thread_id: str) -> ThreadProgress:
        return ThreadProgress(0 if handed and go_on.is_set() else 5, 50)

    async def cursor() -> None:
        return None

    async def settle(conflict: Conflict) -> ConflictRecord:
        handed.append(conflict)
        entered.set()
        await go_on.wait()
        return ConflictRecord(1, 0.0, conflict, Settlement.RESOLVED, "", 0.0)

    chain: Any = SimpleNamespace(program_id=PROGRAM, slot=slot, accounts=accounts)
    index: Any = SimpleNamespace(
        chain_cursor=cursor, logged=_nothing, protocol_transactions=_nothing, progress=progress
    )
    watch = ForkWatch(
        chain, index, ChainProgress(), cast("Reconciler", SimpleNamespace(settle=settle)), Announcements(10, 10)
    )
    watch.suspect([THREAD])
    first = asyncio.create_task(watch.look())
    await entered.wait()
    second = asyncio.create_task(watch.look())
    await asyncio.sleep(0)
    go_on.set()
    assert list(await first) == [THREAD]
    assert list(await second) == []
    assert len(handed) == 1


async def test_full_inbox() -> None:
    """What does not fit when a subscription ends gives way with all that came after it: the cursor never passes it."""

    async def feed() -> AsyncIterator[TransactionRecord | SlotTick]:
        for slot in (1, 2, 3):
            yield SlotTick(slot)

    inbox: Inbox = asyncio.Queue(2)
    pumping = asyncio.create_task(pump(feed(), inbox, Pulse()))
    while not inbox.full():
        await asyncio.sleep(0)
    pumping.cancel()
    await asyncio.gather(pumping, return_exceptions=True)
    assert await inbox.get() is None
    assert inbox.empty()


async def test_garbage_is_no_crash_of_reconcile() -> None:
    """An account that no program writes is a node that is away, so that its conflict is FAILED and met again."""

    async def accounts(addresses: list[str], **_options: object) -> AccountsRead:
        return AccountsRead(1, tuple(AccountData(address, PROGRAM, 1, b"junk") for address in addresses))

    chain: Any = SimpleNamespace(program_id=PROGRAM, accounts=accounts)
    with pytest.raises(AuthorityUnavailableError, match="garbage"):
        await read_owned(chain, THREAD)


class Broken:
    """A check that meets what nobody has thought of."""

    name = BoundaryName.SOLANA_STATE

    async def whole(self) -> AsyncGenerator[Checked, None]:
        """One batch, then the end of it."""
        yield Checked(1)
        raise ValueError("unheard of")

    def sample(self, size: int) -> AsyncGenerator[Checked, None]:
        """The same."""
        return self.whole()


async def test_check_that_breaks() -> None:
    """A verification that could not look at everything says so, and never that all agrees."""
    told = Announcements(10, 10)
    boundaries = Boundaries([Broken()], cast("Reconciler", None), told, Limits())
    report = await boundaries.verify(repair=False)
    assert report.finished_at is not None
    assert exit_code(report) == NOT_CHECKED
    assert "ValueError" in report.boundaries[0].problem


class Damaged:
    """One batch of conflicts: two points, and two rows of one thread."""

    name = BoundaryName.QDRANT_CONTENT

    async def whole(self) -> AsyncGenerator[Checked, None]:
        """The batch."""
        causes = (ConflictCause.PAYLOAD_WRONG,) * 2 + (ConflictCause.INDEX_WRONG,) * 2
        conflicts = [Conflict(cause, f"Message:{at}", THREAD, "", "") for at, cause in enumerate(causes)]
        yield Checked(4, tuple(conflicts))

    def sample(self, size: int) -> AsyncGenerator[Checked, None]:
        """The same."""
        return self.whole()


async def test_conflicts_wait_together() -> None:
    """Conflicts of different points are settled at the same time, those of one thread's rows one after another."""
    together = asyncio.Barrier(3)  # both points and one row: alone, none of them would go on
    under_way: set[str] = set()

    class Waiting:
        async def resolve(self, conflict: Conflict) -> tuple[Settlement, str]:
            if conflict.cause is ConflictCause.INDEX_WRONG:
                assert not under_way & {"Message:2", "Message:3"}
            under_way.add(conflict.subject)
            if conflict.subject != "Message:3":
                async with asyncio.timeout(PATIENCE):
                    await together.wait()
            under_way.discard(conflict.subject)
            return Settlement.RESOLVED, "It was written anew."

    told, log = Announcements(10, 10), ConflictLog(10)
    reconciler = Reconciler({ConflictKind.OWNERSHIP: Waiting()}, log, told, PrometheusMeasures())
    report = await Boundaries([Damaged()], reconciler, told, Limits()).verify(repair=True)
    assert [record.conflict.subject for record in report.records] == [f"Message:{at}" for at in range(4)]
    assert exit_code(report) == AGREED


async def test_house_that_cannot_open_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose services are gone for good ends, rather than refusing everything for ever."""
    openings = 0

    @asynccontextmanager
    async def opened(*_args: object) -> AsyncIterator[Any]:
        nonlocal openings
        openings += 1
        if openings > 1:
            raise OSError("no space left on device")
        replaced = asyncio.Event()
        replaced.set()
        yield SimpleNamespace(replaced=replaced, failure=asyncio.get_running_loop().create_future())

    monkeypatch.setattr(house, "open_services", opened)
    with pytest.raises(OSError, match="no space"):
        async with house.House(Settings(), lambda _line: None).open() as failure, asyncio.timeout(PATIENCE):
            assert "no space left on device" in await failure


async def test_heartbeat_whose_answer_was_lost() -> None:
    """A number that was stored although its acknowledgement never came is not of the past."""
    kept: dict[str, bytes] = {}
    lose = False

    async def get(key: str) -> bytes | None:
        return kept.get(key)

    async def put(key: str, value: bytes, _ttl: float) -> None:
        kept[key] = value
        if lose:
            raise AuthorityUnavailableError(Authority.BACKEND, "The answer was lost.")

    sessions: Any = SimpleNamespace(get=get, put=put)
    heartbeat = Heartbeat()
    assert await heartbeat.beat(sessions) == ""
    lose = True
    with pytest.raises(AuthorityUnavailableError):
        await heartbeat.beat(sessions)
    lose = False
    assert await heartbeat.beat(sessions) == ""
    kept.clear()
    assert await heartbeat.beat(sessions) != ""
