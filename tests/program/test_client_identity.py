"""Identities and addresses are derived as documented, and malformed input is refused."""

from __future__ import annotations

from hashlib import sha256

import pytest
from solders.pubkey import Pubkey

from chorale.domain.program_errors import ProgramError
from programs import identity
from programs.addresses import ProgramAddresses
from programs.problems import custom_code, lacks_funds, program_error_in_logs, program_error_of
from programs.wire import WireError

ANA = Pubkey.new_unique()
PROGRAM = Pubkey.new_unique()
SALT = "0f" * 32


def test_identities_hash_what_the_program_hashes() -> None:
    """Each identity is the hash of its tag and its parts in order."""
    thread_id = sha256(b"chorale:thread:1" + bytes(ANA) + (258).to_bytes(8, "little"))
    assert identity.thread_id(str(ANA), 258) == thread_id.hexdigest()
    body_hash = sha256(b"chorale:body:1" + b"\x0f" * 32 + "grüß dich".encode())
    assert identity.body_hash(SALT, "grüß dich") == identity.body_hash(SALT, "grüß dich".encode())
    assert identity.body_hash(SALT, "grüß dich") == body_hash.hexdigest()
    assert identity.title_hash(SALT, "a") == sha256(b"chorale:title:1" + b"\x0f" * 32 + b"a").hexdigest()
    content_hash = sha256(
        b"chorale:message:1" + thread_id.digest() + bytes(ANA) + (1).to_bytes(8, "little") + body_hash.digest()
    )
    assert identity.content_hash(thread_id.hexdigest(), str(ANA), 1, body_hash.hexdigest()) == content_hash.hexdigest()


def test_addresses_come_from_their_seeds() -> None:
    """Each address is the canonical one of its seeds."""
    addresses = ProgramAddresses(str(PROGRAM))

    def derived(*seeds: bytes) -> tuple[str, int]:
        address, bump = Pubkey.find_program_address(list(seeds), PROGRAM)
        return str(address), bump

    assert addresses.protocol() == derived(b"protocol")[0]
    assert addresses.treasury() == derived(b"treasury")[0]
    assert addresses.thread_and_bump(SALT) == derived(b"thread", b"\x0f" * 32)
    thread = addresses.thread(SALT)
    raw = bytes(Pubkey.from_string(thread))
    assert addresses.vault(thread) == derived(b"vault", raw)[0]
    assert addresses.message_and_bump(thread, SALT) == derived(b"message", raw, b"\x0f" * 32)


@pytest.mark.parametrize("text", ["", "0f" * 31, "0F" * 32, "zz" * 32, " " * 64, "٣" * 64])
def test_malformed_hashes_are_refused(text: str) -> None:
    """Only 64 lower-case hex digits are a hash or salt."""
    with pytest.raises(WireError, match="64 lower-case hex digits"):
        identity.body_hash(text, "a")


def test_malformed_keys_nonces_and_texts_are_refused() -> None:
    """Keys of another length or alphabet, numbers beyond u64 and lone surrogates are refused."""
    for key in ("", "l", "1" * 31, "1" * 33, "é"):
        with pytest.raises(WireError, match="base58"):
            identity.thread_id(key, 0)
    for nonce in (-1, 2**64):
        with pytest.raises(WireError, match="64-bit"):
            identity.thread_id(str(ANA), nonce)
    with pytest.raises(WireError, match="surrogates"):
        identity.body_hash(SALT, "\ud800")


def test_program_errors_are_recognised() -> None:
    """The custom number at the program's own instruction names the error; other errors name none."""
    error = {"InstructionError": [2, {"Custom": 6005}]}
    assert program_error_of(error) is ProgramError.STAKE_TOO_LOW
    assert program_error_of(error, instruction_index=2) is ProgramError.STAKE_TOO_LOW
    assert program_error_of(error, instruction_index=1) is None
    assert program_error_of({"InstructionError": [0, {"Custom": 1}]}) is None
    assert program_error_of({"InstructionError": [0, "InvalidArgument"]}) is None
    assert program_error_of("BlockhashNotFound") is None
    assert custom_code({"InstructionError": [0, "InvalidArgument"]}) == (0, None)
    logs = [f"Program {PROGRAM} invoke [1]", f"Program {PROGRAM} failed: custom program error: 0x1773"]
    assert program_error_in_logs(logs, str(PROGRAM)) is ProgramError.NOT_A_CO_AUTHOR
    assert program_error_in_logs(logs, str(ANA)) is None
    assert program_error_in_logs([], str(PROGRAM)) is None


def test_short_balances_are_recognised() -> None:
    """Every way in which the runtime says that a wallet cannot pay is one answer."""
    short = [{"Custom": 1}, "InsufficientFunds"]
    assert all(lacks_funds({"InstructionError": [0, detail]}) for detail in short)
    assert all(lacks_funds(error) for error in ("InsufficientFundsForFee", "AccountNotFound"))
    assert lacks_funds({"InsufficientFundsForRent": {"account_index": 0}})
    assert not any(
        lacks_funds(error) for error in (None, "BlockhashNotFound", {"InstructionError": [0, {"Custom": 2}]})
    )
