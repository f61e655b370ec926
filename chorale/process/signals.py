"""SIGINT and SIGTERM as a polite request, the second one as an impatient one."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def on_signals(handle: Callable[[], None]) -> Iterator[None]:
    """Call `handle` on every SIGINT and SIGTERM for the length of the block. Needs a running event loop."""
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, handle)
    try:
        yield
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
