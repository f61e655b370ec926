"""Arguments that several preparations share, and how their answers are shown."""

from __future__ import annotations

from typing import Annotated, cast

import strawberry

from chorale.context import Context
from chorale.domain import commands
from chorale.domain.updates import Refusal
from schema.prepare import FeeOptions, PreparedTransaction, PrepareResult
from schema.problems import problem_of
from schema.scalars import U64, Hash, Pubkey

Wallet = Annotated[Pubkey, strawberry.argument(description="The wallet that will sign.")]
Payee = Annotated[
    Pubkey,
    strawberry.argument(description="The wallet that is paid. It signs only where it pays the fee as well."),
]
Sender = Annotated[
    Pubkey, strawberry.argument(description="The wallet that sends it, and pays unless another fee payer is named.")
]
ThreadId = Annotated[Hash, strawberry.argument(description="The thread.")]
ContentHash = Annotated[Hash, strawberry.argument(description="The message.")]
Body = Annotated[str, strawberry.argument(description="The text, 1 byte to 16 KiB of UTF-8 in NFC.")]
Nonce = Annotated[
    U64 | None,
    strawberry.argument(description="The wallet's own number for it; a random one where left out. Keep it to retry."),
]
Salt = Annotated[
    Hash | None,
    strawberry.argument(description="32 bytes that the text is hashed with; random ones where left out."),
]
Fees = Annotated[FeeOptions | None, strawberry.argument(description="Who pays, and what priority is offered.")]


def domain_fees(fees: FeeOptions | None) -> commands.FeeOptions | None:
    """The same for the preparer."""
    return None if fees is None else fees.to_domain()


async def shown(context: Context, prepared: commands.PreparedTransaction | Refusal) -> PrepareResult:
    """What the preparer answered."""
    if isinstance(prepared, Refusal):
        return cast("PrepareResult", await problem_of(context, prepared))
    return PreparedTransaction.of(prepared)
