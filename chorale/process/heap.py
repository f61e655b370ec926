"""The collector of cycles, told that what a started server consists of stays."""

from __future__ import annotations

import gc

# Objects, then collections of the generation below; by default 700, 10, 10.
_YOUNG, _MIDDLE, _OLD = 20_000, 20, 20


def settle_heap() -> None:
    """Collect once, keep what is left out of all later collections, and collect less often.

    A collection of everything walks the schema, the models and all code, some hundred thousand objects, for tens of
    milliseconds in which no request is answered; nearly all that requests make is freed without it.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
