"""`chorale serve`: own the data directory, take the port, then serve until told to stop."""

from __future__ import annotations

import gc

from chorale.process.data_directory import own
from chorale.process.http_server import listen
from chorale.process.output import Say
from chorale.settings import Settings


async def serve(settings: Settings, say: Say, announce: Say) -> int:
    """Serve until SIGINT or SIGTERM (0), or until a part fails for good (1). Raises StartupError.

    `say` takes progress, `announce` the address once everything is there.
    """
    # In this order, so that a second server learns where the first is rather than that a port is taken.
    with own(settings.data, "chorale serve") as ownership, listen(settings.host, settings.port) as listener:
        gc.disable()  # what imports make stays: searching it for garbage, now or ever after, finds nothing
        try:
            from chorale.process.server_run import ServerRun  # seconds of imports, which a refusal must not wait for
        finally:
            gc.freeze()
            gc.enable()
        settings = settings.with_port(listener.getsockname()[1])
        return await ServerRun(settings, ownership, listener, say, announce).run()
