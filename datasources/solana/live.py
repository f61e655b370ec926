"""What is awaited instead of asked: confirmations, and the program's transactions as they happen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress

from chorale.domain.chain import Commitment, SignatureStatus, SlotTick
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.events import TransactionRecord
from datasources.solana import decode
from datasources.solana.pubsub import Inbox, SharedSocket, open_socket
from datasources.solana.rpc import unavailable, well_formed

_CONFIRMED = {"commitment": Commitment.CONFIRMED.value}
_POLL = 0.5
_POLL_AFTER_NOTICE = 0.05
_SILENCE_LIMIT = 30.0
_MOST = 20_000  # notifications that wait for their reader; one that falls further behind has to catch up


async def confirmation(
    status: Callable[[], Awaitable[SignatureStatus | None]], sockets: SharedSocket, signature: str, timeout: float
) -> SignatureStatus | None:
    """Waits until `status` says confirmed or failed; None after `timeout` s.

    The subscription only wakes: what is answered is always a status read, which also carries the right slot.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + timeout
    found = await _settled(status)
    if found is not None:
        return found
    inbox: Inbox = asyncio.Queue()
    async with AsyncExitStack() as stack:
        with suppress(AuthorityUnavailableError):
            socket = await sockets.get()
            subscription = await socket.subscribe("signatureSubscribe", [signature, _CONFIRMED], inbox)
            stack.push_async_callback(socket.unsubscribe, "signatureUnsubscribe", subscription)
        pause = _POLL
        while (left := deadline - clock()) > 0:
            found = await _settled(status)
            if found is not None:
                return found
            try:
                async with asyncio.timeout(min(pause, left)):
                    notice = await inbox.get()
                pause = _POLL if notice is None else _POLL_AFTER_NOTICE
            except TimeoutError:
                continue
        return await _settled(status)


async def live_transactions(
    ws_url: str,
    program_id: str,
    slot: Callable[[], Awaitable[int]],
    block_time: Callable[[int], Awaitable[int]],
) -> AsyncGenerator[TransactionRecord | SlotTick, None]:
    """Transactions that mention the program, and slot ticks, on one socket; the first tick once both subscriptions
    stand. Raises AuthorityUnavailableError where the connection is lost or falls silent."""
    async with open_socket(ws_url) as socket:
        inbox: Inbox = asyncio.Queue(_MOST)
        await socket.subscribe("slotSubscribe", [], inbox)
        await socket.subscribe("logsSubscribe", [{"mentions": [program_id]}, _CONFIRMED], inbox)
        yield SlotTick(await slot())
        while True:
            try:
                # Not wait_for, which can swallow a cancellation on Python 3.11.
                async with asyncio.timeout(_SILENCE_LIMIT):
                    notification = await inbox.get()
            except TimeoutError as error:
                raise unavailable(f"no slot for {_SILENCE_LIMIT:.0f} s") from error
            if notification is None:
                raise unavailable("the subscription connection was lost")
            result = notification.result
            with well_formed():
                if notification.method == "slotNotification":
                    item: TransactionRecord | SlotTick = SlotTick(decode.slot(result["slot"]))
                else:
                    at, value = decode.slot(result["context"]["slot"]), result["value"]
                    item = decode.transaction_record(
                        decode.text(value["signature"]),
                        at,
                        await block_time(at),
                        value["err"],
                        value["logs"],
                        program_id,
                    )
            yield item


async def live_changes(ws_url: str, address: str) -> AsyncGenerator[int, None]:
    """Slots at which an account changed. Raises AuthorityUnavailableError where the connection is lost."""
    async with open_socket(ws_url) as socket:
        inbox: Inbox = asyncio.Queue()
        await socket.subscribe("accountSubscribe", [address, {**_CONFIRMED, "encoding": "base64"}], inbox)
        while (notification := await inbox.get()) is not None:
            with well_formed():
                slot = decode.slot(notification.result["context"]["slot"])
            yield slot
        raise unavailable("the subscription connection was lost")


async def _settled(status: Callable[[], Awaitable[SignatureStatus | None]]) -> SignatureStatus | None:
    try:
        found = await status()
    except AuthorityUnavailableError:
        return None  # asked again until the time is up
    return found if found is not None and found.commitment is not Commitment.PROCESSED else None
