"""Subscriptions over one WebSocket: requests, notifications to queues, and the end of the connection told to all."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from datasources.solana.rpc import unavailable

_OPEN_TIMEOUT = 5.0
_REPLY_TIMEOUT = 10.0
_MAX_MESSAGE = 16 * 1024 * 1024


class Notification(NamedTuple):
    """One notification: its method (`logsNotification`, say) and `result`."""

    method: str
    result: Any


Inbox = asyncio.Queue[Notification | None]
"""Notifications in order; None says that the connection is lost, also where its reader fell behind a bounded one."""


class Socket:
    """One open PubSub connection with its reader."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._ids = itertools.count(1)
        self._waiting: dict[int, tuple[asyncio.Future[int], Inbox | None]] = {}
        self._inboxes: dict[int, Inbox] = {}
        self._reader = asyncio.create_task(self._read(), name="solana-pubsub")
        self.lost = False

    async def subscribe(self, method: str, params: list[Any], inbox: Inbox) -> int:
        """Subscription id; notifications go to `inbox` from the first on. Raises AuthorityUnavailableError."""
        subscription: int = await self._request(method, params, inbox)
        return subscription

    async def unsubscribe(self, method: str, subscription: int) -> None:
        """Ends a subscription; one that has ended by itself is fine."""
        if self._inboxes.pop(subscription, None) is None or self.lost:
            return
        # An answer is not awaited: an error would only say that it had ended already.
        with contextlib.suppress(WebSocketException, OSError):
            await self._connection.send(_request(next(self._ids), method, [subscription]))

    async def close(self) -> None:
        """Ends reader and connection."""
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        self._end()
        await self._connection.close()

    async def _request(self, method: str, params: list[Any], inbox: Inbox) -> int:
        if self.lost:
            raise unavailable("the subscription connection is closed")
        number = next(self._ids)
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting[number] = (future, inbox)
        try:
            await self._connection.send(_request(number, method, params))
            async with asyncio.timeout(_REPLY_TIMEOUT):
                return await future
        except (WebSocketException, OSError, TimeoutError) as error:
            raise unavailable(f"{method}: {type(error).__name__}") from error
        finally:
            self._waiting.pop(number, None)

    async def _read(self) -> None:
        try:
            async for text in self._connection:
                self._dispatch(orjson.loads(text))
        except (WebSocketException, OSError, KeyError, TypeError, ValueError, AttributeError, asyncio.QueueFull):
            pass  # lost, a message of another shape, or nobody reads; told to every inbox below
        finally:
            self._end()

    def _dispatch(self, message: dict[str, Any]) -> None:
        if "method" in message:
            params = message["params"]
            inbox = self._inboxes.get(params["subscription"])
            if inbox is not None:
                # A full one raises, and that ends the connection: its reader has to catch up from elsewhere.
                inbox.put_nowait(Notification(message["method"], params["result"]))
            return
        future, inbox = self._waiting.get(message.get("id", 0), (None, None))
        if future is None or future.done():
            return
        if "result" in message:
            # Registered here, before the next message is read, so that no notification falls between.
            if inbox is not None:
                self._inboxes[message["result"]] = inbox
            future.set_result(message["result"])
        else:
            future.set_exception(unavailable(str(message.get("error"))))

    def _end(self) -> None:
        self.lost = True
        for inbox in {id(inbox): inbox for inbox in self._inboxes.values()}.values():
            if inbox.full():  # something was lost: all of it goes, so that whoever catches up begins before that
                while not inbox.empty():
                    inbox.get_nowait()
            inbox.put_nowait(None)
        self._inboxes.clear()
        for future, _ in self._waiting.values():
            if not future.done():
                future.set_exception(unavailable("the subscription connection was lost"))


class SharedSocket:
    """One socket for many short subscriptions, opened when first needed and again after a loss."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._socket: Socket | None = None
        self._lock = asyncio.Lock()

    async def get(self) -> Socket:
        """The open socket. Raises AuthorityUnavailableError."""
        async with self._lock:
            if self._socket is None or self._socket.lost:
                if self._socket is not None:
                    await self._socket.close()
                self._socket = None
                self._socket = Socket(await _connect(self._url))
            return self._socket

    async def close(self) -> None:
        """Closes what is open."""
        if self._socket is not None:
            await self._socket.close()


@asynccontextmanager
async def open_socket(url: str) -> AsyncIterator[Socket]:
    """A socket of one's own. Raises AuthorityUnavailableError where it cannot be opened."""
    socket = Socket(await _connect(url))
    try:
        yield socket
    finally:
        await socket.close()


async def _connect(url: str) -> ClientConnection:
    try:
        return await connect(
            url, open_timeout=_OPEN_TIMEOUT, close_timeout=1.0, max_size=_MAX_MESSAGE, compression=None, proxy=None
        )
    except (WebSocketException, OSError, TimeoutError) as error:
        # The host alone: paths and queries of addresses may hold keys.
        raise unavailable(f"{urlsplit(url).hostname}: {type(error).__name__}") from error


def _request(number: int, method: str, params: list[Any]) -> str:
    return orjson.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).decode()
