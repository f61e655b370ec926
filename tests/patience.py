"""How long a test waits for what has to come.

It bounds a wait and judges no speed: long enough that a machine with other work is never taken for a fault. A test that
waits for something that must not come says so by a time of its own; one whose point is that something does not take
until a limit compares with that limit, or sets it beyond this.
"""

from __future__ import annotations

PATIENCE = 120.0  # s
