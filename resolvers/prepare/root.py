"""Unsigned transactions for wallets: nothing is changed and nothing is kept."""

from __future__ import annotations

import strawberry

from resolvers.prepare.administration import PrepareAdministration
from resolvers.prepare.decisions import PrepareDecisions
from resolvers.prepare.messages import PrepareMessages
from resolvers.prepare.payouts import PreparePayouts
from schema.fields import resolved


@strawberry.type(
    description="Makes unsigned transactions: the wallet signs, the mutation of the same name takes the signed bytes."
)
class Prepare(PrepareMessages, PrepareDecisions, PreparePayouts, PrepareAdministration):
    """One field per instruction."""


@strawberry.type
class PrepareQueries:
    """The one field of Query that leads to them."""

    @resolved("Unsigned transactions for wallets. Answers are never cached.")
    def prepare(self) -> Prepare:
        return Prepare()
