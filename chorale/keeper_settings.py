"""The keeper's settings: whether it runs, who pays, how soon, and how much it may spend."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self, TypeVar

from chorale import setting_values as values

T = TypeVar("T")


class Read(Protocol):
    """Reads one variable: its value, or the default where it is not set. Raises SettingError on what is not allowed."""

    def __call__(self, name: str, default: T, parse: values.Parse[T], allowed: str, /) -> T:
        """The value of CHORALE_`name`."""


@dataclass(frozen=True)
class KeeperSettings:
    """`runs` None: inside `serve` on the embedded chain alone. `keypair` None: one of the embedded chain's own.

    `grace` in s, `budget` in lamports per hour, `priority_fee` in micro-lamports per compute unit, `sweep_minimum` in
    base units.
    """

    runs: bool | None = None
    keypair: Path | None = None
    grace: int = 10
    budget: int = 50_000_000
    priority_fee: int = 0
    sweep_minimum: int = 1

    @classmethod
    def read(cls, read: Read) -> Self:
        """From CHORALE_KEEPER and CHORALE_KEEPER_…"""
        whole = "a whole number, not negative"
        return cls(
            runs=read("KEEPER", None, {"1": True, "0": False}.get, "1 or 0"),
            keypair=read("KEEPER_KEYPAIR", None, values.file, "a keypair file as solana-keygen writes it"),
            grace=read("KEEPER_GRACE", cls.grace, values.whole, f"{whole}, in seconds"),
            budget=read("KEEPER_BUDGET", cls.budget, values.whole, f"{whole}, in lamports per hour"),
            priority_fee=read("KEEPER_FEE", 0, values.whole, f"{whole}, in micro-lamports per compute unit"),
            sweep_minimum=read("KEEPER_SWEEP", 1, values.whole, f"{whole}, in base units"),
        )


VARIABLES = {
    "KEEPER": "1 or 0: send inside serve what is due to everybody (1 on the embedded chain, else 0)",
    "KEEPER_KEYPAIR": "file of the keypair that pays for it (the embedded chain has one)",
    "KEEPER_GRACE": f"seconds from when something is found due until the keeper sends it ({KeeperSettings.grace})",
    "KEEPER_BUDGET": f"lamports that the keeper spends in an hour at most ({KeeperSettings.budget})",
    "KEEPER_FEE": "priority fee in micro-lamports per compute unit (0)",
    "KEEPER_SWEEP": "least amount, in base units, that a thread's sweep is worth (1)",
}
