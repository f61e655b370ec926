"""What every RPC method is: a function of the ledger and its parameters, answering JSON."""

from __future__ import annotations

from collections.abc import Callable

from datasources.solana.localnet.ledger import Ledger
from datasources.solana.localnet.model import Json
from datasources.solana.localnet.params import Params

Method = Callable[[Ledger, Params], Json]

API_VERSION = "2.2.0"  # the Agave line whose runtime LiteSVM 0.5 carries


def with_context(slot: int, value: Json) -> Json:
    """`{context: {apiVersion, slot}, value}`."""
    return {"context": {"apiVersion": API_VERSION, "slot": slot}, "value": value}
