"""Settings of those who run a server: who may look behind it, and who may read its metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from chorale import setting_values as values
from chorale.keeper_settings import Read

_SHORTEST_TOKEN = 16


@dataclass(frozen=True)
class OperatorSettings:
    """`wallets` may see the boundaries and have them repaired. `metrics` None: served without a token where only this
    machine reaches the server. `metrics_token` is asked for wherever it is set."""

    wallets: frozenset[str] = frozenset()
    metrics: bool | None = None
    metrics_token: str = field(default="", repr=False)

    @classmethod
    def read(cls, read: Read) -> Self:
        """From CHORALE_OPERATORS, CHORALE_METRICS and CHORALE_METRICS_TOKEN."""
        return cls(
            wallets=read(
                "OPERATORS", cls.wallets, _keys, "wallets' addresses (32 bytes in base58), with commas between"
            ),
            metrics=read("METRICS", None, {"1": True, "0": False}.get, "1 or 0"),
            metrics_token=read("METRICS_TOKEN", "", _token, f"{_SHORTEST_TOKEN} visible ASCII characters or more"),
        )

    def serves_metrics(self, *, loopback: bool) -> bool:
        """Whether `/metrics` is there; `loopback`: only this machine reaches the server."""
        return self.metrics if self.metrics is not None else loopback or bool(self.metrics_token)


def _keys(text: str) -> frozenset[str] | None:
    keys = [values.base58_key(part.strip()) for part in text.split(",")]
    return frozenset(key for key in keys if key is not None) if None not in keys else None


def _token(text: str) -> str | None:
    visible = all("!" <= character <= "~" for character in text)
    return text if visible and len(text) >= _SHORTEST_TOKEN else None


VARIABLES = {
    "OPERATORS": "wallets that may read and repair the boundaries, with commas between (the protocol's admin alone)",
    "METRICS": "1 or 0: Prometheus metrics at /metrics (1 on loopback or with a token, else 0)",
    "METRICS_TOKEN": "bearer token that /metrics asks for; needed with CHORALE_METRICS=1 beyond loopback",
}
