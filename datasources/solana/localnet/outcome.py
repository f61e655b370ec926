"""What executing a transaction did, in RPC's terms."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from solders.account import Account
from solders.pubkey import Pubkey
from solders.rpc.responses import RpcSimulateTransactionResult

from datasources.solana.localnet.encoding import base64_pair, compiled_instruction
from datasources.solana.localnet.model import Json
from datasources.solana.localnet.runtime import (
    FailedTransactionMetadata,
    InnerInstruction,
    SimulatedTransactionInfo,
    TransactionMetadata,
)

Accounts = dict[Pubkey, Account | None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Writable accounts before and after (None where there is none), and the traces as RPC's JSON."""

    err: Json
    logs: tuple[str, ...]
    units: int
    inner: tuple[Json, ...]
    return_data: Json
    before: Accounts
    after: Accounts

    @property
    def landed(self) -> bool:
        """Whether a block would hold it: it ran, or at least paid its fee."""
        return self.err is None or any(self.before[key] != self.after[key] for key in self.before)

    @property
    def spent(self) -> int:
        """Lamports that left the written accounts: the fee, since nothing else destroys lamports."""
        return _total(self.before) - _total(self.after)


def outcome_of(
    result: TransactionMetadata | FailedTransactionMetadata | SimulatedTransactionInfo,
    before: Accounts,
    after: Accounts,
) -> Outcome:
    """The outcome that the runtime's `result` tells."""
    meta = result if isinstance(result, TransactionMetadata) else result.meta()
    err = None
    if isinstance(result, FailedTransactionMetadata):
        err = orjson.loads(RpcSimulateTransactionResult(err=result.err()).to_json())["err"]
    returned = meta.return_data()  # type: ignore[attr-defined]  # solders' stub has the name wrong
    return_data = {"programId": str(returned.program_id), "data": base64_pair(returned.data)} if returned.data else None
    inner = tuple(
        {"index": index, "instructions": [_inner(each) for each in group]}
        for index, group in enumerate(meta.inner_instructions())
        if group
    )
    return Outcome(err, tuple(meta.logs()), meta.compute_units_consumed(), inner, return_data, before, after)


def _inner(inner: InnerInstruction) -> Json:
    return compiled_instruction(inner.instruction(), inner.stack_height())  # type: ignore[attr-defined]  # not in the stub


def _total(accounts: Accounts) -> int:
    return sum(account.lamports for account in accounts.values() if account)
