"""`chorale` with short waits: `python -m tests.degraded.hasty serve`. It differs from the server itself only in how
long something is waited for: probes come often and a bad call is soon forgotten, so that recovery shows in seconds."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

from chorale.__main__ import main
from chorale.settings import Settings

SHORT = {
    "authority_probe": 1.0,
    "authority_window": 3.0,
    "breaker_pause": 0.5,
    "min_version_wait": 1.0,
    "ui_patience": 2.0,
}
"""Limits in seconds. What a call may take stays: a busy machine must not look like a slow authority."""


def hurried(settings: Settings) -> Settings:
    """The same settings with SHORT among their limits."""
    limits: Any = SHORT
    return replace(settings, limits=replace(settings.limits, **limits))


if __name__ == "__main__":
    read = Settings.from_env
    Settings.from_env = lambda environ: hurried(read(environ))  # type: ignore[method-assign, misc, assignment]
    sys.exit(main())
