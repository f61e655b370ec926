"""A headless Chromium, driven through its DevTools protocol: one page, its requests, its sockets."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import shutil
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.patience import PATIENCE

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-port=0",
    "--window-size=1600,1400",
)  # fmt: skip
_START = 30.0
_STEP = 20.0

Json = dict[str, Any]


def chromium() -> str:
    """The browser's path; skips the test where there is none."""
    for name in _NAMES:
        if (path := shutil.which(name)) is not None:
            return path
    pytest.skip("chromium is missing: install it")


class Page:
    """One page. `requests` are addresses that it asked for, `answers` bodies of GraphQL over HTTP, in order; `frames`
    what its sockets received."""

    def __init__(self, socket: ClientConnection) -> None:
        self.requests: list[str] = []
        self.answers: list[Json] = []
        self.frames: list[Json] = []
        self._socket = socket
        self._numbers = itertools.count(1)
        self._calls: dict[int, asyncio.Future[Json]] = {}
        self._posts: set[str] = set()
        self._reading: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Read until the browser ends."""
        async for text in self._socket:
            message = json.loads(text)
            if "id" in message:
                self._calls.pop(message["id"]).set_result(message)
            elif (handler := getattr(self, "_on_" + message["method"].replace(".", "_"), None)) is not None:
                handler(message["params"])

    async def call(self, method: str, **params: Any) -> Json:
        """One call of the protocol; its error fails the test."""
        number = next(self._numbers)
        future = self._calls[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        answer = await asyncio.wait_for(future, _STEP)
        assert "error" not in answer, (method, answer)
        result: Json = answer["result"]
        return result

    async def evaluate(self, script: str) -> Any:
        """The value of a script; an exception in it fails the test."""
        result = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def until(self, script: str, what: str) -> Any:
        """The first true value of a script."""
        deadline = time.monotonic() + _STEP
        while not (value := await self.evaluate(script)):
            assert time.monotonic() < deadline, f"{what} did not come"
            await asyncio.sleep(0.05)
        return value

    async def answer(self, number: int) -> Json:
        """The GraphQL answer of that number, from 0, once it is there."""
        async with asyncio.timeout(_STEP):
            while len(self.answers) <= number:
                await asyncio.sleep(0.02)
        return self.answers[number]

    async def screenshot(self, path: Path) -> None:
        """A picture of the page as PNG."""
        path.write_bytes(base64.b64decode((await self.call("Page.captureScreenshot"))["data"]))

    def _on_Network_requestWillBeSent(self, params: Json) -> None:
        self.requests.append(params["request"]["url"])
        if params["request"]["method"] == "POST":
            self._posts.add(params["requestId"])

    def _on_Network_webSocketCreated(self, params: Json) -> None:
        self.requests.append(params["url"])

    def _on_Network_webSocketFrameReceived(self, params: Json) -> None:
        self.frames.append(json.loads(params["response"]["payloadData"]))

    def _on_Network_loadingFinished(self, params: Json) -> None:
        if params["requestId"] in self._posts:
            task = asyncio.create_task(self._keep(params["requestId"]))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)

    async def _keep(self, request: str) -> None:
        body = await self.call("Network.getResponseBody", requestId=request)
        self.answers.append(json.loads(body["body"]))


@asynccontextmanager
async def open_page(folder: Path) -> AsyncIterator[Page]:
    """An empty page of a browser of its own, which keeps its profile in `folder` and ends with the block."""
    profile = folder / "profile"
    command = [chromium(), *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
    with (folder / "chromium.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        port = await _port(profile / "DevToolsActivePort", process)
        async with httpx.AsyncClient(trust_env=False, verify=False) as http:
            targets = (await http.get(f"http://127.0.0.1:{port}/json/list")).json()
        target = next(each for each in targets if each["type"] == "page")
        async with connect(target["webSocketDebuggerUrl"], max_size=None, proxy=None) as socket:
            page = Page(socket)
            running = asyncio.create_task(page.run())
            for domain in ("Page", "Runtime", "Network"):
                await page.call(f"{domain}.enable")
            yield page
            running.cancel()
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(PATIENCE)


async def _port(file: Path, process: subprocess.Popen[bytes]) -> int:
    deadline = time.monotonic() + _START
    while time.monotonic() < deadline:
        assert process.poll() is None, f"chromium ended with {process.returncode}"
        with suppress(FileNotFoundError, ValueError, IndexError):
            return int(file.read_text().splitlines()[0])
        await asyncio.sleep(0.05)
    raise AssertionError("chromium did not start in time")
