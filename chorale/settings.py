"""Settings, read once from the environment. Nothing else in Chorale reads it; the limits have their numbers in
`chorale.limits`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self, TypeVar
from urllib.parse import urlsplit

from chorale import keeper_settings, operator_settings
from chorale import setting_values as values
from chorale.keeper_settings import KeeperSettings
from chorale.limits import Limits
from chorale.operator_settings import OperatorSettings
from chorale.setting_values import SettingError

T = TypeVar("T")


DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"


@dataclass(frozen=True)
class Settings:
    """All settings of one process. Addresses ending in `:` name the embedded default."""

    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = "http://127.0.0.1:8000"
    data: Path = Path(".chorale")
    chain_url: str = "localnet:"
    chain_ws_url: str = ""
    chain_rpc_port: int = 8899
    program_id: str = ""
    content_url: str = "file:"
    cache_url: str = "memory:"
    events_url: str = "memory:"
    embedding_model: str = DEFAULT_MODEL
    demo: bool = True
    keeper: KeeperSettings = field(default_factory=KeeperSettings)
    operators: OperatorSettings = field(default_factory=OperatorSettings)
    limits: Limits = field(default_factory=Limits)

    @property
    def embedded_chain(self) -> bool:
        """Whether `serve` starts the embedded chain itself."""
        return self.chain_url == "localnet:"

    @property
    def keeps(self) -> bool:
        """Whether `serve` runs the keeper."""
        return self.embedded_chain if self.keeper.runs is None else self.keeper.runs

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine reaches the server: by its own address, and by the one that browsers use."""
        public = urlsplit(self.public_url).hostname or ""
        return values.is_loopback(self.host) and values.is_loopback(public)

    @property
    def serves_metrics(self) -> bool:
        """Whether `/metrics` is there."""
        return self.operators.serves_metrics(loopback=self.on_loopback)

    @property
    def http_address(self) -> str:
        """Where this machine reaches the server; a wildcard host is reached on loopback."""
        return _address(self.host, self.port)

    def with_port(self, port: int) -> Self:
        """The same settings once the port is known; a public address that was not set follows it."""
        followed = self.public_url == self.http_address
        return replace(self, port=port, public_url=_address(self.host, port) if followed else self.public_url)

    @property
    def domain(self) -> str:
        """Host and port that wallets are asked to sign in to; from settings, never from a request."""
        return urlsplit(self.public_url).netloc

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read `CHORALE_*`; an unknown or wrong one raises SettingError with the variable, the value and the cure."""
        known = {f"CHORALE_{name}" for name in _VARIABLES}
        for variable in environ:
            if variable.startswith("CHORALE_") and variable not in known and not variable.startswith("CHORALE_TEST_"):
                raise SettingError(
                    variable, environ[variable], f"no such variable; known are {', '.join(sorted(known))}"
                )

        def read(name: str, default: T, parse: Callable[[str], T | None], allowed: str) -> T:
            text = environ.get(f"CHORALE_{name}", "").strip()
            if not text:
                return default
            value = parse(text)
            if value is None:
                raise SettingError(f"CHORALE_{name}", text, allowed)
            return value

        host = read("HOST", cls.host, values.host, "a host name or an address, without a port")
        port = read("PORT", cls.port, values.port, "0 to 65535 (0 takes a free port)")
        return cls(
            host=host,
            port=port,
            public_url=read(
                "PUBLIC_URL",
                _address(host, port),
                values.http,
                "an http:// or https:// address, as browsers see this server",
            ).rstrip("/"),
            data=read("DATA", cls.data, values.folder, "a folder, or the path of one to make"),
            chain_url=read(
                "CHAIN_URL", cls.chain_url, values.or_http("localnet:"), "localnet: or http(s)://host:port of an RPC"
            ),
            chain_ws_url=read("CHAIN_WS_URL", "", values.websocket, "ws:// or wss:// address of the RPC's PubSub"),
            chain_rpc_port=read(
                "CHAIN_RPC_PORT",
                cls.chain_rpc_port,
                values.rpc_port,
                "0 to 65534 (0 takes a free one; PubSub is also on the next)",
            ),
            program_id=read("PROGRAM_ID", "", values.base58_key, "a program id: 32 bytes in base58"),
            content_url=read(
                "CONTENT_URL", cls.content_url, values.or_http("file:"), "file: or http(s)://host:port of Qdrant"
            ),
            cache_url=read("CACHE_URL", cls.cache_url, values.or_redis, "memory: or redis://host:port/db"),
            events_url=read(
                "EVENTS_URL", cls.events_url, lambda t: t if t == "memory:" else None, "memory: (one replica)"
            ),
            embedding_model=read("EMBEDDING_MODEL", cls.embedding_model, lambda t: t, "a model name or a folder"),
            demo=read("DEMO", cls.demo, {"1": True, "0": False}.get, "1 or 0"),
            keeper=KeeperSettings.read(read),
            operators=OperatorSettings.read(read),
            limits=Limits(
                verification_interval=read(
                    "VERIFY_EVERY", Limits.verification_interval, values.whole, "a whole number of seconds, 0 for never"
                )
            ),
        )._checked()

    def _checked(self) -> Self:
        if self.embedded_chain:
            for variable, value in (("CHAIN_WS_URL", self.chain_ws_url), ("PROGRAM_ID", self.program_id)):
                if value:
                    raise SettingError(
                        f"CHORALE_{variable}",
                        value,
                        "only with a CHORALE_CHAIN_URL of a cluster; localnet: has its own",
                    )
        elif not self.program_id:
            raise SettingError(
                "CHORALE_PROGRAM_ID",
                "",
                "the address of the deployed program, needed with a CHORALE_CHAIN_URL of a cluster",
            )
        if self.serves_metrics and not self.on_loopback and not self.operators.metrics_token:
            raise SettingError(
                "CHORALE_METRICS_TOKEN", "", "a token of your own, needed with CHORALE_METRICS=1 beyond loopback"
            )
        if self.keeps and not self.embedded_chain and self.keeper.keypair is None:
            raise SettingError(
                "CHORALE_KEEPER_KEYPAIR", "", "the file of the keypair that pays, needed with CHORALE_KEEPER=1"
            )
        return self


_VARIABLES = {
    "HOST": "address to listen on (127.0.0.1)",
    "PORT": "port to listen on; 0 takes a free one (8000)",
    "PUBLIC_URL": "address that browsers use, and that wallets sign in to (http://HOST:PORT)",
    "DATA": "folder for everything that is kept (./.chorale)",
    "CHAIN_URL": "localnet: for the embedded chain, or http(s):// of a Solana RPC (localnet:)",
    "CHAIN_WS_URL": "ws(s):// of its PubSub (next port for http, same host for https)",
    "CHAIN_RPC_PORT": "port of the embedded chain, PubSub also on the next; 0 takes a free one (8899)",
    "PROGRAM_ID": "the deployed program on that RPC (the embedded chain has its own)",
    "CONTENT_URL": "file: for the embedded Qdrant, or http(s):// of a server (file:)",
    "CACHE_URL": "memory: for sessions in DATA, or redis:// (memory:)",
    "EVENTS_URL": "memory: for one replica (memory:)",
    "EMBEDDING_MODEL": f"model name, or the folder of one ({DEFAULT_MODEL})",
    "VERIFY_EVERY": "seconds between samples of the boundaries, which repair; 0: never (30)",
    "DEMO": "1 or 0: demo data at the first start on an embedded chain (1)",
    **keeper_settings.VARIABLES,
    **operator_settings.VARIABLES,
}


def describe_settings() -> str:
    """Every variable with its meaning and default, for `--help`."""
    lines = (f"  {'CHORALE_' + name:<24} {meaning}" for name, meaning in _VARIABLES.items())
    return "\n".join(("environment:", *lines))


def _address(host: str, port: int) -> str:
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- compared, not bound
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"
