"""The four boundaries: how they hold, what was measured, and what a verification found."""

from __future__ import annotations

from typing import Self

import strawberry

from chorale.domain.availability import AuthorityHealth as Known
from chorale.domain.boundaries import Announcement, BoundaryFindings
from chorale.domain.boundaries import VerificationReport as Report
from chorale.domain.cursors import encode
from chorale.domain.projection import CatchUp as Progress
from schema.conflicts import BoundaryConflict
from schema.enums import AnnouncementKind, Authority, BoundaryName, Health
from schema.measures import BoundaryMeasures
from schema.scalars import U64, Cursor, DateTime

EVENT_CURSOR = "b"
"""The kind of the cursors of boundary events; they hold the log's id and a number."""


@strawberry.type(description="The boundary between a system's state and its authority, and how it was found.")
class Boundary:
    """Wraps findings."""

    name: BoundaryName = strawberry.field(description="Which of the four.")
    checked: U64 = strawberry.field(description="Entities looked at; one that was looked at twice counts twice.")
    conflicts: U64 = strawberry.field(description="Conflicts found.")
    healed: U64 = strawberry.field(description="Of these, those that were resolved at once.")
    complete: bool = strawberry.field(description="Whether the last check of it came to its end.")
    problem: str | None = strawberry.field(
        description="Why it did not. Null where it did, and for whoever is no operator."
    )
    checked_at: DateTime | None = strawberry.field(description="When it was last looked at; null before.")

    @classmethod
    def of(cls, found: BoundaryFindings, *, operator: bool) -> Self:
        """What was found at one boundary, with the reason for operators: it may tell of hosts."""
        return cls(
            name=found.name,
            checked=U64(found.checked),
            conflicts=U64(found.conflicts),
            healed=U64(found.healed),
            complete=not found.problem,
            problem=(found.problem or None) if operator else None,
            checked_at=DateTime(int(found.at)) if found.at else None,
        )


@strawberry.type(description="How an authority does, as this replica has experienced it.")
class AuthorityHealth:
    """Nobody is asked for it."""

    authority: Authority = strawberry.field(description="The authority.")
    health: Health = strawberry.field(description="How it does.")
    since: DateTime | None = strawberry.field(
        description="Since when, as far as this replica knows; null where it has not looked yet."
    )
    reason: str | None = strawberry.field(
        description="Why it is not healthy. Null where it is, and for whoever is no operator."
    )

    @classmethod
    def of(cls, known: Known, *, operator: bool) -> Self:
        """One authority's, with the reason for operators."""
        return cls(
            authority=known.authority,
            health=known.health,
            since=DateTime(int(known.since)) if known.since else None,
            reason=(known.reason or None) if operator else None,
        )


@strawberry.type(description="How far derived state has come with the changes of the chain that this replica missed.")
class CatchUp:
    """Counts changes, not messages."""

    total: int = strawberry.field(description="Changes to bring in; grows while they are counted.")
    done: int = strawberry.field(description="Of these, those that are in derived state.")
    left: int = strawberry.field(
        description="Threads that could not be settled. They are tried again regularly and hold nothing up."
    )
    finished: bool = strawberry.field(description="Whether this replica follows the chain as it goes on.")

    @classmethod
    def of(cls, progress: Progress) -> Self:
        """One moment of it."""
        return cls(total=progress.total, done=progress.done, left=progress.left, finished=progress.finished)


@strawberry.type(description="A complete verification of the boundaries: what it found, or has found so far.")
class VerificationReport:
    """Counts everything; keeps the newest conflicts."""

    number: int = strawberry.field(description="Its number on this replica.")
    repair: bool = strawberry.field(description="Whether it also has conflicts resolved.")
    finished: bool = strawberry.field(description="Whether it has ended.")
    started_at: DateTime = strawberry.field(description="When it began.")
    finished_at: DateTime | None = strawberry.field(description="When it ended; null while it runs.")
    total: U64 = strawberry.field(description="Entities to look at, as far as that is known.")
    checked: U64 = strawberry.field(description="Entities looked at.")
    boundaries: list[Boundary] = strawberry.field(description="What was found at each boundary.")
    conflicts: list[BoundaryConflict] = strawberry.field(
        description="The newest conflicts that it found, 200 at most, the oldest first."
    )

    @classmethod
    def of(cls, report: Report) -> Self:
        """A report as it stands."""
        return cls(
            number=report.number,
            repair=report.repair,
            finished=report.finished_at is not None,
            started_at=DateTime(int(report.started_at)),
            finished_at=None if report.finished_at is None else DateTime(int(report.finished_at)),
            total=U64(report.total),
            checked=U64(sum(found.checked for found in report.boundaries)),
            boundaries=[Boundary.of(found, operator=True) for found in report.boundaries],
            conflicts=[BoundaryConflict.of(record) for record in report.records],
        )


@strawberry.type(
    description="The boundaries between the four systems, as this replica sees them: what samples and verifications "
    "found since it started, how the authorities do, and what was measured. Numbers are for everyone; reasons, names "
    "and reports for operators."
)
class Boundaries:
    """One moment of one replica."""

    checks: list[Boundary] = strawberry.field(description="The four boundaries, samples and verifications together.")
    authorities: list[AuthorityHealth] = strawberry.field(description="How Solana, Qdrant and the backend do.")
    measures: BoundaryMeasures = strawberry.field(description="What was measured.")
    catch_up: CatchUp = strawberry.field(description="How far this replica has come with what it missed.")
    writes_shared_content: bool = strawberry.field(
        description="Whether this replica is the one that writes the content that all replicas share."
    )
    writer: str | None = strawberry.field(
        description="The name of the replica that does. Null where nobody is known to, and for whoever is no operator."
    )
    verification: VerificationReport | None = strawberry.field(
        description="The complete verification that is under way, else the last one. Null before the first, and for "
        "whoever is no operator."
    )


@strawberry.type(description="Something that happened at a boundary of this replica.")
class BoundaryEvent:
    """Wraps an announcement."""

    cursor: Cursor = strawberry.field(description="Its place in the log of this replica: `after` resumes behind it.")
    number: int = strawberry.field(description="Its number in that log, ascending by one.")
    missed: int = strawberry.field(
        description="How many events right before this one cannot be delivered, since the subscriber or its `after` "
        "was too far behind. 0 as a rule."
    )
    at: DateTime = strawberry.field(description="When it happened.")
    kind: AnnouncementKind = strawberry.field(description="What happened.")
    detail: str = strawberry.field(description="The same in a sentence.")
    authority: Authority | None = strawberry.field(description="The authority concerned; null where it is none.")
    conflict: BoundaryConflict | None = strawberry.field(description="The conflict of a CONFLICT; null otherwise.")

    @classmethod
    def of(cls, log_id: str, said: Announcement, missed: int) -> Self:
        """One announcement of the log `log_id`."""
        return cls(
            cursor=Cursor(encode(EVENT_CURSOR, (log_id, said.number))),
            number=said.number,
            missed=missed,
            at=DateTime(int(said.at)),
            kind=said.kind,
            detail=said.detail,
            authority=said.authority,
            conflict=None if said.conflict is None else BoundaryConflict.of(said.conflict),
        )
