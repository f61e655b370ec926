"""A verification's report for people and for programs, on its way from the server to the command line and out of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from chorale.domain.boundaries import VerificationReport

AGREED, CONFLICTS_LEFT, NOT_CHECKED = 0, 1, 2

_NAMES = {
    "SOLANA_STATE": "index against Solana",
    "QDRANT_CONTENT": "content in Qdrant",
    "BACKEND_CACHE": "cache of the backend",
    "FRONTEND_STATE": "what clients show",
}

Json = dict[str, Any]


def as_json(report: VerificationReport) -> Json:
    """The report in JSON's own types; `exitCode` is only there once it has ended."""
    found: Json = {
        "number": report.number,
        "repair": report.repair,
        "startedAt": report.started_at,
        "finishedAt": report.finished_at,
        "total": report.total,
        "checked": sum(each.checked for each in report.boundaries),
        "boundaries": [asdict(each) for each in report.boundaries],
        "conflicts": [
            {
                **asdict(record.conflict),
                "kind": record.conflict.kind,
                "authority": record.conflict.authority,
                "settlement": record.settlement,
                "action": record.action,
                "at": record.at,
            }
            for record in report.records
        ],
    }
    return found if report.finished_at is None else {**found, "exitCode": exit_code(report)}


def exit_code(report: VerificationReport) -> int:
    """0 where everything agrees, or was healed; 1 where conflicts are left; 2 where something could not be checked."""
    if any(each.problem for each in report.boundaries):
        return NOT_CHECKED
    return CONFLICTS_LEFT if any(each.conflicts > each.healed for each in report.boundaries) else AGREED


def progress_line(report: Json) -> str:
    """Where it stands, in a line."""
    conflicts = sum(each["conflicts"] for each in report["boundaries"])
    return f"{report['checked']:,} of {max(report['total'], report['checked']):,} looked at, {conflicts:,} conflicts"


def as_text(report: Json) -> str:
    """The whole report, in lines."""
    seconds = (report["finishedAt"] or report["startedAt"]) - report["startedAt"]
    lines = []
    for each in report["boundaries"]:
        said = f"{each['checked']:,} looked at, {each['conflicts']:,} conflicts"
        if each["conflicts"] and report["repair"]:
            said += f", {each['healed']:,} healed"
        if each["problem"]:
            said += f"; not checked to the end: {each['problem']}"
        lines.append(f"{_NAMES[each['name']]:<22} {said}")
    for each in report["conflicts"]:
        lines.append(
            f"{each['cause']} {each['subject']}: {each['authority']} says {each['expected']}, found {each['found']}. "
            f"{each['settlement']}: {each['action']}"
        )
    counted = sum(each["conflicts"] for each in report["boundaries"])
    if counted > len(report["conflicts"]):
        lines.append(f"These are the newest {len(report['conflicts']):,} of {counted:,}.")
    end = ("Everything agrees", "Conflicts are left", "Not everything could be checked")[report["exitCode"]]
    return "\n".join((*lines, f"{end}, after {seconds:.1f} s."))
