"""Whether and where a transaction has landed: it is sent, sent again where nodes drop it, and awaited."""

from __future__ import annotations

import time

from chorale.domain.chain import Commitment, SignatureStatus, TransactionRefusedError
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.ports import Chain
from chorale.domain.updates import Refusal
from chorale.limits import Limits
from chorale.update.acceptance import Acceptance, is_already_processed
from chorale.update.admission import Admission
from chorale.update.late import is_expired
from chorale.update.log import UpdateFacts
from chorale.update.refusals import is_blockhash_unknown

_SEND_AGAIN = 2.0  # s after which a transaction that does not show is sent once more: nodes drop some


class Landing:
    """Asks Solana, and takes no silence for an answer."""

    def __init__(self, chain: Chain, acceptance: Acceptance, limits: Limits) -> None:
        self._chain = chain
        self._acceptance = acceptance
        self._limits = limits

    async def send(self, admission: Admission) -> Refusal | None:
        """Hand the transaction over. A Refusal says that it surely did not land."""
        try:
            await self._chain.send(admission.transaction.raw)
        except TransactionRefusedError as error:
            if is_blockhash_unknown(error.error):
                return None  # its dry run knew the blockhash: this node is behind, and gets it again
            if not is_already_processed(error.error) and not await self._may_have_landed(admission.signature):
                return self._acceptance.refusal_of(admission, error.error, error.logs, message=str(error))
        except AuthorityUnavailableError:
            pass  # it may have arrived: awaiting its confirmation tells
        return None

    async def status(self, signature: str, raw: bytes | None, landed: SignatureStatus | None) -> SignatureStatus | None:
        """Where it landed, well or failed; None while nobody knows. `raw` is sent again now and then; `landed` is what
        is known already."""
        if raw is None and landed is None:  # an old one: nodes keep recent statuses only in memory
            landed = await self._chain.status(signature, search_history=True)
        if landed is not None and landed.commitment is not Commitment.PROCESSED:
            return landed
        deadline = time.monotonic() + self._limits.confirm_timeout
        while (left := deadline - time.monotonic()) > 0:
            status = await self._chain.confirm(signature, left if raw is None else min(left, _SEND_AGAIN))
            if status is not None:
                return status
            if raw is not None:
                try:
                    await self._chain.send(raw)
                except (AuthorityUnavailableError, TransactionRefusedError):
                    continue  # away, or landed, or too late: the next look tells
        return None

    async def has_expired(self, facts: UpdateFacts) -> bool:
        """Whether it surely can no longer land."""
        if facts.receipt_height is None:
            return False  # just received
        try:
            return await is_expired(self._chain, facts.signature, facts.receipt_height)
        except AuthorityUnavailableError:
            return False  # nobody can say so now

    async def _may_have_landed(self, signature: str) -> bool:
        try:
            return await self._chain.status(signature, search_history=True) is not None
        except AuthorityUnavailableError:
            return True  # nobody can say that it has not
