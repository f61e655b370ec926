"""Loaders of one operation or one event: reads of the authorities in batches, decoded once, forgotten afterwards."""

from datasources.loaders.cached import CachedReads
from datasources.loaders.contents import Expectation
from datasources.loaders.loaders import Loaders
from datasources.loaders.reads import Balances, MessageKey, MessageRead, MixedVersionsError, ThreadRead
from datasources.loaders.token import Token, TokenFacts

__all__ = [
    "Balances",
    "CachedReads",
    "Expectation",
    "Loaders",
    "MessageKey",
    "MessageRead",
    "MixedVersionsError",
    "ThreadRead",
    "Token",
    "TokenFacts",
]
