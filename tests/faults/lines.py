"""The wires of a server that break on demand: to RPC, PubSub, Qdrant and Redis, each through a proxy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from tests.chains import RunningChain, running_localnet
from tests.faults.proxy import Proxy, running_proxy
from tests.faults.world import Options
from tests.qdrant.rest import running_qdrant


@dataclass(frozen=True)
class Lines:
    """`direct` is the chain past the proxies, `through` as the server reaches it; `redis` is None with memory, `qdrant`
    with the embedded engine."""

    direct: RunningChain
    rpc: Proxy
    pubsub: Proxy
    redis: Proxy | None
    qdrant: Proxy | None

    @property
    def through(self) -> RunningChain:
        """The chain as the server reaches it."""
        return replace(self.direct, rpc_url=self.rpc.url, ws_url=self.pubsub.ws_url)

    @property
    def environ(self) -> dict[str, str]:
        """Settings of a server on these lines, beside its chain."""
        redis = {} if self.redis is None else {"CHORALE_CACHE_URL": f"redis://127.0.0.1:{self.redis.port}/0"}
        return redis if self.qdrant is None else {**redis, "CHORALE_CONTENT_URL": self.qdrant.url}


@contextmanager
def proxied(options: Options, name: str, *, content: bool = False) -> Iterator[Lines]:
    """Proxies to the run's cluster, or to an embedded chain that runs by itself for the length of the block; and, with
    `content`, to Qdrant's REST interface."""
    with ExitStack() as stack:
        direct = options.cluster
        if direct is None:
            folder = options.folder / f"{name}-chain"
            folder.mkdir()
            direct = stack.enter_context(running_localnet(folder))
        rpc = stack.enter_context(running_proxy(_port(direct.rpc_url)))
        pubsub = stack.enter_context(running_proxy(_port(direct.ws_url)))
        redis = stack.enter_context(running_proxy(options.redis.port)) if options.redis is not None else None
        qdrant = None
        if content:
            qdrant = stack.enter_context(running_proxy(_port(stack.enter_context(running_qdrant()).address)))
        yield Lines(direct, rpc, pubsub, redis, qdrant)


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port
