"""Which resolver settles which kind of conflict: the one place that says so."""

from __future__ import annotations

from chorale.checking.client_reports import ClientReports
from chorale.domain.caching import EntityCache
from chorale.domain.conflict import ConflictKind
from chorale.domain.ports import Chain, ContentStore, Embedder, Index
from chorale.limits import Limits
from chorale.projection.corrections import Corrections
from chorale.projection.staging import StagingCollector
from chorale.projector import Projector
from chorale.reconciliation.cache import CacheResolver
from chorale.reconciliation.content import ContentResolver
from chorale.reconciliation.index_rows import IndexRows
from chorale.reconciliation.ownership import OwnershipResolver
from chorale.reconciliation.payloads import Payloads
from chorale.reconciliation.resolution import Resolver
from chorale.reconciliation.ui import UiResolver


def open_resolvers(
    chain: Chain,
    content: ContentStore,
    embedder: Embedder,
    index: Index,
    projector: Projector,
    corrections: Corrections,
    cache: EntityCache,
    reports: ClientReports,
    limits: Limits,
) -> dict[ConflictKind, Resolver]:
    """One resolver for each kind. Whatever kind is left out is reported and stays OPEN."""
    rows = IndexRows(chain, index, projector, corrections)
    payloads = Payloads(chain, content, embedder, projector, corrections, limits.staged_lease)
    collector = StagingCollector(chain, content, projector, corrections)
    return {
        ConflictKind.OWNERSHIP: OwnershipResolver(rows, payloads),
        ConflictKind.CONTENT: ContentResolver(chain, content, projector, corrections, collector),
        ConflictKind.CACHE: CacheResolver(chain, cache),
        ConflictKind.UI: UiResolver(reports),
    }
