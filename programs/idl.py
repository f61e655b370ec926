"""The interface as Anchor IDLs, made from `programs.interface`: the form before 0.30, which anchorpy reads, and the
one since, which TypeScript clients are generated from.

`python -m programs.idl` writes both files into `programs/idl/`; with `--check` it fails where one is not what the
tables say.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from chorale.domain.program_errors import ProgramError
from programs import idl_docs
from programs.idl_addresses import ANY_ADDRESS, FIXED, constants, seeds
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
)
from programs.wire import HASH_BYTES, Field, Kind

FOLDER = Path(__file__).with_name("idl")
VERSION = "0.1.0"
_DESCRIPTION = "Ownership, approvals and tokens of collaborative threads."

_BYTES32 = {"array": ["u8", HASH_BYTES]}
_TYPES: dict[Kind, Any] = {Kind.KEY: "publicKey", Kind.HASH: _BYTES32}


def legacy() -> dict[str, Any]:
    """The form before 0.30 as JSON data."""
    vectors = [account.vector for account in ACCOUNTS.values() if account.vector is not None]
    return {
        "version": VERSION,
        "name": "chorale",
        "instructions": [_instruction(spec) for spec in INSTRUCTIONS.values()],
        "constants": constants(),
        "accounts": [_type(spec.name, _account_fields(spec)) for spec in ACCOUNTS.values()],
        "types": [_type(vector.type_name, _fields(vector.item.fields)) for vector in vectors],
        "events": [_event(spec) for spec in EVENTS.values()],
        "errors": _errors(),
    }


def modern() -> dict[str, Any]:
    """The form since 0.30 as JSON data: snake case, discriminators, every struct among the types."""
    structs = [*legacy()["accounts"], *legacy()["types"]]
    structs += [
        {"name": spec.name, "docs": [idl_docs.EVENTS[spec.name]], "type": _struct(_fields(spec.record.fields))}
        for spec in EVENTS.values()
    ]
    types = [{**entry, "type": _struct(_modern_fields(entry["type"]["fields"]))} for entry in structs]
    return {
        "address": ANY_ADDRESS,
        "metadata": {"name": "chorale", "version": VERSION, "spec": "0.1.0", "description": _DESCRIPTION},
        "instructions": [_modern_instruction(spec) for spec in INSTRUCTIONS.values()],
        "accounts": [_discriminated(spec) for spec in ACCOUNTS.values()],
        "events": [_discriminated(spec) for spec in EVENTS.values()],
        "errors": _errors(),
        "types": types,
        "constants": constants(),
    }


def files() -> dict[Path, str]:
    """The exact text of both IDL files, by path."""
    forms = {FOLDER / "chorale.legacy.json": legacy(), FOLDER / "chorale.json": modern()}
    return {path: json.dumps(form, indent=2, ensure_ascii=False) + "\n" for path, form in forms.items()}


def _instruction(spec: InstructionSpec) -> dict[str, Any]:
    return {
        "name": _camel(spec.name),
        "docs": [idl_docs.INSTRUCTIONS[spec.name]],
        "accounts": [_role(role) for role in spec.accounts],
        "args": _fields(spec.args.fields),
    }


def _role(role: AccountRole) -> dict[str, Any]:
    return {
        "name": _camel(role.name),
        "isMut": role.writable,
        "isSigner": role.signer,
        "docs": [idl_docs.ROLES[role.name]],
    }


def _event(spec: EventSpec) -> dict[str, Any]:
    # This form has no room for documentation here.
    listed = [{"name": field["name"], "type": field["type"], "index": False} for field in _fields(spec.record.fields)]
    return {"name": spec.name, "fields": listed}


def _account_fields(spec: AccountSpec) -> list[dict[str, Any]]:
    listed = _fields((*HEADER, *spec.fixed))
    if spec.frontier:
        listed.append(_field("frontier", {"array": [_BYTES32, TREE_DEPTH]}))
    listed.append(_field("reserved", {"array": ["u8", RESERVED_BYTES]}))
    if spec.vector is not None:
        listed.append(_field(spec.vector.name, {"vec": {"defined": spec.vector.type_name}}))
    return listed


def _type(name: str, listed: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "docs": [idl_docs.ACCOUNTS[name]], "type": _struct(listed)}


def _struct(listed: list[dict[str, Any]]) -> dict[str, Any]:
    return {"kind": "struct", "fields": listed}


def _fields(members: Iterable[Field]) -> list[dict[str, Any]]:
    return [_field(field.name, _TYPES.get(field.kind, field.kind.value)) for field in members]


def _field(name: str, described: Any) -> dict[str, Any]:
    return {"name": _camel(name), "docs": [idl_docs.FIELDS[name]], "type": described}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _modern_instruction(spec: InstructionSpec) -> dict[str, Any]:
    accounts = []
    for role in spec.accounts:
        derived = seeds(spec.name, role.name)
        entry: dict[str, Any] = {"name": role.name, "docs": [idl_docs.ROLES[role.name]]}
        entry |= {"writable": True} if role.writable else {}
        entry |= {"signer": True} if role.signer else {}
        entry |= {"address": FIXED[role.name]} if role.name in FIXED else {}
        entry |= {"pda": {"seeds": derived}} if derived is not None else {}
        accounts.append(entry)
    return {
        "name": spec.name,
        "docs": [idl_docs.INSTRUCTIONS[spec.name]],
        "discriminator": list(spec.discriminator),
        "accounts": accounts,
        "args": _modern_fields(_fields(spec.args.fields)),
    }


def _discriminated(spec: AccountSpec | EventSpec) -> dict[str, Any]:
    return {"name": spec.name, "discriminator": list(spec.discriminator)}


def _modern_fields(listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**field, "name": _snake(field["name"]), "type": _modern_type(field["type"])} for field in listed]


def _modern_type(described: Any) -> Any:
    match described:
        case "publicKey":
            return "pubkey"
        case {"vec": {"defined": name}}:
            return {"vec": {"defined": {"name": name}}}
        case _:
            return described


def _snake(name: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name)


def _errors() -> list[dict[str, Any]]:
    return [{"code": error.value, "name": error.title, "msg": error.explanation} for error in ProgramError]


def main() -> int:
    """Writes or checks the files; the exit status is 1 on drift."""
    parser = argparse.ArgumentParser(description="Write the program's IDL in both forms.")
    parser.add_argument("--check", action="store_true", help="fail where a committed file differs")
    check: bool = parser.parse_args().check
    for path, text in files().items():
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            sys.stderr.write(f"{path} is not what the interface says: run `python -m programs.idl` and commit it.\n")
            return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
