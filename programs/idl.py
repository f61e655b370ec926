"""The interface as a legacy Anchor IDL (the form before 0.30, which anchorpy reads), made from `programs.interface`.

`python -m programs.idl` writes `programs/idl/chorale.legacy.json`; with `--check` it fails where the file is not
what the tables say.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from anchorpy import AccountsCoder, EventCoder, InstructionCoder
from anchorpy_core.idl import Idl

from programs.interface import (
    ACCOUNTS,
    EVENTS,
    HEADER,
    INSTRUCTIONS,
    RESERVED_BYTES,
    TREE_DEPTH,
    AccountRole,
    AccountSpec,
    EventSpec,
    InstructionSpec,
    VectorSpec,
)
from programs.problems import ProgramError
from programs.wire import HASH_BYTES, Field, Kind

FILE = Path(__file__).with_name("idl") / "chorale.legacy.json"
VERSION = "0.1.0"

_BYTES32 = {"array": ["u8", HASH_BYTES]}
_TYPES: dict[Kind, Any] = {Kind.KEY: "publicKey", Kind.HASH: _BYTES32}


def build() -> dict[str, Any]:
    """The IDL as JSON data."""
    vectors = [account.vector for account in ACCOUNTS.values() if account.vector is not None]
    return {
        "version": VERSION,
        "name": "chorale",
        "instructions": [_instruction(spec) for spec in INSTRUCTIONS.values()],
        "accounts": [{"name": spec.name, "type": _struct(_account_fields(spec))} for spec in ACCOUNTS.values()],
        "types": [{"name": vector.type_name, "type": _struct(_fields(vector.item.fields))} for vector in vectors],
        "events": [_event(spec) for spec in EVENTS.values()],
        "errors": [{"code": error.value, "name": error.title, "msg": error.explanation} for error in ProgramError],
    }


def text() -> str:
    """The IDL file's exact text."""
    return json.dumps(build(), indent=2, ensure_ascii=False) + "\n"


@cache
def parsed() -> Idl:
    """The IDL as anchorpy takes it."""
    return Idl.from_json(json.dumps(build()))


@cache
def accounts_coder() -> AccountsCoder:
    """anchorpy's coder of this program's accounts."""
    return AccountsCoder(parsed())


@cache
def instruction_coder() -> InstructionCoder:
    """anchorpy's coder of this program's instructions."""
    return InstructionCoder(parsed())


@cache
def event_coder() -> EventCoder:
    """anchorpy's coder of this program's events."""
    return EventCoder(parsed())


def _instruction(spec: InstructionSpec) -> dict[str, Any]:
    return {
        "name": _camel(spec.name),
        "accounts": [_role(role) for role in spec.accounts],
        "args": _fields(spec.args.fields),
    }


def _role(role: AccountRole) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": _camel(role.name), "isMut": role.writable, "isSigner": role.signer}
    if role.optional_signer:
        entry["docs"] = ["May sign; must sign for a destination that is not its associated token account."]
    return entry


def _event(spec: EventSpec) -> dict[str, Any]:
    return {"name": spec.name, "fields": [{**field, "index": False} for field in _fields(spec.record.fields)]}


def _account_fields(spec: AccountSpec) -> list[dict[str, Any]]:
    listed = _fields((*HEADER, *spec.fixed))
    if spec.frontier:
        listed.append({"name": "frontier", "type": {"array": [_BYTES32, TREE_DEPTH]}})
    listed.append({"name": "reserved", "type": {"array": ["u8", RESERVED_BYTES]}})
    if spec.vector is not None:
        listed.append(_vector(spec.vector))
    return listed


def _vector(vector: VectorSpec) -> dict[str, Any]:
    return {"name": _camel(vector.name), "type": {"vec": {"defined": vector.type_name}}}


def _struct(listed: list[dict[str, Any]]) -> dict[str, Any]:
    return {"kind": "struct", "fields": listed}


def _fields(members: Iterable[Field]) -> list[dict[str, Any]]:
    return [{"name": _camel(field.name), "type": _TYPES.get(field.kind, field.kind.value)} for field in members]


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def main() -> int:
    """Writes or checks the file; the exit status is 1 on drift."""
    parser = argparse.ArgumentParser(description="Write the program's legacy IDL.")
    parser.add_argument("--check", action="store_true", help="fail where the committed file differs")
    if not parser.parse_args().check:
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(text(), encoding="utf-8")
        return 0
    if FILE.exists() and FILE.read_text(encoding="utf-8") == text():
        return 0
    sys.stderr.write(f"{FILE} is not what the interface says: run `python -m programs.idl` and commit it.\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
