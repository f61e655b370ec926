"""One Redis for all tests of this folder; each names its own lease."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.redis import running_redis


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_redis(tmp_path_factory.mktemp("redis")) as redis:
        yield redis.url
