"""The localnet's own keypairs, made at the first start and kept as solana-keygen files, readable by the owner only."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, fields
from pathlib import Path

from solders.keypair import Keypair

from datasources.solana.localnet.errors import BrokenDataError


@dataclass(frozen=True, slots=True)
class LocalnetKeys:
    """One localnet: the purse of airdrops, the admin (also mint authority), the mint, the program, the node."""

    faucet: Keypair
    admin: Keypair
    mint: Keypair
    program: Keypair
    identity: Keypair


def localnet_folder(data: Path) -> Path:
    """Where a data directory keeps its embedded chain."""
    return data / "localnet"


def load_keys(data: Path) -> LocalnetKeys:
    """The keypairs under `data`. Raises BrokenDataError where one is missing or unreadable."""
    folder = localnet_folder(data)
    return LocalnetKeys(
        **{field.name: read_keypair(folder / "keys" / f"{field.name}.json") for field in fields(LocalnetKeys)}
    )


def make_keys(data: Path) -> LocalnetKeys:
    """Make the keypairs that are missing under `data`, and load all."""
    folder = localnet_folder(data) / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for field in fields(LocalnetKeys):
        path = folder / f"{field.name}.json"
        if not path.exists():
            write_keypair(path, Keypair())
    return load_keys(data)


def read_keypair(path: Path) -> Keypair:
    """The keypair in a solana-keygen file. Raises BrokenDataError where it is missing or unreadable."""
    try:
        return Keypair.from_bytes(bytes(json.loads(path.read_text())))
    except FileNotFoundError as error:
        raise BrokenDataError(f"The keypair {path} is missing.", path.parents[1]) from error
    except (ValueError, TypeError) as error:
        raise BrokenDataError(f"The keypair {path} cannot be read: {error}.", path.parents[1]) from error


def write_keypair(path: Path, keypair: Keypair) -> None:
    """Keep a keypair in a solana-keygen file that its owner alone may read."""
    partial = path.with_suffix(".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(list(bytes(keypair)), file)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)  # a crash leaves a whole key or none
