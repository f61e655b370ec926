"""A keypair in a file, as solana-keygen writes it, that signs for this process. Nothing here shows its secret."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from solders.keypair import Keypair
from solders.message import to_bytes_versioned
from solders.transaction import VersionedTransaction

from chorale.domain.errors import StartupError
from datasources.solana.localnet.keys import localnet_folder, write_keypair

_log = logging.getLogger(__name__)

_OTHERS = 0o077


class FileSigner:
    """Implements `chorale.domain.ports.Signer`."""

    def __init__(self, keypair: Keypair) -> None:
        self._keypair = keypair
        self._address = str(keypair.pubkey())

    def __repr__(self) -> str:
        return f"FileSigner({self._address})"

    @property
    def address(self) -> str:
        """Public key."""
        return self._address

    def sign(self, transaction: bytes) -> bytes:
        """The transaction with this key's signature put in its place. ValueError where it asks for none of this key."""
        unsigned = VersionedTransaction.from_bytes(transaction)
        message, signatures = unsigned.message, unsigned.signatures
        place = message.account_keys.index(self._keypair.pubkey())
        signatures[place] = self._keypair.sign_message(to_bytes_versioned(message))
        return bytes(VersionedTransaction.populate(message, signatures))


def open_signer(path: Path) -> FileSigner:
    """The signer in a keypair file. Raises StartupError with the cure; warns where others may read the file."""
    try:
        numbers = json.loads(path.read_bytes())
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise StartupError(
            f"The keypair {path} is missing. Make one with `solana-keygen new -o {path}`, or let "
            "CHORALE_KEEPER_KEYPAIR name another file."
        ) from None
    except OSError as error:
        raise StartupError(f"The keypair {path} cannot be read: {error.strerror}. Let this user read it.") from None
    except ValueError:
        numbers, mode = None, 0
    keypair = _keypair(numbers)
    if keypair is None:  # what the file holds instead may be a secret, and is not shown
        raise StartupError(
            f"The file {path} is no keypair. It has to hold a list of 64 numbers, as `solana-keygen new -o` writes it."
        )
    if mode & _OTHERS:
        _log.warning("Others than its owner may read the keypair %s: run `chmod 600 %s`.", path, path)
    return FileSigner(keypair)


def open_localnet_signer(data: Path) -> FileSigner:
    """The embedded chain's keeper, whose keypair is made beside the others at first use, for its owner alone."""
    path = localnet_folder(data) / "keys" / "keeper.json"
    if not path.exists():
        write_keypair(path, Keypair())
    return open_signer(path)


def _keypair(numbers: object) -> Keypair | None:
    if not isinstance(numbers, list):
        return None
    try:
        return Keypair.from_bytes(bytes(numbers))
    except (ValueError, TypeError):
        return None
