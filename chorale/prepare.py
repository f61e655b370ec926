"""Unsigned transactions for wallets, with the refusals they would run into told beforehand."""

from __future__ import annotations

from chorale.preparation.administration import AdministrationPreparation
from chorale.preparation.decisions import DecisionPreparation
from chorale.preparation.messages import MessagePreparation
from chorale.preparation.payouts import PayoutPreparation


class Preparer(MessagePreparation, DecisionPreparation, PayoutPreparation, AdministrationPreparation):
    """Builds transactions and changes nothing."""
