"""PubSub: who listens to what, and what every commit and slot tells them.

The hub is called after a commit is on disk, never before, and hands each connection its notifications in that order.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass

import orjson
from solders.pubkey import Pubkey

from datasources.solana.localnet.encoding import ACCOUNT_ENCODINGS
from datasources.solana.localnet.errors import invalid_params
from datasources.solana.localnet.filters import Filter, matches_all, parse_filters
from datasources.solana.localnet.ledger import Ledger
from datasources.solana.localnet.model import Committed, Json, StoredAccount
from datasources.solana.localnet.params import Params, as_key
from datasources.solana.localnet.rpc_accounts import AccountView
from datasources.solana.localnet.rpc_history import as_signature

Send = Callable[[bytes], None]
Topic = tuple[str, object]

_GONE = StoredAccount(0, b"", bytes(32))


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription: its topic, where its notifications go, and how they are shown."""

    number: int
    topic: Topic
    send: Send
    view: AccountView | None = None
    filters: tuple[Filter, ...] = ()
    received: bool = False

    @property
    def kind(self) -> str:
        """`account`, `program`, `signature`, `logs`, `slot` or `root`."""
        return self.topic[0]

    def notify(self, result: Json) -> None:
        """Hand over one notification."""
        params = {"result": result, "subscription": self.number}
        self.send(orjson.dumps({"jsonrpc": "2.0", "method": f"{self.kind}Notification", "params": params}))


class Hub:
    """All subscriptions of all connections."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._numbers = itertools.count(1)
        self._topics: dict[Topic, dict[int, Subscription]] = {}
        self._announced = ledger.slot
        ledger.listeners.append(self._on_commit)

    def subscribe(self, kind: str, params: Params, send: Send) -> tuple[Subscription, Callable[[], None]]:
        """A new subscription, and what to call once its number has been answered. Raises RpcError."""
        number = next(self._numbers)
        after: Callable[[], None] = _nothing
        match kind:
            case "account":
                subscription = Subscription(number, (kind, params.key(0)), send, self._view(params))
            case "program":
                filters = parse_filters(params.config(1).value("filters"))
                subscription = Subscription(number, (kind, bytes(params.key(0))), send, self._view(params), filters)
            case "signature":
                signature = as_signature(params.required(0))
                received = params.config(1).flag("enableReceivedNotification")
                subscription = Subscription(number, (kind, signature), send, received=received)

                def after() -> None:
                    self._first_look(subscription, signature)
            case "logs":
                params.config(1)
                subscription = Subscription(number, (kind, _mentioned(params.required(0))), send)
            case _:
                subscription = Subscription(number, (kind, None), send)
        self._topics.setdefault(subscription.topic, {})[number] = subscription
        return subscription, after

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forget a subscription; a forgotten one is no error."""
        listeners = self._topics.get(subscription.topic, {})
        listeners.pop(subscription.number, None)
        if not listeners:
            self._topics.pop(subscription.topic, None)

    async def run(self) -> None:
        """Announce slots as they begin, until cancelled."""
        while True:
            await asyncio.sleep(self._ledger.clock.seconds_to_next_slot())
            self._announce(self._ledger.slot)

    def _announce(self, slot: int) -> None:
        if slot <= self._announced:
            return
        self._announced = slot
        root = slot - 1
        for subscription in self._of("slot", None):
            subscription.notify({"parent": slot - 1, "root": root, "slot": slot})
        for subscription in self._of("root", None):
            subscription.notify(root)

    def _on_commit(self, committed: Committed) -> None:
        self._announce(committed.slot)
        for key, account in committed.changed:
            for subscription in self._of("account", key):
                subscription.notify(_at(committed.slot, _show(subscription, account or _GONE)))
            if account is not None:  # Solana does not report closed accounts here
                for subscription in self._of("program", account.owner):
                    if matches_all(subscription.filters, account.data):
                        value = {"pubkey": str(key), "account": _show(subscription, account)}
                        subscription.notify(_at(committed.slot, value))
        if committed.signature:
            self._tell_logs(committed)
            for subscription in self._of("signature", committed.signature):
                self._settle(subscription, committed.slot, committed.err)

    def _tell_logs(self, committed: Committed) -> None:
        value = {"signature": committed.signature, "err": committed.err, "logs": list(committed.logs)}
        for subscription in self._of("logs", None):
            subscription.notify(_at(committed.slot, value))
        for key in committed.mentions:
            for subscription in self._of("logs", key):
                subscription.notify(_at(committed.slot, value))

    def _first_look(self, subscription: Subscription, signature: str) -> None:
        row = self._ledger.store.landed(signature)
        if row is not None:
            self._settle(subscription, row.slot, row.err)

    def _settle(self, subscription: Subscription, slot: int, err: Json) -> None:
        self.unsubscribe(subscription)  # a signature is told once
        if subscription.received:
            subscription.notify(_at(slot, "receivedSignature"))
        subscription.notify(_at(slot, {"err": err}))

    def _of(self, kind: str, subject: object) -> list[Subscription]:
        return list(self._topics.get((kind, subject), {}).values())

    def _view(self, params: Params) -> AccountView:
        config = params.config(1)
        config.choice("encoding", ACCOUNT_ENCODINGS, "binary")
        return AccountView(self._ledger, config, "binary")


def _mentioned(wanted: Json) -> Pubkey | None:
    match wanted:
        case "all" | "allWithVotes":
            return None
        case {"mentions": [str() as key]}:
            return as_key(key)
        case {"mentions": _}:
            raise invalid_params("Invalid Request: Only 1 address supported")
        case _:
            raise invalid_params("Invalid params: expected `all`, `allWithVotes` or mentions.")


def _show(subscription: Subscription, account: StoredAccount) -> Json:
    assert subscription.view is not None
    return subscription.view.notify(account)


def _at(slot: int, value: Json) -> Json:
    return {"context": {"slot": slot}, "value": value}


def _nothing() -> None:
    return None
