"""anchorpy, fed with the IDL, reads and writes the very bytes that this client does."""

from __future__ import annotations

import struct
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from chorale.domain.accounts import StatusByte
from chorale.domain.events import ProgramEvent
from chorale.domain.program_errors import ProgramError
from programs import coders, idl
from programs.events import decode_event, encode_event
from programs.instructions import decode_instruction, encode_instruction
from programs.interface import ACCOUNTS, EVENTS, INSTRUCTIONS, AccountSpec
from programs.wire import Field, Kind, Record, Value
from tests.program.anchor import assert_decoded_alike, plain

ADDRESS = str(Pubkey.new_unique())
BYTES32 = st.binary(min_size=32, max_size=32)
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.U8: st.integers(0, 2**8 - 1),
    Kind.U32: st.integers(0, 2**32 - 1),
    Kind.U64: st.integers(0, 2**64 - 1),
    Kind.I64: st.integers(-(2**63), 2**63 - 1),
    Kind.BOOL: st.booleans(),
    Kind.KEY: BYTES32.map(lambda raw: str(Pubkey(raw))),
    Kind.HASH: BYTES32.map(bytes.hex),
}
SOME = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow]
)


def _values(fields: tuple[Field, ...]) -> st.SearchStrategy[dict[str, Value]]:
    return st.fixed_dictionaries({field.name: VALUES[field.kind] for field in fields})


@st.composite
def _account_bytes(draw: st.DrawFn, spec: AccountSpec) -> bytes:
    # Written out by hand rather than with the client's own structs, so that a shared mistake shows.
    fixed = draw(_values(spec.fixed))
    if spec.name == "Message":
        fixed["status"] = draw(st.sampled_from(list(StatusByte))).value
    data = spec.discriminator + bytes([1, draw(VALUES[Kind.U8])]) + Record(*spec.fixed).encode(fixed)
    if spec.frontier:
        data += b"".join(draw(st.lists(BYTES32, min_size=20, max_size=20)))
    data += bytes(64)
    if spec.vector is not None:
        items = draw(st.lists(_values(spec.vector.item.fields), max_size=5))
        data += struct.pack("<I", len(items)) + b"".join(spec.vector.item.encode(item) for item in items)
        data += bytes(draw(st.sampled_from([0, 40, 42, 84])))
    return data


@SOME
@given(st.sampled_from(list(ACCOUNTS.values())).flatmap(_account_bytes))
def test_accounts_decode_alike(data: bytes) -> None:
    """Both decoders find the same fields in any account, spare room behind the vector included."""
    assert_decoded_alike(ADDRESS, data)


@SOME
@given(st.data())
def test_instructions_are_written_alike(data: st.DataObject) -> None:
    """Both encoders write the same bytes, and the client reads its own back."""
    spec = data.draw(st.sampled_from(list(INSTRUCTIONS.values())))
    args = data.draw(_values(spec.args.fields))
    keys = {role.name: data.draw(VALUES[Kind.KEY]) for role in spec.accounts}
    instruction = encode_instruction(ADDRESS, spec.name, args, keys)
    theirs = {field.name: _anchor(field, args[field.name]) for field in spec.args.fields}
    assert coders.instruction_coder().encode(spec.name, theirs) == instruction.data
    decoded = decode_instruction(instruction.data, [str(meta.pubkey) for meta in instruction.accounts])
    assert (decoded.name, decoded.args) == (spec.name, args)
    assert list(decoded.accounts) == [role.name for role in spec.accounts]


@SOME
@given(st.data())
def test_events_decode_alike(data: st.DataObject) -> None:
    """Both decoders find the same fields in any event."""
    spec = data.draw(st.sampled_from(list(EVENTS.values())))
    subject, *rest = spec.record.fields
    values = data.draw(_values(spec.record.fields))
    event = ProgramEvent(
        spec.name,
        str(values[subject.name]),
        int(values["sequence"]),
        int(values["ordinal"]),
        {field.name: values[field.name] for field in rest[2:]},
    )
    raw = encode_event(event)
    assert decode_event(raw) == event
    theirs = coders.event_coder().parse(raw)
    assert theirs.name == spec.name
    assert {name: plain(value) for name, value in vars(theirs.data).items()} == values


def test_the_idl_lists_accounts_and_errors_as_the_program_counts_them() -> None:
    """Account order and flags, and the 23 error numbers, are what the tables say."""
    parsed = coders.parsed()
    for described, spec in zip(parsed.instructions, INSTRUCTIONS.values(), strict=True):
        flags = [(account.is_mut, account.is_signer) for account in described.accounts]  # type: ignore[union-attr]
        assert flags == [(role.writable, role.signer) for role in spec.accounts], spec.name
    assert [error.code for error in parsed.errors or []] == list(range(6000, 6023)) == [int(e) for e in ProgramError]


def test_the_committed_idls_are_current() -> None:
    """The files in the repository are what the tables generate."""
    for path, text in idl.files().items():
        assert path.read_text(encoding="utf-8") == text, path.name


def test_both_forms_say_the_same() -> None:
    """The modern form names the legacy one's instructions, accounts, events, errors and fields."""
    old, new = idl.legacy(), idl.modern()
    types = {entry["name"]: entry["type"]["fields"] for entry in new["types"]}
    for one, other in zip(old["instructions"], new["instructions"], strict=True):
        assert [len(one[part]) for part in ("accounts", "args")] == [len(other[part]) for part in ("accounts", "args")]
        assert bytes(other["discriminator"]) == INSTRUCTIONS[other["name"]].discriminator
    for one in [*old["accounts"], *old["types"]]:
        assert len(types[one["name"]]) == len(one["type"]["fields"])
    for one in old["events"]:
        assert len(types[one["name"]]) == len(one["fields"])
    assert old["errors"] == new["errors"]
    assert "publicKey" not in str(new)


def _anchor(field: Field, value: Value) -> Any:
    if field.kind is Kind.KEY:
        return Pubkey.from_string(str(value))
    return list(bytes.fromhex(str(value))) if field.kind is Kind.HASH else value
