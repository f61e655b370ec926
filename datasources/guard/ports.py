"""The ports with a guard around each method. What is not named here is called once, in its time, and never again.

Only what may be repeated without another effect is: reads, and writes that say the same however often they are said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, cast

from chorale.domain.ports import Chain, CorrectableContent, CorrectableIndex, SessionStore
from chorale.limits import Limits
from datasources.guard.around import AroundPort, Method
from datasources.guard.guard import Guard, Policy

Seen = Callable[[str, tuple[Any, ...], Any], None]
"""Told of every call that came back: method, positional arguments, result."""

CHAIN_READS = (
    "genesis_hash", "slot", "block_height", "unix_time", "accounts", "rent", "latest_blockhash", "is_blockhash_valid",
    "status", "transaction", "node_problem", "simulate",
)  # fmt: skip
CHAIN_LONG = ("program_accounts", "transactions", "history", "balance_changes", "statuses")
CHAIN_OWN_TIME = ("confirm",)
CHAIN_SENDS = ("send",)  # whoever sends looks for the transaction soon, and sends it again
CONTENT_READS = ("fetch", "staged_by", "ready")
CONTENT_LONG = ("staged", "census", "search")
CONTENT_WRITES = ("stage", "promote")  # that say the same however often they are said, and side by side
SESSION_READS = ("get",)


class Guarded(AroundPort):
    """Coroutine methods under their policies."""

    def __init__(
        self, port: object, guard: Guard, policies: Mapping[str, Policy], default: Policy, seen: Seen | None = None
    ) -> None:
        super().__init__(port)
        self._guard = guard
        self._policies = policies
        self._default = default
        self._seen = seen

    def _around(self, name: str, method: Method) -> Method:
        policy, guard, seen = self._policies.get(name, self._default), self._guard, self._seen

        async def guarded(*args: Any, **kwargs: Any) -> Any:
            result = await guard.call(policy, partial(method, *args, **kwargs))
            if seen is not None:
                seen(name, args, result)
            return result

        return guarded


def guarded_chain(chain: Chain, guard: Guard, limits: Limits, seen: Seen) -> Chain:
    """Solana's RPC. `send` is never repeated here; `confirm` minds its own time."""
    policies = {
        **dict.fromkeys(CHAIN_READS, _read(limits, remote=True)),
        **dict.fromkeys(CHAIN_LONG, _long_read(limits, remote=True)),
        **dict.fromkeys(CHAIN_OWN_TIME, Policy(None)),
        **dict.fromkeys(CHAIN_SENDS, Policy(limits.authority_send_timeout)),
    }
    return cast("Chain", Guarded(chain, guard, policies, _once(limits), seen))


def guarded_content(
    content: CorrectableContent, guard: Guard, limits: Limits, seen: Seen, *, remote: bool
) -> CorrectableContent:
    """Qdrant. A promotion is repeated by the projector, and staging by who stages: here only beside one that hangs."""
    once = Policy(limits.authority_long_timeout)
    policies = {
        **dict.fromkeys(CONTENT_READS, _read(limits, remote=remote)),
        **dict.fromkeys(CONTENT_LONG, replace(_long_read(limits, remote=remote), attempts=1)),
        **dict.fromkeys(CONTENT_WRITES, replace(once, patience=limits.authority_patience if remote else None)),
    }
    return cast("CorrectableContent", Guarded(content, guard, policies, once, seen))


def guarded_sessions(sessions: SessionStore, guard: Guard, limits: Limits, *, remote: bool) -> SessionStore:
    """Sessions, nonces and idempotency records. What takes or adds is not repeated: its answer may have been lost."""
    policies = dict.fromkeys(SESSION_READS, _read(limits, remote=remote))
    return cast("SessionStore", Guarded(sessions, guard, policies, _once(limits)))


def guarded_index(index: CorrectableIndex, guard: Guard) -> CorrectableIndex:
    """The index: a file of this process, so nothing is timed or repeated, and failures are seen."""
    return cast("CorrectableIndex", Guarded(index, guard, {}, Policy(None)))


def _read(limits: Limits, *, remote: bool) -> Policy:
    patience = limits.authority_patience if remote else None
    return Policy(limits.authority_timeout, limits.authority_attempts, patience)


def _long_read(limits: Limits, *, remote: bool) -> Policy:
    patience = limits.authority_long_patience if remote else None
    return Policy(limits.authority_long_timeout, limits.authority_attempts, patience)


def _once(limits: Limits) -> Policy:
    return Policy(limits.authority_timeout)
