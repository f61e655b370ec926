"""A wallet signs the issued text once and gets a session; anything else is refused by name and uses nothing up."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from solders.keypair import Keypair

from chorale.auth import Challenge, Session, SignIn, message_text
from chorale.domain.errors import InvalidInputError, StartupError
from chorale.domain.updates import Refusal
from chorale.limits import Limits
from datasources.cache.sqlite import open_sqlite_sessions

LIMITS = Limits()


class Clock:
    """Unix time that a test moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def sign_in(tmp_path: Path, clock: Clock) -> AsyncIterator[SignIn]:
    async with open_sqlite_sessions(tmp_path / "sessions.sqlite", clock) as sessions:
        yield SignIn(sessions, "chorale.example:8000", "https://chorale.example:8000", "solana:localnet", LIMITS, clock)


WALLET = Keypair()
ADDRESS = str(WALLET.pubkey())


def sign(challenge: Challenge, wallet: Keypair = WALLET) -> tuple[bytes, str]:
    text = message_text(replace(challenge.input, address=str(wallet.pubkey()))).encode()
    return text, str(wallet.sign_message(text))


def code_of(answer: Session | Refusal) -> str:
    assert isinstance(answer, Refusal)
    assert answer.problem == "SignInRefused"
    assert answer.explanation.endswith(".")
    return answer.code


async def test_the_text_is_the_wallet_standards(sign_in: SignIn) -> None:
    challenge = await sign_in.challenge(ADDRESS)
    fields = challenge.input
    assert challenge.message == (
        "chorale.example:8000 wants you to sign in with your Solana account:\n"
        f"{ADDRESS}\n"
        "\n"
        f"{fields.statement}\n"
        "\n"
        "URI: https://chorale.example:8000\n"
        "Version: 1\n"
        "Chain ID: solana:localnet\n"
        f"Nonce: {fields.nonce}\n"
        "Issued At: 2027-01-15T08:00:00.000Z\n"
        "Expiration Time: 2027-01-15T08:05:00.000Z"
    )
    assert challenge.expires_at == 1_800_000_000 + LIMITS.challenge_ttl


@pytest.mark.parametrize("named", [True, False], ids=["wallet named", "wallet fills itself in"])
async def test_a_signed_challenge_opens_a_session_until_it_ends(sign_in: SignIn, clock: Clock, named: bool) -> None:
    challenge = await sign_in.challenge(ADDRESS if named else None)
    assert (challenge.message is None) is not named
    session = await sign_in.sign_in(ADDRESS, *sign(challenge))
    assert isinstance(session, Session)
    viewer = await sign_in.viewer(session.token)
    assert viewer is not None
    assert (viewer.address, viewer.expires_at) == (ADDRESS, int(clock.now) + LIMITS.session_ttl)
    clock.now = session.expires_at
    assert await sign_in.viewer(session.token) is None


async def test_signing_out_ends_the_session(sign_in: SignIn) -> None:
    session = await sign_in.open_session(ADDRESS)
    await sign_in.sign_out(session.token)
    await sign_in.sign_out(session.token)
    assert await sign_in.viewer(session.token) is None


async def test_a_challenge_is_good_once_also_under_concurrency(sign_in: SignIn) -> None:
    signed = sign(await sign_in.challenge(ADDRESS))
    answers = await asyncio.gather(*(sign_in.sign_in(ADDRESS, *signed) for _ in range(8)))
    assert sum(isinstance(answer, Session) for answer in answers) == 1
    assert code_of(await sign_in.sign_in(ADDRESS, *signed)) == "CHALLENGE_UNKNOWN"


async def test_refusals_name_their_reason_and_use_nothing_up(sign_in: SignIn, clock: Clock) -> None:
    challenge = await sign_in.challenge(ADDRESS)
    text, signature = sign(challenge)
    other = Keypair()

    assert code_of(await sign_in.sign_in(ADDRESS, b"Nonce: 1", signature)) == "CHALLENGE_UNKNOWN"
    assert code_of(await sign_in.sign_in(ADDRESS, b"\xff" * 5000, signature)) == "CHALLENGE_UNKNOWN"
    doubled = text + b"\nNonce: " + b"0" * 32
    assert code_of(await sign_in.sign_in(ADDRESS, doubled, signature)) == "CHALLENGE_UNKNOWN"
    assert code_of(await sign_in.sign_in(str(other.pubkey()), *sign(challenge, other))) == "WALLET_MISMATCH"
    for forged in (text + b"\n", text.replace(b"chorale", b"cho-rale", 1), text.replace(b"\n", b"\r\n")):
        answer = await sign_in.sign_in(ADDRESS, forged, str(WALLET.sign_message(forged)))
        assert code_of(answer) in ("MESSAGE_MISMATCH", "CHALLENGE_UNKNOWN")
    assert code_of(await sign_in.sign_in(ADDRESS, text, str(other.sign_message(text)))) == "SIGNATURE_WRONG"
    assert code_of(await sign_in.sign_in(ADDRESS, text, "not base58")) == "SIGNATURE_WRONG"

    assert isinstance(await sign_in.sign_in(ADDRESS, text, signature), Session)

    late = sign(await sign_in.challenge(ADDRESS))
    clock.now += LIMITS.challenge_ttl
    assert code_of(await sign_in.sign_in(ADDRESS, *late)) == "CHALLENGE_EXPIRED"


async def test_malformed_wallets_and_tokens_are_answered(sign_in: SignIn) -> None:
    for wallet in ("", "l0O", ADDRESS[:-4], f"{ADDRESS}\nURI: https://evil.example"):
        with pytest.raises(InvalidInputError) as caught:
            await sign_in.challenge(wallet)
        assert caught.value.field == "wallet"
    for token in ("", "x" * 1000, "ü"):
        assert await sign_in.viewer(token) is None
        await sign_in.sign_out(token)


async def test_only_the_hash_of_a_token_is_stored(sign_in: SignIn, tmp_path: Path) -> None:
    session = await sign_in.open_session(ADDRESS)
    with sqlite3.connect(tmp_path / "sessions.sqlite") as connection:
        rows = connection.execute("SELECT key, value FROM entries").fetchall()
    assert rows
    assert session.token not in str(rows)


async def test_line_breaks_cannot_enter_through_settings(tmp_path: Path) -> None:
    async with open_sqlite_sessions(tmp_path / "s") as sessions:
        with pytest.raises(StartupError):
            SignIn(sessions, "a\nb", "https://a", "solana:localnet", LIMITS)
