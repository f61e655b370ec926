"""What is awaited instead of asked: confirmations, and the program's transactions as they happen."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress

from chorale.domain.chain import AccountChange, Commitment, SignatureStatus, SlotTick
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.events import FeedItem
from datasources.solana import decode
from datasources.solana.pubsub import Inbox, Notification, SharedSocket, Socket, open_socket
from datasources.solana.rpc import unavailable, well_formed

_log = logging.getLogger(__name__)

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


async def live_feed(
    ws_url: str,
    program_id: str,
    slot: Callable[[], Awaitable[int]],
    block_time: Callable[[int], Awaitable[int]],
    *,
    accounts: bool,
) -> AsyncGenerator[FeedItem, None]:
    """Transactions that mention the program, slot ticks and, where wanted and offered, its accounts, on one socket; the
    first tick once all subscriptions stand. Raises AuthorityUnavailableError where the connection is lost or falls
    silent."""
    async with open_socket(ws_url) as socket:
        inbox: Inbox = asyncio.Queue(_MOST)
        await socket.subscribe("slotSubscribe", [], inbox)
        if accounts:
            await _subscribe_accounts(socket, program_id, inbox)
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
            with well_formed():
                item = await _item(notification, program_id, block_time)
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


async def _subscribe_accounts(socket: Socket, program_id: str, inbox: Inbox) -> None:
    try:
        await socket.subscribe("programSubscribe", [program_id, {**_CONFIRMED, "encoding": "base64"}], inbox)
    except AuthorityUnavailableError as error:
        if socket.lost:
            raise
        _log.info("Accounts are read where they could be heard, since the node does not tell them: %s", error)


async def _item(notification: Notification, program_id: str, block_time: Callable[[int], Awaitable[int]]) -> FeedItem:
    result = notification.result
    match notification.method:
        case "slotNotification":
            return SlotTick(decode.slot(result["slot"]))
        case "programNotification":
            value = result["value"]
            account = decode.account(decode.text(value["pubkey"]), value["account"])
            if account is None:
                raise ValueError("An account is missing.")
            return AccountChange(decode.slot(result["context"]["slot"]), account)
    at, value = decode.slot(result["context"]["slot"]), result["value"]
    signature = decode.text(value["signature"])
    return decode.transaction_record(signature, at, await block_time(at), value["err"], value["logs"], program_id)


async def _settled(status: Callable[[], Awaitable[SignatureStatus | None]]) -> SignatureStatus | None:
    try:
        found = await status()
    except AuthorityUnavailableError:
        return None  # asked again until the time is up
    return found if found is not None and found.commitment is not Commitment.PROCESSED else None
