"""RPC methods about the cluster: health, slots, time, epochs, blockhashes, fees, and the embedded chain's own clock."""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64

from solders.hash import Hash, ParseHashError
from solders.message import Message, MessageV0, from_bytes_versioned

from datasources.solana.localnet.clock import SLOT_MILLISECONDS, SLOTS_PER_EPOCH
from datasources.solana.localnet.errors import block_not_available, invalid_params
from datasources.solana.localnet.ledger import Ledger
from datasources.solana.localnet.message import LAMPORTS_PER_SIGNATURE
from datasources.solana.localnet.method import API_VERSION, Method, with_context
from datasources.solana.localnet.model import Json
from datasources.solana.localnet.params import Params, as_number

_LONGEST_LEAP = 10 * 365 * 86_400


def get_version(ledger: Ledger, params: Params) -> Json:
    return {"solana-core": API_VERSION, "feature-set": 0}


def get_slot(ledger: Ledger, params: Params) -> Json:
    slot = ledger.slot
    params.config(0).require_slot(slot)
    return slot


def get_first_block(ledger: Ledger, params: Params) -> Json:
    return 0


def get_epoch_info(ledger: Ledger, params: Params) -> Json:
    slot = ledger.slot
    params.config(0).require_slot(slot)
    epoch, index = divmod(slot, SLOTS_PER_EPOCH)
    return {
        "absoluteSlot": slot,
        "blockHeight": slot,
        "epoch": epoch,
        "slotIndex": index,
        "slotsInEpoch": SLOTS_PER_EPOCH,
        "transactionCount": ledger.store.transaction_count(),
    }


def get_epoch_schedule(ledger: Ledger, params: Params) -> Json:
    return {
        "slotsPerEpoch": SLOTS_PER_EPOCH,
        "leaderScheduleSlotOffset": SLOTS_PER_EPOCH,
        "warmup": False,
        "firstNormalEpoch": 0,
        "firstNormalSlot": 0,
    }


def get_block_time(ledger: Ledger, params: Params) -> Json:
    slot = params.number(0)
    if slot > ledger.slot:
        raise block_not_available(slot)
    return block_time(ledger, slot)


def block_time(ledger: Ledger, slot: int) -> int:
    """Unix time of a slot that has been: what its transactions saw, else reckoned from the last one before."""
    now = ledger.clock.unix_time
    if (known := ledger.store.latest_time_at(slot)) is not None:
        return min(now, known[1] + (slot - known[0]) * SLOT_MILLISECONDS // 1000)
    return now - (ledger.slot - slot) * SLOT_MILLISECONDS // 1000


def get_latest_blockhash(ledger: Ledger, params: Params) -> Json:
    blockhash, last_valid = ledger.latest_blockhash()
    slot = ledger.slot
    params.config(0).require_slot(slot)
    return with_context(slot, {"blockhash": str(blockhash), "lastValidBlockHeight": last_valid})


def is_blockhash_valid(ledger: Ledger, params: Params) -> Json:
    slot = ledger.slot
    params.config(1).require_slot(slot)
    try:
        blockhash = Hash.from_string(params.text(0))
    except ParseHashError as error:
        raise invalid_params("WrongSize" if "size" in str(error) else "Invalid") from error
    return with_context(slot, ledger.blockhash_slot(blockhash) is not None)


def get_fee_for_message(ledger: Ledger, params: Params) -> Json:
    slot = ledger.slot
    params.config(1).require_slot(slot)
    message: Message | MessageV0
    try:
        message = from_bytes_versioned(a2b_base64(params.text(0), strict_mode=True))
    except (ValueError, Base64Error) as error:
        raise invalid_params(f"failed to deserialize solana_message::versions::VersionedMessage: {error}") from error
    if ledger.blockhash_slot(message.recent_blockhash) is None:
        return with_context(slot, None)
    return with_context(slot, message.header.num_required_signatures * LAMPORTS_PER_SIGNATURE)


def get_recent_prioritization_fees(ledger: Ledger, params: Params) -> Json:
    params.keys(0, 128) if params.value(0) is not None else None
    slot = ledger.slot  # this runtime charges none
    return [{"slot": past, "prioritizationFee": 0} for past in range(max(0, slot - 149), slot + 1)]


def advance_clock(ledger: Ledger, params: Params) -> Json:
    """Not of Solana: `chorale_advanceClock {seconds}` moves unix time ahead and answers the new time."""
    return ledger.clock.advance(_leap(params, "seconds"))


def advance_slots(ledger: Ledger, params: Params) -> Json:
    """Not of Solana: `chorale_advanceSlots {slots}` skips slots, so that blockhashes age, and answers the new slot."""
    return ledger.clock.advance_slots(_leap(params, "slots"))


def _leap(params: Params, name: str) -> int:
    given = params.required(0)
    amount = as_number(given.get(name) if isinstance(given, dict) else given, name)
    if not 0 < amount <= _LONGEST_LEAP:
        raise invalid_params(f"Invalid params: {name} must be from 1 to {_LONGEST_LEAP}.")
    return amount


METHODS: dict[str, Method] = {
    "getHealth": lambda ledger, params: "ok",
    "getVersion": get_version,
    "getGenesisHash": lambda ledger, params: str(ledger.genesis_hash),
    "getIdentity": lambda ledger, params: {"identity": ledger.identity},
    "getSlotLeader": lambda ledger, params: ledger.identity,
    "getSlot": get_slot,
    "getBlockHeight": get_slot,
    "getTransactionCount": lambda ledger, params: ledger.store.transaction_count(),
    "getFirstAvailableBlock": get_first_block,
    "minimumLedgerSlot": get_first_block,
    "getEpochInfo": get_epoch_info,
    "getEpochSchedule": get_epoch_schedule,
    "getBlockTime": get_block_time,
    "getLatestBlockhash": get_latest_blockhash,
    "isBlockhashValid": is_blockhash_valid,
    "getFeeForMessage": get_fee_for_message,
    "getRecentPrioritizationFees": get_recent_prioritization_fees,
    "getMinimumBalanceForRentExemption": lambda ledger, params: ledger.vm.rent_exempt_minimum(params.number(0)),
    "chorale_advanceClock": advance_clock,
    "chorale_advanceSlots": advance_slots,
}
