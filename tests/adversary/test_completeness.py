"""No account of the interface is left out: each threat to each of them has an attack, or a reason why there is none."""

from __future__ import annotations

import pytest

from programs.interface import INSTRUCTIONS, AccountRole, InstructionSpec
from tests.adversary.attack import Kind, Threat, kind_of
from tests.adversary.scenes import SCENES
from tests.adversary.test_accounts import attacks

_WALLETS = {Kind.PAYER, Kind.SIGNER, Kind.PAYEE}
_TOKENS = {Kind.PURSE, Kind.SOURCE, Kind.DESTINATION, Kind.MINT}
_ALL = set(Kind)

# Kinds for which a threat means nothing, and why.
_BY_KIND: tuple[tuple[set[Kind], Threat, str], ...] = (
    ({Kind.SIGNER, Kind.PAYEE}, Threat.ABSENT, "only its key and signature are looked at"),
    ({Kind.SIGNER, Kind.PAYEE, Kind.PROGRAM}, Threat.OTHER_OWNER, "only its key and signature are looked at"),
    ({Kind.SIGNER, Kind.PAYEE, Kind.PROGRAM}, Threat.OTHER_TYPE, "only its key and signature are looked at"),
    ({Kind.NEW}, Threat.ABSENT, "absent is what it has to be"),
    ({Kind.PAYER}, Threat.ELSEWHERE, "whoever signs may pay"),
    ({Kind.MINT}, Threat.ELSEWHERE, "another mint is WRONG_MINT"),
    (_WALLETS | {Kind.SOURCE, Kind.PROGRAM}, Threat.FORGED, "its address is derived from nothing"),
    ({Kind.DESTINATION}, Threat.FORGED, "another account of the payee's is the payee's UNSIGNED"),
    (_ALL - _WALLETS, Threat.UNSIGNED, "its signature is never asked for"),
    (_ALL - _TOKENS, Threat.WRONG_MINT, "it holds no tokens"),
    (_ALL - _TOKENS, Threat.UNUSABLE, "it holds no tokens"),
    (_ALL - {Kind.NEW}, Threat.REINITIALISED, "it is not made by the instruction"),
    (_ALL - {Kind.STATE}, Threat.HEADER, "it is no account of the program yet"),
    (_ALL - {Kind.STATE}, Threat.OVERSIZE, "it has no vector"),
    (_WALLETS | {Kind.NEW, Kind.PROGRAM}, Threat.TRUNCATED, "its data is not read"),
)
# Single places with reasons of their own.
_BY_PLACE: dict[tuple[str, str, Threat], str] = {
    ("initialize", "admin", Threat.ELSEWHERE): "whoever signs beside the program's own key becomes the admin",
    ("initialize", "protocol", Threat.ELSEWHERE): "a deployment has one",
    ("initialize", "treasury", Threat.ELSEWHERE): "a deployment has one",
    ("initialize", "mint", Threat.FORGED): "every mint will do",
    ("create_thread", "mint", Threat.OTHER_OWNER): "its address says all: it was checked when the protocol was set up",
    ("create_thread", "mint", Threat.UNUSABLE): "its address says all: it was checked when the protocol was set up",
    ("create_thread", "mint", Threat.TRUNCATED): "its address says all: it was checked when the protocol was set up",
}
_PLACES = [(spec, role) for spec in INSTRUCTIONS.values() for role in spec.accounts]


def reason(spec: InstructionSpec, role: AccountRole, threat: Threat) -> str | None:
    """Why no attack is due; None where one is."""
    if (spec.name, role.name, threat) in _BY_PLACE:
        return _BY_PLACE[spec.name, role.name, threat]
    kind = kind_of(spec, role)
    if threat is Threat.READ_ONLY and not role.writable:
        return "the instruction does not write it"
    if kind in (Kind.STATE, Kind.PURSE) and role.name in ("protocol", "treasury") and threat is Threat.ELSEWHERE:
        return "a deployment has one"
    if kind is Kind.STATE and role.name == "protocol" and threat is Threat.OVERSIZE:
        return "it has no vector"
    return next((why for kinds, of, why in _BY_KIND if of is threat and kind in kinds), None)


@pytest.mark.parametrize(("spec", "role"), _PLACES, ids=[f"{s.name}.{r.name}" for s, r in _PLACES])
def test_every_threat_has_an_attack_or_a_reason(spec: InstructionSpec, role: AccountRole) -> None:
    """Exactly one of the two: a missing attack is a gap, a reason beside an attack is stale."""
    attacked = {a.threat for a in attacks() if (a.instruction, a.role) == (spec.name, role.name)}
    for threat in Threat:
        assert (threat in attacked) != bool(reason(spec, role, threat)), threat


def test_every_instruction_has_a_scene() -> None:
    """Scenes and interface name the same instructions in the same order."""
    assert list(SCENES) == list(INSTRUCTIONS)


def test_reasons_name_real_places() -> None:
    """No exclusion outlives the account that it was made for."""
    places = {(spec.name, role.name) for spec, role in _PLACES}
    assert {(instruction, role) for instruction, role, _ in _BY_PLACE} <= places
    kinds = {kind_of(spec, role) for spec, role in _PLACES}
    assert all(used <= kinds for used, _, _ in _BY_KIND)


def test_every_account_stands_in_every_other_place() -> None:
    """The duplicates are all ordered pairs of an instruction's accounts, but for those where one may be the other."""
    tried = sum(a.threat is Threat.DUPLICATE for a in attacks())
    pairs = sum(len(spec.accounts) * (len(spec.accounts) - 1) for spec in INSTRUCTIONS.values())
    assert pairs - tried == 7
