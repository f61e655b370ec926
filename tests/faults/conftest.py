"""What the fault tests share."""

from __future__ import annotations

import os
import time

import pytest


@pytest.fixture
def seed() -> int:
    """Chooses everything that is random in a fault test; CHORALE_TEST_SEED repeats one."""
    seed = int(os.environ.get("CHORALE_TEST_SEED", time.time_ns() % 10**6))
    print(f"CHORALE_TEST_SEED={seed}")
    return seed
