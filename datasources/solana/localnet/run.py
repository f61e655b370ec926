"""`run_localnet`: the embedded chain as one process, from its data directory to its sockets and back."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

from datasources.solana.localnet.errors import DataInUseError
from datasources.solana.localnet.keys import localnet_folder
from datasources.solana.localnet.options import LocalnetInfo, LocalnetOptions


async def run_localnet(options: LocalnetOptions) -> None:
    """Serve the chain in `options.data` until cancelled, SIGTERM or SIGINT.

    Raises StartupError with its cure: a platform without LiteSVM, a port or data directory in use, data that does not
    hold together, a program that does not load.
    """
    # Imported here, so that a platform without the runtime is refused at this call and not at import.
    from datasources.solana.localnet.genesis import open_ledger
    from datasources.solana.localnet.server import bind_pair, serve

    with _owned(localnet_folder(options.data)), contextlib.ExitStack() as stack:
        sockets = bind_pair(options.host, options.port)
        for listener in sockets:
            stack.callback(listener.close)
        ledger, keys = open_ledger(options.data, options.program_so)
        stack.callback(ledger.store.close)
        shown = f"[{options.host}]" if ":" in options.host else options.host
        info = LocalnetInfo(
            genesis_hash=str(ledger.genesis_hash),
            program_id=str(keys.program.pubkey()),
            mint=str(keys.mint.pubkey()),
            admin=str(keys.admin.pubkey()),
            rpc_url=f"http://{shown}:{sockets[0].getsockname()[1]}",
            ws_url=f"ws://{shown}:{sockets[1].getsockname()[1]}",
        )

        def on_ready() -> None:
            if options.ready is not None:
                options.ready(info)

        with _stopped_by_signals(asyncio.current_task()):
            await serve(ledger, sockets, on_ready)


@contextlib.contextmanager
def _owned(folder: Path) -> Iterator[None]:
    """Hold the folder for this process alone; the kernel lets go of it however the process ends."""
    import fcntl  # not on Windows, which is refused before this line

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataInUseError(folder) from error
        yield


@contextlib.contextmanager
def _stopped_by_signals(task: asyncio.Task[None] | None) -> Iterator[None]:
    """SIGTERM and SIGINT end `task` quietly; other threads than the main one leave signals alone."""
    if task is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    stopped = False

    def stop() -> None:
        nonlocal stopped
        stopped = True
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        yield
    except asyncio.CancelledError:
        if not stopped:
            raise
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
