"""The embedded chain as a child process: started, watched, started again where it dies, and never left behind.

The child has its settings from its environment, as every command. Parent and child speak JSON lines over the child's
stdout: `{"progress": text}`, `{"refused": text}` and, once it answers, `{"ready": LocalnetAddress}`. The child ends
when its stdin does, so it cannot outlive a killed parent.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import chorale
from chorale.domain.errors import StartupError
from chorale.process.output import Say

SUPERVISED = "--supervised"
RESTARTS = 3
RESTART_WINDOW = 300.0
STOP_TIMEOUT = 10.0
_COMMAND = (sys.executable, "-m", "chorale", "localnet", SUPERVISED)


@dataclass(frozen=True, slots=True)
class LocalnetAddress:
    """Where the embedded chain answers, and what runs there."""

    rpc_url: str
    ws_url: str
    program_id: str
    genesis_hash: str


class LocalnetProcess:
    """The child. `failure` is set with the reason once it has died more often than it is started again."""

    def __init__(self, data: Path, rpc_port: int, say: Say, failure: asyncio.Future[str]) -> None:
        self._data = data.resolve()  # the child has another working directory
        self._rpc_port = rpc_port
        self._say = say
        self._child: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._deaths: list[float] = []
        self._ready: asyncio.Future[LocalnetAddress] = asyncio.get_running_loop().create_future()
        self._failure = failure

    async def ready(self) -> LocalnetAddress:
        """Where it answers, once it does; StartupError with its own words where it cannot."""
        return await asyncio.shield(self._ready)

    async def run(self) -> None:
        """Start the child, and start it again whenever it dies, on the same port, a few times; then give up."""
        try:
            address = await self._start(self._rpc_port)
        except StartupError as error:
            self._ready.set_exception(error)
            self._ready.exception()  # looked at: whoever would await it may have failed before
            return
        self._ready.set_result(address)
        while (ending := await self._death()) is not None:
            now = time.monotonic()
            self._deaths = [death for death in self._deaths if now - death < RESTART_WINDOW] + [now]
            if len(self._deaths) > RESTARTS:
                self._fail(f"The embedded chain ended with {ending}, for the {len(self._deaths)}th time: giving up.")
                return
            self._say(f"The embedded chain ended with {ending}; starting it again ({len(self._deaths)} of {RESTARTS}).")
            try:
                await self._start(urlsplit(address.rpc_url).port or 0)
            except StartupError as error:
                self._fail(str(error))
                return
            self._say(f"The embedded chain answers again at {address.rpc_url}.")

    async def _start(self, rpc_port: int) -> LocalnetAddress:
        child = await asyncio.create_subprocess_exec(
            *_COMMAND,
            env=os.environ | {"CHORALE_DATA": str(self._data), "CHORALE_CHAIN_RPC_PORT": str(rpc_port)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(chorale.__path__[0]).parent,
            start_new_session=True,  # Ctrl-C reaches the parent alone, which ends the child in its turn
        )
        self._child = child
        assert child.stdout is not None
        async for line in child.stdout:
            message = json.loads(line)
            if "progress" in message:
                self._say(message["progress"])
            if "refused" in message:
                await child.wait()
                raise StartupError(message["refused"])
            if "ready" in message:
                return LocalnetAddress(**message["ready"])
        raise StartupError(
            f"The embedded chain ended with {_ending(await child.wait())} before it answered; its lines above say why."
        )

    async def _death(self) -> str | None:
        """How the child ended; None where it was told to."""
        assert self._child is not None
        ending = _ending(await self._child.wait())
        return None if self._stopping.is_set() else ending

    async def stop(self) -> None:
        """End the child: politely by closing its stdin, at last by force."""
        self._stopping.set()
        child = self._child
        if child is None or child.returncode is not None:
            return
        assert child.stdin is not None
        child.stdin.close()
        try:
            await asyncio.wait_for(child.wait(), STOP_TIMEOUT)
        except TimeoutError:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()

    def _fail(self, reason: str) -> None:
        if not self._failure.done():
            self._failure.set_result(reason)


@asynccontextmanager
async def supervised_localnet(
    data: Path, rpc_port: int, say: Say, failure: asyncio.Future[str]
) -> AsyncIterator[LocalnetProcess]:
    """Run `chorale localnet` beside this process for the length of the block; `await process.ready()` before using it.

    `say` takes progress lines; `failure` is set with the reason once it is not started again.
    """
    process = LocalnetProcess(data, rpc_port, say, failure)
    running = asyncio.create_task(process.run(), name="the embedded chain")
    try:
        yield process
    finally:
        await process.stop()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
