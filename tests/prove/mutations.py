"""Calls with one thing wrong, as a careless or hostile client would send them. The model foretells these too."""

from __future__ import annotations

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from chorale.domain.model.run import SYSTEM_PROGRAM, TOKEN_PROGRAM
from chorale.domain.model.values import Key
from tests.program.altered import with_accounts, with_data, with_meta
from tests.prove.pick import Pick, one_of
from tests.prove.scene import Scene


def unsigned(scene: Scene, pick: Pick, instruction: Instruction) -> Instruction:
    """Without one signature."""
    places = [
        i for i, meta in enumerate(instruction.accounts) if meta.is_signer and bytes(meta.pubkey) != scene.sponsor
    ]
    return with_meta(instruction, one_of(pick, places), is_signer=False) if places else instruction


def stranger_pays(scene: Scene, pick: Pick, instruction: Instruction) -> Instruction:
    """With a payer who has not signed."""
    metas = [
        AccountMeta(Pubkey(scene.broke), False, meta.is_writable) if bytes(meta.pubkey) == scene.sponsor else meta
        for meta in instruction.accounts
    ]
    return with_accounts(instruction, metas)


def read_only(scene: Scene, pick: Pick, instruction: Instruction) -> Instruction:
    """With one account not writable."""
    places = [i for i, meta in enumerate(instruction.accounts) if meta.is_writable]
    return with_meta(instruction, one_of(pick, places), is_writable=False) if places else instruction


def replaced(scene: Scene, pick: Pick, instruction: Instruction) -> Instruction:
    """With another account in one place: of the same kind, of another kind, forged, or absent. Only wallets sign."""
    place = pick.below(len(instruction.accounts))
    meta = instruction.accounts[place]
    other = one_of(pick, [*scene.wallets, scene.broke] if meta.is_signer else _accounts(scene, pick))
    metas = list(instruction.accounts)
    metas[place] = _meta(scene, other, meta.is_signer, meta.is_writable)
    return with_accounts(instruction, metas)


def repeated(scene: Scene, pick: Pick, instruction: Instruction) -> Instruction:
    """With one account in the place of another. Who would have to sign then, does not."""
    metas = list(instruction.accounts)
    place, meta = pick.below(len(metas)), one_of(pick, metas)
    metas[place] = _meta(scene, bytes(meta.pubkey), False, metas[place].is_writable)
    return with_accounts(instruction, metas)


def recounted(scene: Scene, pick: Pick, instruction: Instruction) -> Instruction:
    """With an account too few or too many."""
    metas = list(instruction.accounts)
    few = pick.below(2)
    return with_accounts(instruction, metas[:-1] if few else [*metas, one_of(pick, metas)])


def damaged(scene: Scene, pick: Pick, instruction: Instruction) -> Instruction:
    """With data too short, too long, of no instruction, or with a boolean over 1."""
    data = bytes(instruction.data)
    ways = [data[:-1], data + b"\x00", data[: pick.below(8)], bytes(8) + data[8:], data[:-1] + b"\x02", data[:8]]
    return with_data(instruction, one_of(pick, ways))


MUTATIONS = (unsigned, stranger_pays, read_only, replaced, replaced, replaced, repeated, recounted, damaged, damaged)


def mutated(scene: Scene, pick: Pick, instruction: Instruction) -> Instruction:
    """The call with one thing wrong; now and then that is no fault."""
    return one_of(pick, MUTATIONS)(scene, pick, instruction)


def _meta(scene: Scene, key: Key, signer: bool, writable: bool) -> AccountMeta:
    """A place for `key`. No cluster hands a program over as writable, whatever the list says; LiteSVM does."""
    return AccountMeta(Pubkey(key), signer, writable and key not in scene.programs)


def _accounts(scene: Scene, pick: Pick) -> list[Key]:
    wallet = one_of(pick, scene.wallets)
    records = [one_of(pick, scene.threads)] if scene.threads else []
    messages = [scene.message_key(record, h) for record in records for h in record.messages[-3:]]
    return [
        *(record.address for record in records),
        *(record.vault for record in records),
        *messages,
        *scene.strange,
        scene.protocol_key,
        scene.treasury,
        scene.home(wallet),
        scene.second(wallet),
        scene.foreign_account(wallet),
        wallet,
        scene.mint,
        scene.freezable,
        scene.world.program,
        SYSTEM_PROGRAM,
        TOKEN_PROGRAM,
    ]
