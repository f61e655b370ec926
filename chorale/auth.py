"""Sign-In With Solana: a challenge, a signed text, a session. Only the hash of a token is ever stored."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256

from chorale.domain.errors import InvalidInputError, StartupError
from chorale.domain.ports import SessionStore
from chorale.domain.updates import Refusal
from chorale.limits import Limits
from programs.signatures import is_signed_by
from programs.wire import WireError, key_bytes

STATEMENT = "Sign in to Chorale. This signature proves that the wallet is yours; it moves nothing and costs nothing."
_NONCE_LINE = re.compile(r"^Nonce: ([0-9a-f]{32})$", re.MULTILINE)
_MAX_MESSAGE_BYTES = 4096
_MAX_TOKEN_CHARS = 128
_AGAIN = "Run signInChallenge again and sign the new text."


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks; `expires_at` in unix seconds."""

    address: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Session:
    """A new session. The token is shown this once."""

    token: str
    expires_at: int
    address: str


@dataclass(frozen=True, slots=True)
class SignInFields:
    """Input of the wallet standard's signIn; times are strings, since they are compared byte for byte."""

    domain: str
    address: str | None
    statement: str
    uri: str
    version: str
    chain_id: str
    nonce: str
    issued_at: str
    expiration_time: str


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a wallet is asked to sign; `message` is None where no wallet was named. `expires_at` in unix seconds."""

    input: SignInFields
    message: str | None
    expires_at: int


class SignIn:
    """Issues challenges and sessions. `clock` gives unix seconds."""

    def __init__(
        self,
        sessions: SessionStore,
        domain: str,
        uri: str,
        chain_identifier: str,
        limits: Limits,
        clock: Callable[[], float] = time.time,
    ) -> None:
        for value in (domain, uri, chain_identifier):
            if not value or not value.isprintable():
                raise StartupError(f"{value!r} cannot stand in a sign-in text. Set CHORALE_PUBLIC_URL to one address.")
        self._sessions = sessions
        self._domain = domain
        self._uri = uri
        self._chain_identifier = chain_identifier
        self._limits = limits
        self._clock = clock

    async def challenge(self, wallet: str | None = None) -> Challenge:
        """A text to sign, good once and for `challenge_ttl` seconds. Raises InvalidInputError on a malformed wallet."""
        if wallet is not None:
            _check_wallet(wallet)
        now = int(self._clock())
        expires_at = now + self._limits.challenge_ttl
        fields = SignInFields(
            domain=self._domain,
            address=wallet,
            statement=STATEMENT,
            uri=self._uri,
            version="1",
            chain_id=self._chain_identifier,
            nonce=secrets.token_hex(16),
            issued_at=_rfc3339(now),
            expiration_time=_rfc3339(expires_at),
        )
        record = json.dumps({"fields": asdict(fields), "expires_at": expires_at}).encode()
        # Kept for longer than it is good, so that a late signature is told "expired" rather than "unknown".
        await self._sessions.put(_challenge_key(fields.nonce), record, 2 * self._limits.challenge_ttl)
        return Challenge(fields, None if wallet is None else message_text(fields), expires_at)

    async def sign_in(self, wallet: str, signed_message: bytes, signature: str) -> Session | Refusal:
        """A session for a signed challenge. Nothing is used up by a refused attempt."""
        _check_wallet(wallet)
        nonce = _nonce_in(signed_message)
        record = None if nonce is None else await self._sessions.get(_challenge_key(nonce))
        if nonce is None or record is None:
            return _refused("CHALLENGE_UNKNOWN", f"The signed text answers no open challenge. {_AGAIN}")
        issued = json.loads(record)
        fields = SignInFields(**issued["fields"])
        if self._clock() >= issued["expires_at"]:
            return _refused("CHALLENGE_EXPIRED", f"The challenge expired at {fields.expiration_time}. {_AGAIN}")
        if fields.address not in (None, wallet):
            return _refused("WALLET_MISMATCH", f"The challenge was issued to another wallet. {_AGAIN}")
        if message_text(replace(fields, address=wallet)).encode() != signed_message:
            return _refused("MESSAGE_MISMATCH", f"The signed text is not the one that was issued. {_AGAIN}")
        if not is_signed_by(wallet, signed_message, signature):
            return _refused("SIGNATURE_WRONG", "The signature is not this wallet's over this text. Sign it again.")
        if await self._sessions.take(_challenge_key(nonce)) is None:
            return _refused("CHALLENGE_USED", f"The challenge has been used. {_AGAIN}")
        return await self.open_session(wallet)

    async def open_session(self, address: str) -> Session:
        """A session for an address that has proved itself otherwise."""
        token = secrets.token_urlsafe(32)
        expires_at = int(self._clock()) + self._limits.session_ttl
        record = json.dumps({"address": address, "expires_at": expires_at}).encode()
        await self._sessions.put(_session_key(token), record, self._limits.session_ttl)
        return Session(token, expires_at, address)

    async def sign_out(self, token: str) -> None:
        """Ends a session; one that has ended is fine."""
        if _is_token(token):
            await self._sessions.delete(_session_key(token))

    async def viewer(self, token: str) -> Viewer | None:
        """Whose session this is; None where it is unknown or over."""
        record = await self._sessions.get(_session_key(token)) if _is_token(token) else None
        if record is None:
            return None
        session = json.loads(record)
        viewer = Viewer(session["address"], session["expires_at"])
        return viewer if self._clock() < viewer.expires_at else None


def message_text(fields: SignInFields) -> str:
    """The text as the wallet standard builds it. Fields hold no line breaks: they are the server's own."""
    lines = (
        f"{fields.domain} wants you to sign in with your Solana account:",
        f"{fields.address}",
        "",
        fields.statement,
        "",
        f"URI: {fields.uri}",
        f"Version: {fields.version}",
        f"Chain ID: {fields.chain_id}",
        f"Nonce: {fields.nonce}",
        f"Issued At: {fields.issued_at}",
        f"Expiration Time: {fields.expiration_time}",
    )
    return "\n".join(lines)


def _nonce_in(signed_message: bytes) -> str | None:
    if len(signed_message) > _MAX_MESSAGE_BYTES:
        return None
    found = _NONCE_LINE.findall(signed_message.decode("utf-8", errors="replace"))
    return str(found[0]) if len(found) == 1 else None


def _check_wallet(wallet: str) -> None:
    try:
        key_bytes(wallet)
    except WireError as error:
        raise InvalidInputError(str(error), "wallet") from error


def _is_token(token: str) -> bool:
    return 0 < len(token) <= _MAX_TOKEN_CHARS and token.isascii()


def _challenge_key(nonce: str) -> str:
    return f"challenge:{nonce}"


def _session_key(token: str) -> str:
    return f"session:{sha256(token.encode()).hexdigest()}"


def _rfc3339(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _refused(code: str, explanation: str) -> Refusal:
    return Refusal("SignInRefused", code, explanation)
