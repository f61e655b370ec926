"""Both caches, opened for a test under a name of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from secrets import token_hex

import pytest

from chorale.domain.caching import EntityCache
from chorale.limits import Limits
from datasources.cache.entities import open_entities
from tests.redis import RunningRedis, running_redis

Opener = Callable[[Limits], AbstractAsyncContextManager[EntityCache]]


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRedis]:
    with running_redis(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(params=["memory", "redis"])
def opener(request: pytest.FixtureRequest) -> Opener:
    """Opens an empty cache."""
    url = "memory:" if request.param == "memory" else request.getfixturevalue("redis").url
    return lambda limits: open_entities(url, token_hex(8), limits)
