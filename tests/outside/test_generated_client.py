"""The generated TypeScript client reads every account and event type, and finds in each what Python's clients do."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from pathlib import Path
from typing import Any

from solders.keypair import Keypair

from programs import coders
from programs.events import events_in
from programs.interface import ACCOUNTS, EVENTS
from tests.chains import RunningChain
from tests.outside.node import run
from tests.program.anchor import assert_decoded_alike, plain
from tests.vectors.make_events import camel


async def test_kit_and_anchorpy_read_every_account_and_event(client: Path, chain: RunningChain) -> None:
    """A thread's life, made by kit with the generated builders, is decoded alike by kit, anchorpy and this client."""
    wallets = {"ADMIN": chain.admin, "ADA": Keypair(), "BEN": Keypair(), "CAL": Keypair()}
    environ = {"RPC_URL": chain.rpc_url, "WS_URL": chain.ws_url, "PROGRAM_ID": chain.program_id, "MINT": chain.mint}
    for name, keypair in wallets.items():
        address = str(keypair.pubkey())
        environ[name] = keypair.secret().hex()
        environ[f"{name}_TOKENS"] = chain.addresses.associated_token_account(address, chain.mint)
        await chain.fund(address)
    read = await asyncio.to_thread(run, client / "dist" / "test" / "chain" / "every_type.js", **environ)

    for account in read["accounts"]:
        found = await chain.rpc("getAccountInfo", account["address"], {"encoding": "base64", "commitment": "confirmed"})
        data = b64decode(found["value"]["data"][0])
        assert_decoded_alike(account["address"], data)
        anchors = coders.accounts_coder().decode(data)
        assert type(anchors).__name__ == account["type"]
        assert account["data"].pop("discriminator") == ACCOUNTS[account["type"]].discriminator.hex()
        assert noted(anchors) == account["data"]
    assert {account["type"] for account in read["accounts"]} == set(ACCOUNTS)

    signatures = list(dict.fromkeys(event["signature"] for event in read["events"]))
    by_anchorpy = [event for signature in signatures for event in await events_by_anchorpy(chain, signature)]
    assert by_anchorpy == read["events"]
    assert {event["name"] for event in read["events"]} == set(EVENTS)


async def events_by_anchorpy(chain: RunningChain, signature: str) -> list[dict[str, Any]]:
    """The events of a transaction by anchorpy, which finds what this project's reader does."""
    options = {"commitment": "confirmed", "encoding": "json", "maxSupportedTransactionVersion": 0}
    logs = (await chain.rpc("getTransaction", signature, options))["meta"]["logMessages"]
    slices = [b64decode(line.removeprefix("Program data: ")) for line in logs if line.startswith("Program data: ")]
    parsed = [coders.event_coder().parse(raw) for raw in slices]
    ours, cut = events_in(logs, chain.program_id)
    assert not cut
    for event, anchors in zip(ours, parsed, strict=True):
        subject = EVENTS[event.name].record.fields[0].name
        head = {subject: event.thread, "sequence": event.sequence, "ordinal": event.ordinal}
        assert {name: plain(value) for name, value in vars(anchors.data).items()} == {**head, **event.fields}
    return [{"signature": signature, "name": anchors.name, "data": noted(anchors.data)} for anchors in parsed]


def noted(value: Any) -> dict[str, Any]:
    """A struct of anchorpy's in the TypeScript programs' notation: camel case, numbers as decimals, bytes as hex."""
    described: dict[str, Any] = json.loads(json.dumps(plain(value)))
    return {camel(name): _noted(inner) for name, inner in described.items()}


def _noted(value: Any) -> Any:
    match value:
        case bool() | str():
            return value
        case int():
            return str(value)
        case [*items] if len(items) == 64 and all(isinstance(item, int) for item in items):
            return bytes(items).hex()
        case [*items]:
            return [_noted(item) for item in items]
        case _:
            return {camel(name): _noted(inner) for name, inner in value.items()}
