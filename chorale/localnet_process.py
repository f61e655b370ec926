"""The embedded chain as a child process: started, watched, started again where it dies, and never left behind.

Parent and child speak JSON lines over the child's stdout: `{"progress": text}`, `{"refused": text}` and, once it
answers, `{"ready": LocalnetAddress}`. The child ends when its stdin does, so it cannot outlive a killed parent.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import chorale
from chorale.domain.errors import StartupError

SUPERVISED = "--supervised"
RESTARTS = 3
RESTART_WINDOW = 300.0
STOP_TIMEOUT = 10.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class LocalnetAddress:
    """Where the embedded chain answers, and what runs there."""

    rpc_url: str
    ws_url: str
    program_id: str
    genesis_hash: str


class LocalnetProcess:
    """A running child. `failed` is set with the reason once it has died more often than it is started again."""

    def __init__(self, command: list[str], say: Say) -> None:
        self._command = command
        self._say = say
        self._child: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._deaths: list[float] = []
        self.address: LocalnetAddress
        self.failed: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def start(self, rpc_port: int) -> None:
        """Start the child on `rpc_port` and wait until it answers; StartupError with its own words where it cannot."""
        child = await asyncio.create_subprocess_exec(
            *self._command,
            "--rpc-port",
            str(rpc_port),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(chorale.__path__[0]).parent,
            process_group=0,  # Ctrl-C reaches the parent alone, which ends the child in its turn
        )
        self._child = child
        assert child.stdout is not None
        async for line in child.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                self._say(line.decode(errors="replace").rstrip())
                continue
            if "progress" in message:
                self._say(message["progress"])
            if "refused" in message:
                await child.wait()
                raise StartupError(message["refused"])
            if "ready" in message:
                self.address = LocalnetAddress(**message["ready"])
                return
        code = await child.wait()
        raise StartupError(f"The embedded chain ended with {_ending(code)} before it answered; see its lines above.")

    async def watch(self) -> None:
        """Start the child again whenever it dies, on the same port, a few times; then give up through `failed`."""
        while not self._stopping.is_set():
            assert self._child is not None
            code = await self._child.wait()
            if self._stopping.is_set():
                return
            now = time.monotonic()
            self._deaths = [death for death in self._deaths if now - death < RESTART_WINDOW] + [now]
            ending = _ending(code)
            if len(self._deaths) > RESTARTS:
                self._fail(f"The embedded chain ended with {ending}, the {len(self._deaths)}th time; giving up.")
                return
            self._say(f"The embedded chain ended with {ending}; starting it again ({len(self._deaths)} of {RESTARTS}).")
            try:
                await self.start(urlsplit(self.address.rpc_url).port or 0)
            except StartupError as error:
                self._fail(str(error))
                return
            self._say(f"The embedded chain answers again at {self.address.rpc_url}.")

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
        if not self.failed.done():
            self.failed.set_result(reason)


@asynccontextmanager
async def supervised_localnet(data: Path, rpc_port: int, say: Say) -> AsyncIterator[LocalnetProcess]:
    """Run `chorale localnet` beside this process for the length of the block. `say` takes progress lines."""
    process = LocalnetProcess(_command(data), say)
    watching: asyncio.Task[None] | None = None
    try:
        await process.start(rpc_port)
        watching = asyncio.create_task(process.watch(), name="watch the embedded chain")
        yield process
    finally:
        await process.stop()
        if watching is not None:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


def _command(data: Path) -> list[str]:
    return [sys.executable, "-m", "chorale", "localnet", SUPERVISED, "--data", str(data.resolve())]


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
