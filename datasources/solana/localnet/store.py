"""SQLite (WAL) under the embedded chain: accounts, landed transactions, their addresses, and a few single values.

Everything of one transaction goes into one commit. It survives `kill -9`; a power cut may lose the last commits whole.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from datasources.solana.localnet.model import Landed, StoredAccount, TransactionRow
from datasources.solana.localnet.token_json import TOKEN_PROGRAMS

_SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (
  pubkey BLOB PRIMARY KEY, lamports INTEGER NOT NULL, data BLOB NOT NULL, owner BLOB NOT NULL,
  executable INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS accounts_by_owner ON accounts (owner);
{token_indexes}
CREATE TABLE IF NOT EXISTS transactions (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, signature TEXT NOT NULL UNIQUE, message_hash BLOB NOT NULL UNIQUE,
  slot INTEGER NOT NULL, block_time INTEGER NOT NULL, err BLOB, raw BLOB NOT NULL, meta BLOB NOT NULL, memo TEXT
);
CREATE INDEX IF NOT EXISTS transactions_by_slot ON transactions (slot);
CREATE TABLE IF NOT EXISTS address_transactions (
  address BLOB NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (address, sequence)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS chain (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""

EXIT_CODE = 70

_LANDED = "sequence, signature, slot, block_time, err, memo"
_WHOLE = f"{_LANDED}, raw, meta"


class Store:
    """One connection, used by one thread. Writers run inside `transaction()`."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA cache_size = -32768")
        self._db.executescript(_SCHEMA.format(token_indexes="".join(map(_token_index, sorted(TOKEN_PROGRAMS)))))

    def close(self) -> None:
        """Close the connection; the WAL is folded in."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One commit. A commit that fails ends the process at once: what runs in memory would be ahead of the file."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except BaseException as error:
            die(f"The ledger could not be written: {error!r}")
            raise

    # -- single values ------------------------------------------------------------------------------------------------

    def value(self, name: str) -> int | str | bytes | None:
        """The single value called `name`."""
        row = self._db.execute("SELECT value FROM chain WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def number(self, name: str) -> int:
        """The whole number called `name`, 0 where there is none."""
        value = self.value(name)
        return value if isinstance(value, int) else 0

    def put_value(self, name: str, value: int | str | bytes) -> None:
        """Set the single value called `name`."""
        self._db.execute("INSERT OR REPLACE INTO chain (name, value) VALUES (?, ?)", (name, value))

    # -- accounts -----------------------------------------------------------------------------------------------------

    def account(self, pubkey: bytes) -> StoredAccount | None:
        """The account at `pubkey`."""
        row = self._db.execute(
            "SELECT lamports, data, owner, executable FROM accounts WHERE pubkey = ?", (pubkey,)
        ).fetchone()
        return StoredAccount(row[0], row[1], row[2], bool(row[3])) if row else None

    def accounts_of(self, owner: bytes) -> Iterator[tuple[bytes, StoredAccount]]:
        """Accounts owned by the program `owner`, by key."""
        rows = self._db.execute(
            "SELECT pubkey, lamports, data, owner, executable FROM accounts WHERE owner = ? ORDER BY pubkey", (owner,)
        )
        return ((row[0], StoredAccount(row[1], row[2], row[3], bool(row[4]))) for row in rows)

    def token_accounts_of(self, program: bytes, holder: bytes) -> Iterator[tuple[bytes, StoredAccount]]:
        """Accounts of the token program `program` that name the wallet `holder` where token accounts do, by key."""
        rows = self._db.execute(
            "SELECT pubkey, lamports, data, owner, executable FROM accounts"  # noqa: S608 -- hex digits only
            f" WHERE owner = x'{program.hex()}' AND substr(data, 33, 32) = ? ORDER BY pubkey",
            (holder,),
        )
        return ((row[0], StoredAccount(row[1], row[2], row[3], bool(row[4]))) for row in rows)

    def put_account(self, pubkey: bytes, account: StoredAccount | None) -> None:
        """Write the account at `pubkey`; None removes it."""
        if account is None:
            self._db.execute("DELETE FROM accounts WHERE pubkey = ?", (pubkey,))
            return
        self._db.execute(
            "INSERT OR REPLACE INTO accounts (pubkey, lamports, data, owner, executable) VALUES (?, ?, ?, ?, ?)",
            (pubkey, account.lamports, account.data, account.owner, account.executable),
        )

    # -- transactions -------------------------------------------------------------------------------------------------

    def add_transaction(self, row: TransactionRow, message_hash: bytes, addresses: Iterable[bytes]) -> None:
        """Append a landed transaction (its `sequence` is given here) and the addresses it names."""
        err = None if row.err is None else orjson.dumps(row.err)
        cursor = self._db.execute(
            "INSERT INTO transactions (signature, message_hash, slot, block_time, err, raw, meta, memo)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (row.signature, message_hash, row.slot, row.block_time, err, row.raw, orjson.dumps(row.meta), row.memo),
        )
        self._db.executemany(
            "INSERT INTO address_transactions (address, sequence) VALUES (?, ?)",
            ((address, cursor.lastrowid) for address in addresses),
        )

    def processed(self, signature: str, message_hash: bytes) -> bool:
        """Whether this signature, or this message under any signature, has landed at any time."""
        found = self._db.execute(
            "SELECT 1 FROM transactions WHERE signature = ? OR message_hash = ?", (signature, message_hash)
        )
        return found.fetchone() is not None

    def landed(self, signature: str) -> Landed | None:
        """How the transaction of `signature` landed."""
        row = self._db.execute(f"SELECT {_LANDED} FROM transactions WHERE signature = ?", (signature,)).fetchone()  # noqa: S608 -- constant columns
        return _landed(row) if row else None

    def transaction_by_signature(self, signature: str) -> TransactionRow | None:
        """The landed transaction of `signature`, whole."""
        row = self._db.execute(f"SELECT {_WHOLE} FROM transactions WHERE signature = ?", (signature,)).fetchone()  # noqa: S608 -- constant columns
        return _whole(row) if row else None

    def transactions_in(self, slot: int) -> list[TransactionRow]:
        """The transactions of one slot, in order."""
        rows = self._db.execute(f"SELECT {_WHOLE} FROM transactions WHERE slot = ? ORDER BY sequence", (slot,))  # noqa: S608 -- constant columns
        return [_whole(row) for row in rows]

    def transactions_of(self, address: bytes, *, before: int, after: int, limit: int) -> list[Landed]:
        """Transactions naming `address` with after < sequence < before, newest first."""
        rows = self._db.execute(
            f"SELECT {_LANDED} FROM address_transactions a JOIN transactions USING (sequence)"  # noqa: S608 -- constant columns
            " WHERE a.address = ? AND a.sequence < ? AND a.sequence > ? ORDER BY a.sequence DESC LIMIT ?",
            (address, before, after, limit),
        )
        return [_landed(row) for row in rows]

    def latest_time_at(self, slot: int) -> tuple[int, int] | None:
        """Slot and block time of the last transaction at or before `slot`."""
        found: tuple[int, int] | None = self._db.execute(
            "SELECT slot, block_time FROM transactions WHERE slot <= ? ORDER BY slot DESC LIMIT 1", (slot,)
        ).fetchone()
        return found

    def transaction_count(self) -> int:
        """How many transactions have landed."""
        count: int = self._db.execute("SELECT coalesce(max(sequence), 0) FROM transactions").fetchone()[0]
        return count


def die(reason: str) -> None:
    """End the process without any clean-up; the next start reads the last commit."""
    os.write(2, f"{reason}. The embedded chain stops; start it again once the cause is gone.\n".encode())
    os._exit(EXIT_CODE)


def _token_index(program: bytes) -> str:
    name = program.hex()  # as a literal, else SQLite cannot tell that a query fits the partial index
    return f"CREATE INDEX IF NOT EXISTS holders_{name[:8]} ON accounts (substr(data, 33, 32)) WHERE owner = x'{name}';"


def _landed(row: tuple[Any, ...]) -> Landed:
    sequence, signature, slot, block_time, err, memo = row
    return Landed(sequence, signature, slot, block_time, err and orjson.loads(err), memo)


def _whole(row: tuple[Any, ...]) -> TransactionRow:
    sequence, signature, slot, block_time, err, memo, raw, meta = row
    return TransactionRow(
        sequence, signature, slot, block_time, err and orjson.loads(err), memo, raw, orjson.loads(meta)
    )
