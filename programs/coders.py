"""anchorpy's coders over this program's IDL: the reference that the fast decoders are held against."""

from __future__ import annotations

import json
from functools import cache

from anchorpy import AccountsCoder, EventCoder, InstructionCoder
from anchorpy_core.idl import Idl

from programs.idl import legacy


@cache
def parsed() -> Idl:
    """The IDL as anchorpy takes it."""
    return Idl.from_json(json.dumps(legacy()))


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
